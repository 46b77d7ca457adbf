// Links with data-dialog load their question into the one <dialog> instead of a page.

const dialog = document.getElementById("dialog");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    htmx.ajax("GET", link.getAttribute("href"), { source: link, target: dialog, swap: "innerHTML" });
  }
  if (event.target.closest("#dialog [data-close]") || event.target === dialog) {
    event.preventDefault();
    dialog.close();
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== dialog) return;
  if (dialog.childElementCount && !dialog.open) dialog.showModal();
  dialog.querySelector(".has-error input, [autofocus]")?.focus();
  // htmx would focus it once more, a moment later, when somebody quick has moved on.
  dialog.querySelectorAll("[autofocus]").forEach((element) => element.removeAttribute("autofocus"));
});

// The answer to the question went elsewhere (a row, the list): the question is done with.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = dialog.contains(event.detail.requestConfig.elt);
  if (asked && event.detail.shouldSwap && !dialog.contains(event.detail.target)) dialog.close();
});

dialog.addEventListener("close", () => {
  // What is still asked from within would find its place gone.
  for (const asking of dialog.querySelectorAll("[hx-get]")) htmx.trigger(asking, "htmx:abort");
  dialog.replaceChildren();
  // The row that the dialog was opened from may be gone; never lose the keyboard's place.
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById("main").focus();
  });
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  // Only when it comes: whoever scrolled on and opens something elsewhere stays there.
  target.querySelector?.("tr.is-new")?.scrollIntoView({ block: "nearest" });
  if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
});

// Links with data-dialog load their question into the one <dialog> instead of a page.

const dialog = document.getElementById("dialog");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    // A second answer would replace the first, with what was typed into it.
    if (link.classList.contains("htmx-request")) return;
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
  // htmx would focus it again a moment later, when a fast user has moved on.
  dialog.querySelectorAll("[autofocus]").forEach((element) => element.removeAttribute("autofocus"));
});

// The response went elsewhere (a row, the list), so the question is answered.
document.addEventListener("htmx:beforeSwap", (event) => {
  const asked = dialog.contains(event.detail.requestConfig.elt);
  if (asked && event.detail.shouldSwap && !dialog.contains(event.detail.target)) dialog.close();
});

dialog.addEventListener("close", () => {
  // A pending request from within would find its target gone.
  for (const asking of dialog.querySelectorAll("[hx-get]")) htmx.trigger(asking, "htmx:abort");
  dialog.replaceChildren();
  // The row that opened the dialog may be gone; keep the keyboard focus nearby.
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById("main").focus();
  });
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  // Only when it arrives, so that a user who has scrolled on stays there.
  target.querySelector?.("tr.is-new")?.scrollIntoView({ block: "nearest" });
  if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
});

// Edits a label in place: the form replaces the row's title and disappears again.

const FORM = "form[data-label]";
const linkIn = (row) => row.querySelector("a[data-inline], a.name");

async function open(link) {
  if ("busy" in link.dataset) return;
  link.dataset.busy = "";
  const title = link.closest(".cred-title");
  const href = link.getAttribute("href");
  try {
    await htmx.ajax("GET", href, { source: link, target: title, swap: "afterend" });
  } catch {} // the server can't be reached: see failures.js
  delete link.dataset.busy;
  if (title.nextElementSibling?.matches(FORM)) begin(title.nextElementSibling);
}

// Also when the form is shown again with an error.
function begin(form) {
  form.previousElementSibling.hidden = true;
  const field = form.elements.label;
  field.removeAttribute("autofocus"); // htmx would move the focus back to it a moment later
  field.focus();
  if (!field.hasAttribute("aria-invalid")) field.select();
}

async function cancel(form) {
  const row = form.closest("tr");
  htmx.trigger(form, "htmx:abort");
  form.previousElementSibling.hidden = false;
  form.remove();
  linkIn(row).focus();
  if (!("changed" in form.dataset)) return;
  // By now the row has another user's label.
  await htmx.ajax("GET", location.pathname + location.search, { target: "#credentials", swap: "outerHTML" });
  const now = document.getElementById(row.id);
  if (now) linkIn(now)?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-inline]");
  const leaving = event.target.closest(`${FORM} [data-cancel]`);
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link || leaving) event.preventDefault();
  if (leaving) return cancel(leaving.closest("form"));
  // A click on the label itself works as well, unless the user is selecting text.
  const label = getSelection().isCollapsed && event.target.closest(".cred-title bdi");
  const found = link || (label && linkIn(label.parentElement));
  if (found) open(found);
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.(FORM);
  if (form) cancel(form);
});

document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  if (target.matches(FORM)) begin(target);
  else if (target.matches("tr") && detail.requestConfig.elt.matches(FORM)) linkIn(target)?.focus();
});

// The label of a new row: the form stands in the place of the row's title and disappears again.

const FORM = "form[data-label]";
const linkIn = (row) => row.querySelector("a.name");

// When the form is shown again with an error.
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
  const leaving = event.target.closest(`${FORM} [data-cancel]`);
  if (!leaving || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  cancel(leaving.closest("form"));
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.(FORM);
  if (form) cancel(form);
});

document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  if (target.matches(FORM)) begin(target);
  else if (target.matches("tr") && detail.requestConfig.elt.matches(FORM)) linkIn(target)?.focus();
});

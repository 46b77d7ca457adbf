// Selected rows: count, select all, clear. CSS shows the bar itself.

const boxes = () => [...document.querySelectorAll("#credentials .pick")];

function count() {
  const all = document.querySelector("[data-choose-all]");
  if (!all) return;
  const chosen = boxes().filter((box) => box.checked).length;
  document.querySelector("[data-chosen-count]").textContent = chosen ? `${chosen} selected` : "";
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

function choose(checked) {
  boxes().forEach((box) => (box.checked = checked));
  count();
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-choose-all]")) choose(event.target.checked);
  else if (event.target.matches(".pick")) count();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-choose-none]")) return;
  choose(false);
  document.querySelector("[data-choose-all]").focus();
});
document.addEventListener("htmx:afterSettle", count);
window.addEventListener("pageshow", count);

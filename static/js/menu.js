// Menus are <details>: close on Escape, on a click elsewhere and when another opens; arrows, Home and End move.

const menus = () => document.querySelectorAll("details[data-menu][open]");

function close(menu, focus) {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
}

document.addEventListener("click", (event) => {
  menus().forEach((menu) => menu.contains(event.target) || close(menu));
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu]");
  if (!menu) return;
  if (event.key === "Escape" && menu.open) close(menu, true);
  const to = { ArrowDown: (at) => at + 1, ArrowUp: (at) => at - 1, Home: () => 0, End: () => -1 }[event.key];
  if (!to) return;
  const ends = event.key === "Home" || event.key === "End";
  // Within a text these keys are the caret's.
  if (ends && (!menu.open || event.target.value)) return;
  event.preventDefault();
  menu.open = true;
  const items = [...menu.querySelectorAll(ends ? ".menu-item" : "input, .menu-item")];
  items.at(to(items.indexOf(document.activeElement)) % items.length)?.focus();
});

// An arrow key may be faster than the answer, which then takes the focused item away.
// Else htmx focuses the filter by itself.
document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  if (panel.id === "domain-menu" && document.activeElement === document.body)
    panel.querySelector("input, .menu-item").focus();
});

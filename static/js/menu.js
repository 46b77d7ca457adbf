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
  const to = { ArrowDown: (index) => index + 1, ArrowUp: (index) => index - 1, Home: () => 0, End: () => -1 }[event.key];
  if (!to) return;
  const ends = event.key === "Home" || event.key === "End";
  // In a text field these keys move the caret.
  if (ends && (!menu.open || event.target.value)) return;
  event.preventDefault();
  menu.open = true;
  const items = [...menu.querySelectorAll(ends ? ".menu-item" : "input, .menu-item")];
  items.at(to(items.indexOf(document.activeElement)) % items.length)?.focus();
});

// An arrow key can be faster than the response, which then removes the focused item.
// Otherwise htmx focuses the filter.
document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  if (panel.id === "domain-menu" && document.activeElement === document.body)
    panel.querySelector("input, .menu-item").focus();
});

// Menus are <details>: close on Escape, on a click elsewhere and when another opens; arrows move.

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
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  menu.open = true;
  const items = [...menu.querySelectorAll("input, .menu-item")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = items.indexOf(document.activeElement);
  items[(at + step + items.length) % items.length]?.focus();
});

// An arrow key may be faster than the answer, which then takes the focused item away.
// Else htmx focuses the filter by itself.
document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  if (panel.id === "domain-menu" && document.activeElement === document.body)
    panel.querySelector("input, .menu-item").focus();
});

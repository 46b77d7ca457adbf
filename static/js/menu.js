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

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "domain-menu") event.detail.target.querySelector("[autofocus]")?.focus();
});

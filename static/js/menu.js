// Menus are <details>: close on Escape, on a click elsewhere and when another opens; arrows, Home and End move.
// "/" and Ctrl+K (Cmd+K) open the search of the domain dropdown; Enter in it opens the first result.

const menus = () => document.querySelectorAll("details[data-menu][open]");
const TYPING = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])";
let opensFirst = false;
let isPast = false;

function close(menu, focus) {
  menu.open = false;
  if (focus) menu.querySelector("summary").focus();
}

function openSearch(event) {
  const search = document.querySelector("[data-opens-first] input");
  if (!search || event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  search.closest("details").open = true;
  search.focus();
  search.select();
}

document.addEventListener("click", (event) => {
  menus().forEach((menu) => menu.contains(event.target) || close(menu));
});

// A finger that opens the list needs no keyboard over it.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.matches("[data-menu][open]") && matchMedia("(hover: hover)").matches)
      target.querySelector("[data-opens-first] input")?.focus();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command ? event.key === "k" && !event.shiftKey && !event.altKey : event.key === "/") return openSearch(event);
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

document.addEventListener("submit", (event) => {
  const search = event.target.closest("[data-opens-first]")?.elements.q;
  if (!search) return;
  event.preventDefault();
  opensFirst = Boolean(search.value.trim());
  if (opensFirst) htmx.trigger(search, "find"); // what is listed may answer an earlier text
});

document.addEventListener("input", () => (opensFirst = false));

// An arrow key can be faster than the list: the focus is then past it, or on an entry that is replaced.
document.addEventListener("htmx:beforeSwap", () => {
  isPast = Boolean(document.activeElement.closest("#domain-entries, .menu-end"));
});

document.addEventListener("htmx:afterSwap", ({ detail: { target, requestConfig } }) => {
  if (target.id !== "domain-entries") return;
  const first = target.querySelector(".menu-item");
  // What was asked before Enter can come after it.
  if (opensFirst && requestConfig.triggeringEvent?.type !== "find") return;
  if (opensFirst) first?.click();
  else if (isPast) first?.focus();
  opensFirst = false;
});

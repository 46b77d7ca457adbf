// Short messages at the bottom right. A success disappears automatically, later if it has a button, and not
// while it has the focus or the pointer; an error stays until it is dismissed.

const SECONDS = 6;
const SECONDS_TO_UNDO = 20;
const region = document.getElementById("toasts");
const timers = new WeakMap();

// In tab order they come before the content, where the focus is after an act.
document.getElementById("main")?.prepend(region);

export function toast(text, level = "success") {
  const item = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  item.classList.add(level);
  if (level === "error") item.setAttribute("role", "alert");
  item.querySelector("span:not(.dot)").textContent = text;
  // Beside an open dialog nothing is announced or can be pressed. In it, the next response removes it.
  const dialog = level === "error" && document.querySelector("dialog[open]");
  if (dialog) item.querySelector("[data-dismiss]").remove();
  (dialog || region).append(item);
  if (dialog) replaceEqual(item);
}

function remove(item) {
  const held = item.contains(document.activeElement);
  item.remove();
  if (held) document.getElementById("main")?.focus({ preventScroll: true });
}

// The same message again takes the place of the one before: it is announced again and has its time from now.
// Each offer to undo is about something else.
function replaceEqual(item) {
  const isEqual = (other) => other !== item && other.matches("[data-toast]") && other.textContent === item.textContent;
  const equal = [...item.parentElement.children].find(isEqual);
  if (!equal || item.querySelector("[data-undo]")) return;
  if (equal.contains(document.activeElement)) item.querySelector("[data-dismiss]")?.focus();
  equal.remove();
}

function start(item) {
  if (item.matches(".error, .warning, :hover, :focus-within")) return;
  const seconds = item.querySelector("[data-undo]") ? SECONDS_TO_UNDO : SECONDS;
  clearTimeout(timers.get(item));
  timers.set(item, setTimeout(() => remove(item), seconds * 1000));
}

function tend(item) {
  if (!(item instanceof HTMLElement) || !item.matches("[data-toast]")) return;
  for (const event of ["mouseenter", "focusin"]) item.addEventListener(event, () => clearTimeout(timers.get(item)));
  // Later: between two of its buttons, neither has the focus.
  for (const event of ["mouseleave", "focusout"]) item.addEventListener(event, () => setTimeout(start, 0, item));
  replaceEqual(item);
  start(item);
}

new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(tend))).observe(region, {
  childList: true,
});
region.querySelectorAll("[data-toast]").forEach(tend);

region.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) remove(event.target.closest("[data-toast]"));
});

// An offer to undo ends with its response. One that asks for a confirmation first ends automatically.
document.addEventListener("htmx:beforeSwap", (event) => {
  const offer = event.detail.requestConfig.elt.closest?.("[data-undo]");
  if (offer && event.detail.shouldSwap) remove(offer.closest("[data-toast]"));
});

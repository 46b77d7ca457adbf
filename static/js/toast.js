// Short messages at the bottom right. Good news goes by itself, bad news waits to be read.

const SECONDS = 6;
const region = document.getElementById("toasts");

export function toast(text, level = "success") {
  const item = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  item.classList.add(level);
  if (level === "error") item.setAttribute("role", "alert");
  item.querySelector("span:not(.dot)").textContent = text;
  // Beside an open dialog nothing is read aloud or can be pressed. In it, the next answer takes it away.
  const dialog = level === "error" && document.querySelector("dialog[open]");
  if (dialog) item.querySelector("[data-dismiss]").remove();
  (dialog || region).append(item);
}

function tend(item) {
  if (!(item instanceof HTMLElement) || !item.matches("[data-toast]")) return;
  if (!item.matches(".error, .warning")) setTimeout(() => item.remove(), SECONDS * 1000);
}

new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(tend))).observe(region, {
  childList: true,
});
region.querySelectorAll("[data-toast]").forEach(tend);

region.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest("[data-toast]").remove();
});

// Show Password and Hide Password. A shown password is hidden automatically after a while, and when the user
// leaves the page or puts it in the background.

import { fetchPassword } from "./password.js";

const SECONDS = 30;
const DOTS = "•".repeat(16);
const timers = new WeakMap();

async function show(button) {
  // Not `disabled`, which would lose the keyboard focus.
  if (button.classList.contains("is-busy")) return;
  button.classList.add("is-busy");
  const password = await fetchPassword(button.formAction);
  button.classList.remove("is-busy");
  if (password === null || !button.isConnected || document.hidden) return;
  const code = field(button);
  code.textContent = password;
  code.classList.remove("dots");
  rename(button, "Hide Password");
  button.dataset.shown = "";
  timers.set(button, setTimeout(() => hide(button), SECONDS * 1000));
}

function hide(button) {
  clearTimeout(timers.get(button));
  const code = field(button);
  code.textContent = DOTS;
  code.classList.add("dots");
  rename(button, "Show Password");
  delete button.dataset.shown;
}

function rename(button, words) {
  button.ariaLabel = button.ariaLabel?.replace(button.textContent, words) ?? null;
  button.textContent = words;
}

const field = (button) => button.closest("[data-password]").querySelector("code");
const hideAll = () => document.querySelectorAll("[data-reveal][data-shown]").forEach(hide);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  event.preventDefault();
  if ("shown" in button.dataset) hide(button);
  else show(button);
});
document.addEventListener("visibilitychange", () => document.hidden && hideAll());
window.addEventListener("pagehide", hideAll);

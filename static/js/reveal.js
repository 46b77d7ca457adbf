// Show Password and Hide Password. A shown password is hidden automatically after a while, and when the user
// leaves the page or puts it in the background; a line beside it says so, also to screen readers.

import { fetchPassword } from "./password.js";

const SECONDS = 30;
const DOTS = "•".repeat(16);
const timers = new WeakMap();

async function show(button) {
  // Not `disabled`, which would lose the keyboard focus.
  if (button.classList.contains("is-busy")) return;
  button.classList.add("is-busy");
  say(button, ""); // a live region is announced only if it was there before its text
  const password = await fetchPassword(button.formAction);
  button.classList.remove("is-busy");
  if (password === null || !button.isConnected || document.hidden) return;
  const code = field(button);
  code.textContent = password;
  code.classList.remove("dots");
  rename(button, "Hide Password");
  button.dataset.shown = "";
  say(button, `It's hidden again after ${SECONDS} seconds.`);
  timers.set(button, setTimeout(() => hide(button, `Hidden again after ${SECONDS} seconds.`), SECONDS * 1000));
}

function hide(button, why = "") {
  clearTimeout(timers.get(button));
  const code = field(button);
  code.textContent = DOTS;
  code.classList.add("dots");
  rename(button, why ? "Show again" : "Show Password");
  delete button.dataset.shown;
  say(button, why);
}

function say(button, text) {
  const place = button.closest("[data-password]");
  let line = place.querySelector("[role=status]");
  if (!line) {
    line = document.createElement("span");
    line.className = "muted";
    line.setAttribute("role", "status");
    place.append(line);
  }
  line.textContent = text;
}

function rename(button, words) {
  button.ariaLabel = button.ariaLabel?.replace(button.textContent, words) ?? null;
  button.textContent = words;
}

const field = (button) => button.closest("[data-password]").querySelector("code");
const hideAll = () => document.querySelectorAll("[data-reveal][data-shown]").forEach((button) => hide(button, "Hidden while you were away."));

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  event.preventDefault();
  if ("shown" in button.dataset) hide(button);
  else show(button);
});
document.addEventListener("visibilitychange", () => document.hidden && hideAll());
window.addEventListener("pagehide", hideAll);

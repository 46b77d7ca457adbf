// Copy buttons: data-copy is a text, data-copy-from the id of an element with the text, data-copy-password the
// URL of a password. With both of the latter, the password replaces data-placeholder in the text.

import { write, writeLater } from "./clipboard.js";
import { fetchPassword } from "./password.js";
import { toast } from "./toast.js";

const plainText = ({ copy, copyFrom }) => (copyFrom ? document.getElementById(copyFrom).textContent : copy);

async function secretText({ copyPassword, copyFrom, placeholder }) {
  const password = await fetchPassword(copyPassword);
  if (!copyFrom || password === null) return password;
  return plainText({ copyFrom }).replaceAll(placeholder, password);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-password]");
  if (!button || "busy" in button.dataset) return;
  const secret = "copyPassword" in button.dataset;
  button.dataset.busy = ""; // not `disabled`, which would lose the keyboard focus
  try {
    const copied = secret ? await writeLater(secretText(button.dataset)) : (await write(plainText(button.dataset)), true);
    if (copied) done(button);
  } catch {
    toast("Your browser didn't allow copying. Show the text and copy it manually.", "error");
  }
  delete button.dataset.busy;
});

function said({ copyPassword, copyFrom }) {
  if (!copyPassword) return "Copied.";
  return copyFrom ? "Copied with the password." : "Password copied.";
}

function done(button) {
  toast(said(button.dataset));
  const use = button.querySelector("use");
  use.setAttribute("href", "#i-check");
  button.classList.add("done");
  setTimeout(() => {
    use.setAttribute("href", "#i-copy");
    button.classList.remove("done");
  }, 1600);
}

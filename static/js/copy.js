// Copy icons: data-copy holds a text, data-copy-password the URL that a password is fetched from.

import { fetchPassword } from "./password.js";
import { toast } from "./toast.js";

async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP on another host than localhost has no clipboard API.
  const focused = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused.focus();
  if (!copied) throw new Error("copy refused");
}

async function writePassword(button) {
  const fetched = fetchPassword(button.dataset.copyPassword);
  if (navigator.clipboard && window.ClipboardItem) {
    // Safari takes the text of a later moment only when it is promised within the click.
    const blob = fetched.then((text) => {
      if (text === null) throw new Error("no password");
      return new Blob([text], { type: "text/plain" });
    });
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return true;
    } catch {} // tried once more below
  }
  const text = await fetched;
  if (text !== null) await write(text);
  return text !== null;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-password]");
  if (!button || "busy" in button.dataset) return;
  const secret = "copyPassword" in button.dataset;
  button.dataset.busy = ""; // not `disabled`: that takes the keyboard's focus away
  try {
    const copied = secret ? await writePassword(button) : (await write(button.dataset.copy), true);
    if (copied) done(button, secret ? "Password is copied." : "Copied.");
  } catch {
    toast("The browser did not allow copying. Show the text and copy it by hand.", "error");
  }
  delete button.dataset.busy;
});

function done(button, text) {
  toast(text);
  const use = button.querySelector("use");
  use.setAttribute("href", "#i-check");
  button.classList.add("done");
  setTimeout(() => {
    use.setAttribute("href", "#i-copy");
    button.classList.remove("done");
  }, 1600);
}

// Reports requests of htmx that failed.

import { toast } from "./toast.js";

document.addEventListener("htmx:sendError", () =>
  toast("The server can't be reached. Check your connection and try again.", "error"),
);
document.addEventListener("htmx:timeout", () =>
  toast("The server didn't answer in time. Reload the page to see whether your change was made.", "error"),
);
document.addEventListener("htmx:responseError", (event) => {
  // These have their own text, which is swapped in.
  if ([404, 409, 422].includes(event.detail.xhr.status)) return;
  if (event.detail.xhr.getResponseHeader("X-Confirm-Identity")) return; // see reauthenticate.js
  if (event.detail.xhr.status === 429) return toast("Too many attempts. Wait a few minutes, then try again.", "error");
  // The server gives the reason in a sentence.
  const { status, responseText } = event.detail.xhr;
  const known = status === 503 && event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  toast(known ? responseText : "Something went wrong. Reload the page and try again.", "error");
});

// A 404 without a target is a whole page: the subject of this one no longer exists.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== 404 || event.detail.xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = false;
  location.reload();
});

// A 429 with a text for a question has a target; without one it is a whole page.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status !== 429 || !event.detail.xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

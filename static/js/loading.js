// A thin bar at the top while the server is waited for. CSS shows it after 200 ms, so that fast answers don't flicker.

const LONGEST = 30_000;
const root = document.documentElement;
let pending = 0;

function count(by) {
  pending += by;
  root.classList.toggle("is-loading", pending > 0);
}

// Passes a request's promise through.
export async function loading(promise) {
  count(1);
  try {
    return await promise;
  } finally {
    count(-1);
  }
}

document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
  if (elt.matches("[hx-trigger^=every], [hx-trigger^=load]")) return; // nobody waits for these
  count(1);
  // Not an event of htmx: the element may be gone by then, and its events with it.
  xhr.addEventListener("loadend", () => count(-1));
});

// Links and plain forms. A page that stays (its request was stopped, or became a download) loses the bar again.
const leave = (isLeaving) => root.classList.toggle("is-leaving", isLeaving);
window.addEventListener("beforeunload", () => {
  leave(true);
  setTimeout(leave, LONGEST, false);
});
window.addEventListener("pageshow", () => leave(false));

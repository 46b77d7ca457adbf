// One press of a data-once button is one act: the second click of a double click and a held key do nothing,
// even after the response to the first. A plain form isn't sent again by the same button while the first is under way.

const isRepeat = (event) => (event.type === "click" ? event.detail > 1 : event.repeat);

function stop(event) {
  if (!isRepeat(event) || !event.target.closest?.("[data-once]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

document.addEventListener("click", stop, true);
document.addEventListener("keydown", stop, true);

const SECONDS = 10; // a user who has stopped the page can then try again
const sent = new Set();

// After the handlers of htmx and ours, which send forms themselves.
window.addEventListener("submit", (event) => {
  const button = event.submitter ?? event.target;
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.has(button)) return event.preventDefault();
  sent.add(button);
  setTimeout(() => sent.delete(button), SECONDS * 1000);
});
window.addEventListener("pageshow", () => sent.clear());

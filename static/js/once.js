// One press of a data-once button is one act: the second click of a double click and a held key do nothing,
// even after the response to the first.

const isRepeat = (event) => (event.type === "click" ? event.detail > 1 : event.repeat);

function stop(event) {
  if (!isRepeat(event) || !event.target.closest?.("[data-once]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

document.addEventListener("click", stop, true);
document.addEventListener("keydown", stop, true);

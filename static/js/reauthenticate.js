// The server wants to know that it is still the same person before an act: the question is shown
// in the dialog, and what was asked for is asked for once more after the answer.

const HEADER = "X-Confirm-Identity";
const dialog = document.getElementById("dialog");
let decide = null;

function end(isConfirmed) {
  decide?.(isConfirmed);
  decide = null;
}

// Returns whether an answer wants a confirmation and the person gave it.
export async function confirmed(answer) {
  const url = answer.headers.get(HEADER);
  if (!url) return false;
  end(false);
  const decision = new Promise((resolve) => (decide = resolve));
  htmx.ajax("GET", `${url}?next=/account/confirmed/`, { target: dialog, swap: "innerHTML" });
  return decision;
}

document.addEventListener("identity-confirmed", () => {
  end(true);
  dialog.close();
});
dialog.addEventListener("close", () => end(false));
document.addEventListener("htmx:sendError", () => dialog.open || end(false));

document.addEventListener("htmx:responseError", async ({ detail }) => {
  const { elt, formData, path, verb } = detail.requestConfig;
  const headers = { get: (name) => detail.xhr.getResponseHeader(name) };
  const swap = elt.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
  if (await confirmed({ headers })) htmx.ajax(verb, path, { target: detail.target, swap, values: formData });
});

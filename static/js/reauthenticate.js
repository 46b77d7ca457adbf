// The server wants a confirmation of the sign-in before an act: the question is shown in the dialog, and the
// request is repeated afterwards.

const HEADER = "X-Confirm-Identity";
const dialog = document.getElementById("dialog");
let decide = null;

function end(isConfirmed) {
  decide?.(isConfirmed);
  decide = null;
}

// Returns whether a response asks for a confirmation and the user gave it.
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
for (const failure of ["htmx:sendError", "htmx:timeout"])
  document.addEventListener(failure, () => dialog.open || end(false));

document.addEventListener("htmx:responseError", async ({ detail }) => {
  const { elt, formData, path, verb } = detail.requestConfig;
  const headers = { get: (name) => detail.xhr.getResponseHeader(name) };
  const swap = elt.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
  if (await confirmed({ headers })) htmx.ajax(verb, path, { target: detail.target, swap, values: formData });
});

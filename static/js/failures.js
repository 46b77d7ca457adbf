// What htmx could not do is said, never swallowed.

import { toast } from "./toast.js";

document.addEventListener("htmx:sendError", () =>
  toast("The server can't be reached. Check your connection and try again.", "error"),
);
document.addEventListener("htmx:responseError", (event) => {
  // These come with their own words, which are swapped in.
  if ([404, 409, 422, 429].includes(event.detail.xhr.status)) return;
  toast("That did not work. Reload the page and try again.", "error");
});

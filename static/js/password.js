// Fetches a password when the user asks for it. It is stored nowhere.

import { loading } from "./loading.js";
import { confirmed } from "./reauthenticate.js";
import { toast } from "./toast.js";

// Returns the password, or null after reporting what went wrong.
export async function fetchPassword(url) {
  let answer;
  try {
    const body = new FormData(document.getElementById("acts"));
    const options = { method: "POST", body, headers: { Accept: "text/plain" }, redirect: "manual" };
    options.signal = AbortSignal.timeout(htmx.config.timeout);
    answer = await loading(fetch(url, options));
  } catch {
    toast("The server can't be reached. Check your connection and try again.", "error");
    return null;
  }
  if (answer.ok) return answer.text();
  if (answer.type === "opaqueredirect") {
    // Signed out in the meantime: the sign-in leads to a page that says that nothing was done, and back here.
    location.assign(`/account/nothing-done/?page=${encodeURIComponent(location.pathname + location.search)}`);
    return null;
  }
  if (answer.status === 401) return (await confirmed(answer)) ? fetchPassword(url) : null;
  const known = answer.headers.get("Content-Type")?.startsWith("text/plain");
  toast(known ? await answer.text() : "Something went wrong. Reload the page and try again.", "error");
  if (answer.status === 404 && known) {
    // Deleted elsewhere: show the current list, or the page that reports it.
    if (!document.querySelector("#credentials")) location.reload();
    else htmx.ajax("GET", location.pathname + location.search, { target: "#credentials", swap: "outerHTML" });
  }
  return null;
}

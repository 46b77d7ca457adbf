// Forms with data-passkey: the browser creates a passkey or proves that it has one, and its answer goes into the
// field `credential`. data-options is the server's challenge; without it, the challenge is fetched.

import { loading } from "./loading.js";
import { toast } from "./toast.js";

const OLD = "This browser is too old for passkeys. Use another way.";
const TROUBLES = {
  InvalidStateError: "This device already has a passkey for your account.",
  NotAllowedError: "No passkey was used. Try again, or use another way.",
  SecurityError: "Passkeys need this site's own name in the address, over HTTPS.",
};

async function challenge(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options).publicKey;
  const answer = await loading(fetch(form.action, { headers: { Accept: "application/json" } }));
  return (await answer.json()).request_options.publicKey;
}

async function ask(form) {
  const options = await challenge(form);
  if (form.dataset.passkey === "get") {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return navigator.credentials.get({ publicKey });
  }
  // Signs in without a username: stored on the device and unlocked there by PIN, face or finger.
  const kept = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  options.authenticatorSelection = { ...options.authenticatorSelection, ...kept };
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return navigator.credentials.create({ publicKey });
}

async function answer(form) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return toast(OLD, "error");
  try {
    form.elements.credential.value = JSON.stringify((await ask(form)).toJSON());
  } catch (error) {
    return toast(TROUBLES[error.name] ?? "Something went wrong. Reload the page and try again.", "error");
  }
  if (form.isConnected) form.requestSubmit();
}

// Before htmx, which would submit such a form from within the dialog.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.matches("[data-passkey]") || form.elements.credential.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    answer(form);
  },
  true,
);

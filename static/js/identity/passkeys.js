// Passkeys: making one, and signing in with one. Without script, or at an address without passkeys,
// nothing of this is seen.

const CONDITIONAL = "conditional";

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function listed(found) {
  return (found ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    const value = credential.response[name];
    if (value) response[name] = text(value);
  }
  return JSON.stringify({ id: credential.id, rawId: credential.id, type: credential.type, response });
}

async function asked(form) {
  const csrf = new URLSearchParams({ csrf: form.elements.csrf.value });
  const answer = await fetch(form.dataset.options, { method: "POST", body: csrf });
  if (!answer.ok) throw new Error("refused");
  const options = await answer.json();
  options.challenge = bytes(options.challenge);
  return options;
}

async function make(form) {
  const options = await asked(form);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = listed(options.excludeCredentials);
  return navigator.credentials.create({ publicKey: options });
}

let waiting;

async function use(form, mediation) {
  const options = await asked(form);
  options.allowCredentials = listed(options.allowCredentials);
  waiting?.abort();
  waiting = new AbortController();
  return navigator.credentials.get({ publicKey: options, mediation, signal: waiting.signal });
}

async function go(form, work) {
  const credential = await work;
  if (!credential) return;
  form.elements.credential.value = written(credential);
  form.submit();
}

async function prepare(form) {
  const adds = form.dataset.passkey === "add";
  const said = form.querySelector("[data-said]");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.hidden = true;
    // Somebody who changes their mind is told where they are; nothing has happened.
    go(form, adds ? make(form) : use(form)).catch(() => { said.hidden = false; });
  });
  if (!adds && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    go(form, use(form, CONDITIONAL)).catch(() => {});
  }
}

if (window.PublicKeyCredential && window.isSecureContext) {
  document.querySelectorAll("form[data-passkey]").forEach(prepare);
}

// A code that was scanned is posted, and again while nothing answers. A repetition carries the same
// form, its key among it: nothing is done twice because an answer got lost.

const TRIES = 3;
const PAUSE_MS = 700;
const DEADLINE_MS = 6000;

// The part of the answering page that the selector finds, or null without an answer.
export async function ask(address, body, selector) {
  for (let left = TRIES; left > 0; left -= 1) {
    try {
      const response = await fetch(address, { method: "POST", body, signal: deadline() });
      if (response.status < 500) return await read(response, selector);
    } catch {
      // No connection, or none in time.
    }
    if (left > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return null;
}

export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function read(response, selector) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector(selector);
  // Signed out, over, or the form has expired: the page itself says it best.
  if (!found) window.location.reload();
  return found;
}

function deadline() {
  const control = new AbortController();
  setTimeout(() => control.abort(), DEADLINE_MS);
  return control.signal;
}

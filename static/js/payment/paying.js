// The shopper is back from the provider: ask it, at once and then every three seconds, and show what
// became of the payment. A lost signal is waited for; the reader is not moved while nothing changes.

const PAUSE_MS = 3000;
const form = document.getElementById("payment");
const state = document.querySelector("[data-state]")?.dataset.state;

async function ask() {
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-state]")?.dataset.state;
    if (answer.ok && now !== state) {
      location.replace(answer.url);
      return;
    }
  } catch {
    // No network just now: the next time tells.
  }
  setTimeout(ask, PAUSE_MS);
}

setTimeout(ask, 200);

// While a top-up is being checked: look every three seconds, and show the page anew when it is
// settled. The address stays the same, and the reader is not moved as long as nothing has changed.

const PAUSE_MS = 3000;
const state = document.querySelector("[data-state]")?.dataset.state;

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-state]")?.dataset.state;
    if (answer.ok && now && now !== state) {
      location.reload();
      return;
    }
  } catch {
    // No network just now: the next look tells.
  }
  setTimeout(look, PAUSE_MS);
}

setTimeout(look, PAUSE_MS);

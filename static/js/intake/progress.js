// While a list goes in: its figures every two seconds, and the whole page when it has ended.

const PAUSE_MS = 2000;
const shown = document.querySelector("[data-progress]");

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-progress]");
    if (answer.ok && now) {
      if (now.dataset.state !== shown.dataset.state) {
        location.reload();
        return;
      }
      shown.replaceChildren(...now.childNodes);
    }
  } catch {
    // No network just now: the next look tells.
  }
  setTimeout(look, PAUSE_MS);
}

setTimeout(look, PAUSE_MS);

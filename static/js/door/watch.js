// Looks at an address every other second, and loads the page anew when `changed(answer)` says so.
// Where there is no connection, or nobody looks at the page, it waits.

const EVERY_MS = 2000;
const DEADLINE_MS = 8000;

export function watch(address, changed) {
  const look = async () => {
    try {
      if (!document.hidden) {
        const signal = AbortSignal.timeout(DEADLINE_MS);
        const answer = await fetch(address, { signal, cache: "no-store" });
        // Signed out: the page itself says it best.
        if (answer.status < 500 && (answer.redirected || (await changed(answer)))) {
          window.location.reload();
          return;
        }
      }
    } catch {
      // No connection: the next look may find one.
    }
    setTimeout(look, EVERY_MS);
  };
  setTimeout(look, EVERY_MS);
}

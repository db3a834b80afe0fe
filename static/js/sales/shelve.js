// Has the browser keep a page for when there is no network, with the files that this page is made of:
// the worker at `base`/worker.js answers with `base`/away then. Without a secure connection, or behind
// a certificate that the browser does not trust, nothing is kept.

export async function shelve(base) {
  navigator.storage?.persist?.();
  const { script, wasm } = document.querySelector("[data-scanner]").dataset;
  const seen = performance.getEntriesByType("resource").map(({ name }) => name);
  const files = seen.filter((name) => new URL(name).pathname.startsWith("/static/"));
  try {
    await navigator.serviceWorker.register(`${base}/worker.js`, { scope: base });
    const { active } = await navigator.serviceWorker.ready;
    const shelved = new MessageChannel();
    const done = new Promise((resolve) => shelved.port1.addEventListener("message", resolve));
    shelved.port1.start();
    active.postMessage({ keep: [...new Set([...files, script, wasm])] }, [shelved.port2]);
    await done;
    return true;
  } catch {
    return false;
  }
}

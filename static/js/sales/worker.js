// Stands in for the shop at /desk/till (or /desk/exit: where it lies) while it cannot be reached: that
// page without a network, and the files it is made of. It keeps nothing else and answers for nothing
// else; with a network everything goes through untouched.

const [BASE] = /^.*(?=\/)/.exec(self.location.pathname);
const SHELF = BASE.slice(BASE.lastIndexOf("/") + 1);
const PAGE = `${BASE}/away`;
const PATIENCE_MS = 10000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  event.waitUntil(keep(event.data.keep).finally(() => event.ports[0].postMessage("kept")));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (request.method === "GET" && pathname.startsWith("/static/")) {
    event.respondWith(fetch(request).catch(() => shelved(request)));
  }
});

// A network that is there and does not answer is none, either. What was sent may have arrived; the
// page says so, and the key of the basket keeps it from counting twice.
async function page(request) {
  const patience = new Promise((_, refuse) => {
    setTimeout(refuse, PATIENCE_MS, new Error("no answer"));
  });
  return Promise.race([fetch(request), patience]).catch(() => shelved(PAGE));
}

async function shelved(what) {
  return (await caches.match(what, { ignoreVary: true })) ?? Response.error();
}

// The page and its files as they are now; what an older page needed is thrown away.
async function keep(addresses) {
  const shelf = await caches.open(SHELF);
  const wanted = new Set([PAGE, ...addresses].map((it) => new URL(it, self.location).href));
  for (const address of wanted) {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok || answer.redirected) return; // Not signed in, or gone again: as it was.
    await shelf.put(address, answer);
  }
  for (const { url } of await shelf.keys()) if (!wanted.has(url)) await shelf.delete(url);
}

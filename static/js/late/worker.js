// Stands in for the shop at /desk while it cannot be reached: the pages of goods, labels and tasks as
// they were last seen, and the files that they are made of. With a network everything goes through.
// Where the browser can wake it (Background Sync), it also tells what is kept.

importScripts("/static/js/late/kept.js");

const PAGES = "desk-pages";
const FILES = "desk-files";
const KEPT = "/desk/kept";
const WHOSE = "/desk/kept/whose";
// Pages without a shopper's name, to be read without a network.
const READABLE = /^\/desk(\/(kept|stock|counts|deliveries|transfers|purchases|quarantine|tasks|waiting|walks|anything|labels)(\/|$)|$)/;
const PATIENCE_MS = 8000;
const FRESH_MS = 10 * 60 * 1000;
const OLDEST_MS = 24 * 60 * 60 * 1000;
const MOST = { [PAGES]: 60, [FILES]: 200 };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("sync", (event) => {
  if (event.tag === "desk-kept") event.waitUntil(self.Kept.tell());
});
self.addEventListener("message", (event) => {
  event.waitUntil(takeAlong(event.data).finally(() => event.ports[0]?.postMessage("kept")));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(request.method === "GET" ? page(event, pathname) : posted(request));
  } else if (request.method === "GET" && pathname.startsWith("/static/")) {
    event.respondWith(file(request, search.startsWith("?v=")));
  }
});

async function page(event, pathname) {
  const { request } = event;
  const known = READABLE.test(pathname) ? await shelved(request.url) : null;
  try {
    const answer = await (known ? Promise.race([fetch(request), patience()]) : fetch(request));
    if (READABLE.test(pathname)) event.waitUntil(shelve(request.url, answer.clone()));
    if (answer.type === "opaqueredirect" || answer.status === 403) event.waitUntil(self.Kept.start());
    return known && [502, 503, 504].includes(answer.status) ? shown(known) : answer;
  } catch {
    return shown(known ?? (await shelved(KEPT)));
  }
}

// What was sent by hand and is not kept: the page says so, instead of the browser's own.
async function posted(request) {
  return fetch(request).catch(async () => shown(await shelved(KEPT), true));
}

function patience() {
  return new Promise((_, refuse) => {
    setTimeout(refuse, PATIENCE_MS, new Error("no answer"));
  });
}

async function shelved(address) {
  const known = await (await caches.open(PAGES)).match(address, { ignoreVary: true });
  const at = Number(known?.headers.get("X-Kept-At"));
  return at && Date.now() - at < OLDEST_MS ? known : null;
}

async function shown(known, unsent = false) {
  if (!known) return Response.error();
  const at = known.headers.get("X-Kept-At");
  const text = await known.text();
  return new Response(
    text.replace('data-as-of=""', `data-as-of="${at}"${unsent ? ' data-unsent="yes"' : ""}`),
    { headers: known.headers },
  );
}

async function shelve(address, answer) {
  const isPage = answer.headers.get("Content-Type")?.startsWith("text/html");
  if (!answer.ok || answer.redirected || !isPage) return;
  const headers = new Headers({ "Content-Type": "text/html; charset=utf-8", "X-Kept-At": Date.now() });
  headers.set("Content-Security-Policy", answer.headers.get("Content-Security-Policy"));
  const kept = new Response(await answer.text(), { headers });
  await put(PAGES, address, kept);
}

async function file(request, forEver) {
  const known = await (await caches.open(FILES)).match(request, { ignoreVary: true });
  if (known && forEver) return known;
  try {
    const answer = await fetch(request);
    if (answer.ok) await put(FILES, request.url, answer.clone());
    return answer;
  } catch {
    return known ?? (await caches.match(request, { ignoreVary: true })) ?? Response.error();
  }
}

// The newest are last; what an older version of the shop needed goes first.
async function put(name, address, answer) {
  const shelf = await caches.open(name);
  await shelf.delete(address);
  await shelf.put(address, answer);
  const keys = await shelf.keys();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST[name]))) await shelf.delete(key);
}

// The page that is open, the page of what is kept, and their files. Another person's pages go.
async function takeAlong({ person, address, files }) {
  const pages = await caches.open(PAGES);
  const whose = await (await pages.match(WHOSE))?.text();
  if (whose !== person) {
    await caches.delete(PAGES);
    await put(PAGES, WHOSE, new Response(person));
  }
  const wanted = [new URL(KEPT, self.location).href];
  if (READABLE.test(new URL(address).pathname)) wanted.push(address);
  for (const each of wanted) {
    const at = Number((await shelved(each))?.headers.get("X-Kept-At"));
    if (!at || Date.now() - at > FRESH_MS) await shelve(each, await fetch(each)).catch(() => {});
  }
  const shelf = await caches.open(FILES);
  for (const each of files) {
    if (!(await shelf.match(each))) {
      const answer = await fetch(each).catch(() => null);
      if (answer?.ok) await put(FILES, each, answer);
    }
  }
}

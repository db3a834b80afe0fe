// What this device keeps of the desk: acts that were done while the shop could not be reached, each in
// the name of who did it, until the shop has answered for it or a person has dropped it.
//
// A script of the old kind, so that the page and the worker (worker.js) can both use it: all of it is
// in `Kept`. It lies in IndexedDB, one record for each act, told in the order in which they were done.
// An act that the shop refuses waits for a person; what follows on the same thing waits behind it.

self.Kept = (() => {
  const DEADLINE_MS = 20000;
  const TRIES = 3; // So often the shop may fail at an act before a person is asked.
  const AWAY = [408, 425, 429, 502, 503, 504];

  let opened = null;

  function database() {
    opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open("desk", 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("acts", { keyPath: "number", autoIncrement: true });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return opened;
  }

  // One transaction: resolved when it is on the disk and not before.
  async function within(mode, work) {
    const transaction = (await database()).transaction("acts", mode, { durability: "strict" });
    const request = work(transaction.objectStore("acts"));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  const all = () => within("readonly", (store) => store.getAll());
  const put = (act) => within("readwrite", (store) => store.put(act));
  const drop = (number) => within("readwrite", (store) => store.delete(number));

  function freshKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Whether the shop is there, and who is signed in: { person, csrf } or { trouble }.
  async function start() {
    try {
      const answer = await fetch("/desk/kept/start", {
        cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(DEADLINE_MS),
      });
      if (answer.ok) return await answer.json();
      const out = answer.type === "opaqueredirect" || answer.status === 403;
      if (out) await self.caches?.delete("desk-pages"); // The session was ended from elsewhere.
      return { trouble: out ? "signIn" : "noShop" };
    } catch {
      return { trouble: "noShop" };
    }
  }

  function body(act, csrf, ask, now = Date.now()) {
    const made = new URLSearchParams();
    for (const [name, value] of act.fields) if (name !== "csrf") made.append(name, value);
    made.append("csrf", csrf);
    made.append("late_key", act.key);
    made.append("late_person", act.person);
    made.append("late_ask", ask);
    if (ask === "later") {
      made.append("late_at", act.at);
      made.append("late_now", now);
    }
    return made;
  }

  // What came of one act: { done, said }, { why } for a person, or { trouble } for another time.
  async function send(act, csrf) {
    let answer;
    let text;
    try {
      answer = await fetch(act.action, {
        method: "POST", body: body(act, csrf, "later"), redirect: "manual",
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      text = await answer.text();
    } catch {
      return { trouble: "noShop" };
    }
    if (answer.type === "opaqueredirect") return { trouble: "signIn" };
    if (AWAY.includes(answer.status)) return { trouble: "noShop" };
    if (answer.status >= 500) return (act.tries ?? 0) + 1 < TRIES ? { trouble: "failed" } : { why: { page: text } };
    if (answer.status >= 400) {
      return text.includes(">form_expired<") ? { trouble: "noShop" } : { why: { page: text } };
    }
    try {
      const { outcome, said, next } = JSON.parse(text);
      if (outcome !== "undone") return { done: true, said: said.map(([, words]) => words) };
      return { why: { said: said.map(([, words]) => words), next } };
    } catch {
      return { why: { page: text } };
    }
  }

  // Tell the shop all that can be told. Any number of tabs may: each act has a key.
  async function tellAll() {
    const told = { done: 0, said: [], refused: 0, trouble: "" };
    const { person, csrf, trouble } = await start();
    if (trouble) return { ...told, trouble };
    const blocked = new Set();
    for (const act of await all()) {
      if (act.person !== person) continue;
      if (act.why || (act.thing && blocked.has(act.thing))) {
        blocked.add(act.thing);
        continue;
      }
      const came = await send(act, csrf);
      if (came.done) {
        await drop(act.number);
        told.done += 1;
        told.said.push(...came.said.map((words) => `${act.what}: ${words}`));
      } else if (came.why) {
        await put({ ...act, why: came.why });
        blocked.add(act.thing);
        told.refused += 1;
      } else {
        if (came.trouble === "failed") await put({ ...act, tries: (act.tries ?? 0) + 1 });
        return { ...told, trouble: came.trouble };
      }
    }
    return told;
  }

  // One at a time on this device, where the browser can see to it; where not, the keys do.
  function tell() {
    if (!navigator.locks) return tellAll();
    return navigator.locks.request("desk-kept", tellAll);
  }

  return { all, body, drop, freshKey, put, start, tell };
})();

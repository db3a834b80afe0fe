// What an exit keeps in the browser (IndexedDB): what it took along, which sales left, and the checks
// that it made without a network until the shop has said that each of them is booked.

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("exit", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("kept");
      request.result.createObjectStore("left", { keyPath: "sale" });
      request.result.createObjectStore("checks", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

// One transaction: resolved when it is on the disk and not before.
async function within(stores, mode, work) {
  const transaction = (await database()).transaction(stores, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  const request = work((name) => transaction.objectStore(name));
  await done;
  return request?.result;
}

export const kept = (name) => within("kept", "readonly", (store) => store("kept").get(name));
export const keep = (name, value) => within("kept", "readwrite", (store) => store("kept").put(value, name));

export const leftAt = (sale) => within("left", "readonly", (store) => store("left").get(sale));
export const checks = () => within("checks", "readonly", (store) => store("checks").getAll());
export const put = (check) => within("checks", "readwrite", (store) => store("checks").put(check));
export const remove = (id) => within("checks", "readwrite", (store) => store("checks").delete(id));

// A bag leaves: its sale and its check in one transaction. False where it has left already, by
// whichever tab of this browser.
export async function leave(check) {
  try {
    await within(["left", "checks"], "readwrite", (store) => {
      store("left").add({ sale: check.sale, at: check.at });
      return store("checks").put(check);
    });
    return true;
  } catch (error) {
    if (error?.name === "ConstraintError") return false;
    throw error;
  }
}

// What the shop knows by now, or what is too old to leave again, need not be kept.
export function forgetBefore(at) {
  return within("left", "readwrite", (store) => {
    const all = store("left").openCursor();
    all.onsuccess = () => {
      if (!all.result) return;
      if (all.result.value.at < at) all.result.delete();
      all.result.continue();
    };
    return all;
  });
}

export async function scanner() {
  const known = await kept("scanner");
  if (known) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  await keep("scanner", name);
  return name;
}

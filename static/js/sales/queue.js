// What a till keeps in the browser: the goods as they were last seen, the basket that was open, and
// the sales that were made without a network until the shop has said that each of them is booked.
//
// It lies in IndexedDB, one record for each sale: two tabs never write over each other, and it is
// there again after the browser was closed. A sale leaves only when the shop answered for it, or
// when a person said that it is settled by hand.

const AT_ONCE = 20; // As many as the shop takes in one request (store/sales/till/away.py).
const DEADLINE_MS = 20000;

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("till", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("sales", { keyPath: "id" });
      request.result.createObjectStore("kept");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

// One transaction: resolved when it is on the disk and not before.
async function within(store, mode, work) {
  const transaction = (await database()).transaction(store, mode, { durability: "strict" });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

export const kept = (name) => within("kept", "readonly", (store) => store.get(name));
export const keep = (name, value) => within("kept", "readwrite", (store) => store.put(value, name));
export const forget = (name) => within("kept", "readwrite", (store) => store.delete(name));

export const put = (sale) => within("sales", "readwrite", (store) => store.put(sale));
export const remove = (id) => within("sales", "readwrite", (store) => store.delete(id));

// All sales, the oldest first.
export async function sales() {
  const found = await within("sales", "readonly", (store) => store.getAll());
  return found.sort((one, other) => one.at.localeCompare(other.at));
}

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Tell the shop what waits. Answers how many were booked, of how many pieces the book had too few,
// and what went wrong: "" , "sign_in" or "failed". Any number of tabs may tell the same sales: each
// has an id, and the shop books it once.
export async function tell(csrf) {
  const said = { booked: 0, lacking: 0, trouble: "" };
  const waiting = (await sales()).filter((sale) => !sale.why);
  for (let at = 0; at < waiting.length && !said.trouble; at += AT_ONCE) {
    said.trouble = await tellSome(csrf, waiting.slice(at, at + AT_ONCE), said);
  }
  return said;
}

async function tellSome(csrf, some, said) {
  let outcomes;
  try {
    const body = new URLSearchParams({ csrf, sales: JSON.stringify(some.map(told)) });
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const answer = await fetch("/desk/till/away", { method: "POST", body, signal });
    if (answer.redirected || answer.status === 403) return "sign_in";
    if (!answer.ok) return "failed";
    ({ outcomes } = await answer.json());
  } catch {
    return "failed";
  }
  for (const [at, sale] of some.entries()) {
    const { outcome, why, lacking } = outcomes[at];
    if (outcome === "refused") await put({ ...sale, why });
    else await remove(sale.id);
    said.booked += outcome !== "refused";
    said.lacking += lacking ?? 0;
  }
  return "";
}

// A sale as the shop reads it; the rest of the record is for the receipt.
function told({ id, at, ticket, means, lines, basket, member, empties, off, age }) {
  const goods = lines.map(({ code, quantity, unit, deposit, batch }) => (
    { item: code, quantity, unit, deposit, ...(batch ? { batch } : {}) }));
  const came = (empties ?? []).map(({ kind, quantity }) => ({ kind, quantity }));
  return {
    id, at, ticket, means, lines: goods, ...(came.length ? { empties: came, off } : {}),
    ...(basket ? { basket, member } : {}), ...(age ? { age } : {}),
  };
}

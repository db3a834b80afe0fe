// The till: a camera that comes back after each scan, the change as it is typed, the receipt on
// paper; and going on when the network does not. All but the last is done by forms without it, too.

import { listen } from "../scan/listen.js";
import { OfflineTill } from "./offline.js";
import { forget, keep, kept, sales } from "./queue.js";
import { shelve } from "./shelve.js";
import { waiting } from "./waiting.js";

const GOODS_FOR_MS = 15 * 60 * 1000;
const PATIENCE_MS = 5000;

const online = document.querySelector("[data-online]");
const listening = document.querySelector("[data-listen]");
if (listening) listen({ kept: "till-camera" });

const given = document.querySelector("[data-given]");
if (given) {
  const change = document.querySelector("[data-change]");
  const { total, decimals } = given.dataset;
  given.addEventListener("input", () => {
    const typed = /^[0-9]+([.,][0-9]*)?$/.test(given.value) ? given.value.replace(",", ".") : "";
    const left = Math.round(Number(typed) * 10 ** decimals) - Number(total);
    change.hidden = !typed || left < 0;
    change.querySelector("b").textContent = (left / 10 ** decimals).toFixed(Number(decimals));
  });
}

// A second tap on the tender is the same sale; the button says that it is on its way.
const tender = document.querySelector("[data-tender]");
tender?.addEventListener("submit", () => tender.setAttribute("aria-busy", "true"));

const printer = document.querySelector("[data-print]");
if (printer) {
  printer.hidden = false;
  printer.addEventListener("click", () => window.print());
}

if (document.querySelector("[data-offline]")) goOnWithoutNetwork();
else forget("basket"); // The receipt: what was open is paid.

async function goOnWithoutNetwork() {
  const { lang } = document.documentElement;
  const till = new OfflineTill({ language: lang.slice(0, 2), onKept: () => queue.draw().then(tryToTell) });
  const queue = waiting({
    csrf: () => document.querySelector("[name=csrf]").value,
    show: (minor) => till.show(minor),
    receipt: (sale) => till.slip.show(sale),
    after: () => till.isBack(true),
  });
  let away = !online;

  async function goAway() {
    till.isBack(false);
    if (till.form) return;
    away = true;
    if (online) online.hidden = true;
    await till.open();
  }
  async function tryToTell() {
    if (navigator.onLine && (await sales()).some((sale) => !sale.why)) await queue.send();
    else if (away && navigator.onLine) till.isBack(await reached());
  }

  window.addEventListener("online", tryToTell);
  window.addEventListener("offline", goAway);
  listening.addEventListener("submit", (event) => {
    if (!away) return;
    event.preventDefault();
    till.add(listening.elements.code.value);
  });
  if (!online || !navigator.onLine) await goAway();
  else {
    await keep("basket", JSON.parse(online.dataset.basket));
    await forget("offline-basket");
    askBeforehand(goAway, () => away);
  }
  await queue.draw();
  await tryToTell();
  if (online && navigator.onLine) await takeAlong();
}

// What is needed later is fetched while there is a network: the goods, and the page itself.
async function takeAlong() {
  if (Date.now() - ((await kept("goods"))?.at ?? 0) > GOODS_FOR_MS) {
    const answer = await fetch("/desk/till/goods").catch(() => null);
    if (answer?.ok && !answer.redirected) await keep("goods", { at: Date.now(), ...(await answer.json()) });
  }
  // Where it cannot be kept, the till goes on while this tab is open, and what was sold is told when
  // it is opened again.
  await shelve("/desk/till");
  document.documentElement.toggleAttribute("data-taken-along", true);
}

// Without a worker a form that is sent into no network ends on the browser's own page. It is asked
// beforehand whether the shop is there.
function askBeforehand(goAway, isAway) {
  document.querySelectorAll("[data-online] form").forEach((form) => {
    form.addEventListener("submit", async (event) => {
      if (isAway() || navigator.serviceWorker?.controller || form.dataset.asked) return;
      event.preventDefault();
      const { submitter } = event;
      const text = form.elements.code?.value;
      if (await reached()) {
        form.dataset.asked = "yes";
        form.requestSubmit(submitter);
      } else {
        form.removeAttribute("aria-busy");
        await goAway();
        if (form === listening) form.requestSubmit();
        else if (text) listening.elements.code.value = text;
      }
    });
  });
}

async function reached() {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return (await fetch("/healthz", { cache: "no-store", signal })).ok;
  } catch {
    return false;
  }
}

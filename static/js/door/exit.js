// The check at the exit: a pass that is scanned, by the camera or by a hand scanner that types, is
// posted at once, and the answer takes the place of the one before.
//
// Without an answer this device checks by itself for as long as the shop allows it (away.js), and tells
// the shop later. Where it cannot, nobody is let through: the page says "not checked".

import { ask, freshKey } from "../scan/asking.js";
import { byHand, handScanner } from "../scan/keys.js";
import { Scanner } from "../scan/scanner.js";
import { sound } from "../scan/sound.js";
import { shelve } from "../sales/shelve.js";
import { Away } from "./away.js";

const SALE = /(?<![0-9A-Z])([0-9A-Z]{20})\.\d+\.[0-9A-Z]{16}/;
// The phone that was just checked stays in sight for a while, and its code goes on changing.
const STILL_THERE_MS = 1500;
const PAST_MS = 20000;
const KIT_EVERY_MS = 60000;
const BACK_EVERY_MS = 5000;

const door = document.querySelector("[data-door]");
const form = door.querySelector("[data-check]");
const field = form.elements.code;
const verdict = door.querySelector("[data-verdict]");
const announcer = door.querySelector("[data-announce]");

let busy = false;
let waiting = null;
let past = 0;
const seen = new Map();

const scanner = new Scanner(door.querySelector("[data-scanner]"), {
  only: ["qr_code"],
  onFound(text) {
    const what = SALE.exec(text.toUpperCase())?.[1] ?? text;
    const now = performance.now();
    const stillThere = now - (seen.get(what) ?? -Infinity) < STILL_THERE_MS;
    seen.set(what, now);
    if (!stillThere && !busy) check(text);
  },
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  field.value = "";
  if (text) check(text);
});

verdict.addEventListener("click", (event) => {
  const button = event.target.closest("[data-again], [data-right], [data-age]");
  button?.again?.();
});

const away = new Away();
let isAway = false;
let telling = false;
let returning = 0;
start();

handScanner(field);
if (byHand) field.focus({ preventScroll: true });
if (!verdict.dataset.verdict) scanner.start();
else settle();

async function check(text, key = freshKey()) {
  if (busy) {
    waiting = text;
    return;
  }
  busy = true;
  show("waiting");
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, key, code: text });
  const page = isAway || !navigator.onLine ? null : await ask(form.action, body, "[data-verdict]");
  if (page) answer(page);
  else await checkHere(text, key);
  busy = false;
  if (byHand) field.focus({ preventScroll: true });
  if (waiting) {
    const next = waiting;
    waiting = null;
    check(next);
  }
}

// No answer: by what was taken along, if the shop allows it.
async function checkHere(text, key) {
  await goAway();
  if (away.closed) {
    show(away.closed === "none" ? "unanswered" : `away-${away.closed}`).again = () => check(text, key);
    return;
  }
  try {
    tell(await away.check(text, key));
  } catch {
    show("unanswered").again = () => check(text, key); // The browser keeps nothing: nobody leaves.
  }
}

function tell(found) {
  show(`away-${found.name}`);
  const { pass, at, rule, age, born } = found;
  const words = door.dataset;
  const pieces = pass?.pieces === 1 ? words.piece : words.pieces.replace("#", pass?.pieces);
  fill("pieces", pieces);
  fill("total", pass?.said ? amount(pass.total) : "");
  fill("age", age ?? "");
  fill("born", born ?? "");
  fill("at", at ? new Date(at).toLocaleTimeString(document.documentElement.lang) : "");
  fill("why", rule ? words[`why${rule[0].toUpperCase()}${rule.slice(1)}`] : "");
  for (const button of verdict.querySelectorAll("[data-right]")) {
    button.again = async () => tell(await away.looked(found, button.dataset.right === "yes"));
  }
  for (const button of verdict.querySelectorAll("[data-age]")) {
    button.again = async () => tell(await away.aged(found, button.dataset.age));
  }
  settle();
  sound(verdict.querySelector("[data-tone]")?.dataset.tone);
  drawAway();
}

function fill(name, text) {
  for (const part of verdict.querySelectorAll(`[data-fill="${name}"]`)) part.textContent = text;
  const say = verdict.querySelector("[data-say]");
  if (say) say.dataset.say = say.dataset.say.replace(`{${name}}`, text);
}

// Minor units as the shop writes them: its own zero tells where sign and decimals stand.
function amount(minor) {
  const { zero, decimals } = door.dataset;
  const digits = { minimumFractionDigits: +decimals, maximumFractionDigits: +decimals };
  const number = (minor / 10 ** decimals).toLocaleString(document.documentElement.lang, digits);
  return zero.replace(/0([.,]0+)?/, () => number);
}

async function goAway() {
  if (isAway) return;
  isAway = true;
  await away.open().catch(() => {});
  await drawAway();
  setTimeout(comeBack, BACK_EVERY_MS);
}

async function comeBack() {
  if (!isAway) return;
  clearTimeout(returning);
  if (await away.refresh()) {
    isAway = false;
    await tellShop();
  } else returning = setTimeout(comeBack, BACK_EVERY_MS);
}

// What waits is told; the page says how many were booked.
async function tellShop() {
  if (telling) return;
  telling = true;
  const { booked, flagged, trouble } = await away.tell(form.elements.csrf.value);
  telling = false;
  const words = door.dataset;
  const said = booked === 1 ? words.bookedOne : words.booked.replace("#", booked);
  const note = door.querySelector("[data-away-booked]");
  if (booked) note.firstElementChild.textContent = said;
  if (booked) note.hidden = false;
  if (flagged) door.querySelector("[data-away-flagged]").hidden = false;
  await drawAway(trouble);
}

async function drawAway(trouble = "") {
  const words = door.dataset;
  const waits = (await away.waiting().catch(() => [])).length;
  const note = door.querySelector("[data-away]");
  note.hidden = !isAway && !waits;
  const part = (name) => note.querySelector(`[data-away-${name}]`);
  const until = away.kit?.key && !away.closed
    ? new Date(away.kit.until).toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" }) : "";
  part("gone").hidden = !isAway;
  part("until").textContent = until ? words.until.replace("#", until) : words.cannot;
  part("waits").textContent = waits === 1 ? words.waitsOne : words.waits.replace("#", waits);
  part("waits").hidden = !waits;
  part("trouble").hidden = trouble !== "sign_in";
}

function answer(found) {
  verdict.dataset.verdict = found.dataset.verdict;
  verdict.replaceChildren(...found.childNodes);
  settle();
  window.scrollTo({ top: 0 });
  sound(verdict.querySelector("[data-tone]")?.dataset.tone);
}

function show(name) {
  const part = door.querySelector(`template[data-part="${name}"]`).content.cloneNode(true);
  verdict.dataset.verdict = name;
  verdict.replaceChildren(part);
  settle();
  if (name === "unanswered") sound("bad");
  return verdict.querySelector("[data-again]") ?? {};
}

// An answer is for one shopper: after a while it steps back, so that it is not taken for the next.
function settle() {
  const say = verdict.querySelector("[data-say]");
  announcer.textContent = say ? say.dataset.say : "";
  verdict.classList.remove("past");
  clearTimeout(past);
  if (verdict.querySelector("[data-tone]")) {
    past = setTimeout(() => verdict.classList.add("past"), PAST_MS);
  }
}

async function start() {
  window.addEventListener("offline", goAway);
  window.addEventListener("online", comeBack);
  if (door.dataset.door === "away" || !navigator.onLine) return goAway();
  await away.open().catch(() => {});
  if (!(await away.refresh())) return goAway();
  setInterval(async () => {
    if (!isAway && !(await away.refresh())) await goAway();
  }, KIT_EVERY_MS);
  await tellShop();
  if (away.kit?.key) await shelve("/desk/exit");
  return document.documentElement.toggleAttribute("data-taken-along", true);
}

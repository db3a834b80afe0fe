// The check at the exit: a pass that is scanned, by the camera or by a hand scanner that types, is
// posted at once, and the answer takes the place of the one before.
//
// Nobody is let through by a lost connection: without an answer the page says "not checked".

import { ask, freshKey } from "../scan/asking.js";
import { byHand, handScanner } from "../scan/keys.js";
import { Scanner } from "../scan/scanner.js";
import { sound } from "../scan/sound.js";

const SALE = /(?<![0-9A-Z])([0-9A-Z]{20})\.\d+\.[0-9A-Z]{16}/;
// The phone that was just checked stays in sight for a while, and its code goes on changing.
const STILL_THERE_MS = 1500;
const PAST_MS = 20000;

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
  const again = event.target.closest("[data-again]");
  if (again) again.again();
});

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
  const page = await ask(form.action, body, "[data-verdict]");
  busy = false;
  if (page) answer(page);
  else show("unanswered").again = () => check(text, key);
  if (byHand) field.focus({ preventScroll: true });
  if (waiting) {
    const next = waiting;
    waiting = null;
    check(next);
  }
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

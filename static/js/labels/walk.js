// Walking along the shelves: a label that is scanned, by the camera or by a hand scanner that types,
// is posted at once, and the answer takes the place of the one before. The camera goes on looking.
//
// Without an answer the scan is kept on this device and told later; where that cannot be, the page says
// "not checked", and asking again carries the same key, so that nothing is written down twice.

import { ask, freshKey } from "../scan/asking.js";
import { byHand, handScanner } from "../scan/keys.js";
import { Scanner } from "../scan/scanner.js";
import { sound } from "../scan/sound.js";

const STILL_THERE_MS = 2500;

const walk = document.querySelector("[data-walk]");
const form = walk.querySelector("[data-check]");
const field = form.elements.code;
const answer = walk.querySelector("[data-verdict]");
const announcer = walk.querySelector("[data-announce]");

let busy = false;
let waiting = null;
const seen = new Map();

const scanner = new Scanner(walk.querySelector("[data-scanner]"), {
  onFound(text) {
    // A label stays in sight for a while after it was read.
    const now = performance.now();
    const stillThere = now - (seen.get(text) ?? -Infinity) < STILL_THERE_MS;
    seen.set(text, now);
    if (!stillThere && !busy) check(text);
  },
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  field.value = "";
  if (text) check(text);
});

answer.addEventListener("click", (event) => {
  event.target.closest("[data-again]")?.again();
});

handScanner(field);
scanner.start();
tell();

async function check(text, body = asked(text)) {
  if (busy) {
    waiting = text;
    return;
  }
  busy = true;
  const before = [...answer.childNodes];
  show("waiting");
  const page = await ask(form.action, body, "[data-walk] [data-verdict]");
  busy = false;
  if (page) take(page);
  else if (await keep(text, body)) show("kept", before);
  else show("unanswered", before).again = () => check(text, body);
  if (byHand) field.focus({ preventScroll: true });
  if (waiting) {
    const next = waiting;
    waiting = null;
    check(next);
  }
}

// The form as it stands, the shelf of the last answer among it.
function asked(text) {
  const body = new URLSearchParams(new FormData(form));
  body.set("code", text);
  body.set("key", freshKey());
  return body;
}

// As the forms of the desk do (static/js/late/).
async function keep(text, body) {
  const { person } = document.querySelector("[data-late]")?.dataset ?? {};
  const { keep: endpoint, keepWhat: what, keepThing: thing } = form.dataset;
  if (!person || !endpoint) return false;
  const act = {
    key: self.Kept.freshKey(), person, at: Date.now(), endpoint, what, thing, fields: [...body],
    words: [["", text]], action: form.action, page: window.location.href,
  };
  try {
    await self.Kept.put(act);
  } catch {
    return false;
  }
  document.dispatchEvent(new CustomEvent("kept", { detail: act }));
  return true;
}

function take(found) {
  answer.dataset.verdict = found.dataset.verdict;
  answer.replaceChildren(...found.childNodes);
  if (form.elements.shelf.value) walk.querySelector("[data-first]")?.remove();
  tell();
  window.scrollTo({ top: 0 });
  sound(answer.querySelector("[data-tone]")?.dataset.tone);
}

// What is below the answer (the shelf) stays as it is until there is another one.
function show(name, kept = [...answer.childNodes]) {
  const part = walk.querySelector(`template[data-part="${name}"]`).content.cloneNode(true);
  const rest = kept.filter((node) => !node.classList?.contains("verdict"));
  answer.dataset.verdict = name;
  answer.replaceChildren(part, ...rest);
  tell();
  if (name === "unanswered") sound("bad");
  return answer.querySelector("[data-again]") ?? {};
}

function tell() {
  announcer.textContent = answer.querySelector("[data-say]")?.dataset.say ?? "";
}

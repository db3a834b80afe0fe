// The desk on a bad connection: a form that may be kept is sent, and where no answer comes it is kept
// on this device and told later, once. A calm line says how many wait. Without this script every form
// is a form like any other.

import { draw, moment, words } from "./list.js";

const PATIENCE_MS = 8000;
const EVERY_MS = 15000;
const SPOKEN_MS = 6000;

const { Kept } = self;
const root = document.querySelector("[data-late]");
const announcer = root.querySelector("[data-late-announce]");
const { person } = root.dataset;
// These have ways of their own without a network.
const ownWay = document.querySelector("[data-offline], [data-door]");

document.addEventListener("submit", (event) => {
  const form = event.target;
  // A scan of a walk is asked for and kept by its own script (labels/walk.js).
  if (event.defaultPrevented || form.method !== "post" || "check" in form.dataset) return;
  if (form.dataset.keep && !form.dataset.byHand) hand(event, form);
  else if (!ownWay && !navigator.onLine) {
    event.preventDefault();
    say("needsAnswer");
  } else if (form.action.endsWith("/sign-out")) self.caches?.delete("desk-pages");
});
document.addEventListener("kept", ({ detail }) => draw().then(() => announce("lateNow", detail)));
window.addEventListener("online", tell);
document.addEventListener("visibilitychange", () => document.hidden || tell());
root.querySelector("[data-late-send]").addEventListener("click", () => tell({ asked: true }));

let line = Promise.resolve();
let refused = null;
let next = "";
const going = [];
begin();

async function begin() {
  const { asOf, unsent } = document.body.dataset;
  if (asOf) {
    const note = root.querySelector("[data-late-as-of]");
    note.textContent = root.dataset.asOf.replace("#", moment(Number(asOf), { timeStyle: "short" }));
    note.parentElement.hidden = false;
    document.querySelector(".messages")?.remove(); // It was told then.
  }
  if (unsent) say("needsAnswer");
  await draw();
  await tell();
  setInterval(tell, EVERY_MS);
  await takeAlong();
}

// Sent at once, one after another; what does not arrive is kept. A refusal is shown by the page that
// tells it: the same form, by hand, under the same key. The page goes on when all are through: a hand
// scanner may be faster than the shop answers.
function hand(event, form) {
  const { submitter } = event;
  event.preventDefault();
  const listens = "listen" in form.dataset;
  if (form.ariaBusy === "true" && !listens) return; // A second tap.
  form.ariaBusy = "true";
  // A form's own key is for one act, and on some pages two forms have the same.
  if (form.elements.key) form.elements.key.value = Kept.freshKey();
  const one = { act: read(form, submitter), form, submitter };
  if (listens) form.elements.code.value = "";
  going.push(one);
  line = line.then(() => send(one)).catch(() => byHandLater(one)).finally(() => {
    going.splice(going.indexOf(one), 1);
    form.ariaBusy = going.some((other) => other.form === form) ? "true" : null;
    goOn();
  });
}

async function send(one) {
  const { act, form } = one;
  if ((await mine()).length) await tell();
  const waits = (await mine()).some(({ why, thing }) => !why || thing === act.thing);
  const answer = waits || !navigator.onLine ? null : await ask(act, form);
  if (answer?.outcome) next = answer.next ?? window.location.href;
  else if (answer && refused) await Kept.put({ ...act, why: answer });
  else if (answer) refused = one;
  else await keep(one);
}

function goOn(left = 20) {
  if (going.length) return;
  // A hand scanner is in the middle of the next code.
  const typing = document.querySelector("[data-listen]")?.elements.code;
  if (typing?.value && left) setTimeout(goOn, 100, left - 1);
  else if (refused) sendByHand(refused);
  else if (next) window.location.assign(next);
}

function read(form, submitter) {
  const fields = [...new FormData(form, submitter)].filter(([, value]) => typeof value === "string");
  const { keep: endpoint, keepWhat: what, keepThing: thing } = form.dataset;
  return {
    key: Kept.freshKey(), person, at: Date.now(), endpoint, what, thing, fields,
    words: words(form, submitter), action: form.action, page: window.location.href,
  };
}

// What the shop says, the page that a person should see, null for no answer.
async function ask(act, form) {
  try {
    const answer = await fetch(act.action, {
      method: "POST", body: Kept.body(act, form.elements.csrf.value, "now"), redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.ok) return await answer.json();
    // Signed out meanwhile, or in anew: kept, and told by whoever did it.
    if (answer.type === "opaqueredirect" || answer.status >= 500) return null;
    const page = await answer.text();
    return page.includes(">form_expired<") ? null : { page };
  } catch {
    return null;
  }
}

function sendByHand({ act, form, submitter }) {
  refused = null;
  form.dataset.byHand = "yes";
  for (const [name, value] of act.fields) {
    const field = form.elements[name];
    if (field instanceof Element && field !== submitter) field.value = value;
  }
  for (const [name, value] of [["late_key", act.key], ["late_person", person]]) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  form.requestSubmit(submitter);
}

// The browser keeps nothing: as without script.
function byHandLater(one) {
  refused ??= one;
}

async function keep({ act, form }) {
  await Kept.put(act);
  next = "";
  if (!("listen" in form.dataset)) form.reset(); // There the next code is being typed.
  await draw();
  announce("lateNow", act);
  if (!form.querySelector("input:not([type=hidden]), select")) {
    for (const button of form.querySelectorAll("button")) button.hidden = true;
    const note = document.createElement("span");
    note.className = "badge";
    note.textContent = root.dataset.lateHere;
    form.append(note);
  }
  const worker = await navigator.serviceWorker?.getRegistration("/desk");
  await worker?.sync?.register("desk-kept").catch(() => {});
}

async function mine() {
  return (await Kept.all()).filter((act) => act.person === person);
}

async function tell({ asked = false } = {}) {
  if (!asked && !(await mine()).some(({ why }) => !why)) return;
  const { done, said, refused, trouble } = await Kept.tell();
  await draw(trouble);
  if (done) {
    const { toldOne, toldMany } = root.dataset;
    show([done === 1 ? toldOne : toldMany.replace("#", done), ...said]);
  }
  if (refused) say("refusedNow");
  else if (asked && trouble) say(trouble);
}

function show(lines) {
  const list = root.querySelector("[data-late-told]");
  list.replaceChildren(...lines.slice(0, 8).map((words) => {
    const line = document.createElement("p");
    line.textContent = words;
    return line;
  }));
  list.parentElement.hidden = false;
  speak(lines.slice(0, 3).join(" "));
}

function say(name) {
  const note = root.querySelector("[data-late-said]");
  note.textContent = root.dataset[name];
  note.parentElement.hidden = false;
}

function announce(name, act) {
  speak(root.dataset[name].replace("#", act.what));
}

// For who does not see the line; it stands on the page already, so it is not left there a second time.
function speak(text) {
  announcer.textContent = text;
  setTimeout(() => {
    if (announcer.textContent === text) announcer.textContent = "";
  }, SPOKEN_MS);
}

// The pages that staff look at, for when there is no network; without a secure connection there is no
// worker, and what is kept is told as long as a page is open, or when one is opened again.
async function takeAlong() {
  try {
    await navigator.serviceWorker.register("/desk/worker.js", { scope: "/desk" });
    const { active } = await navigator.serviceWorker.getRegistration("/desk").then(ready);
    const seen = performance.getEntriesByType("resource").map(({ name }) => name);
    const files = [...new Set(seen.filter((name) => new URL(name).pathname.startsWith("/static/")))];
    const done = new MessageChannel();
    const taken = new Promise((resolve) => {
      done.port1.onmessage = resolve;
    });
    active.postMessage({ person, address: window.location.href, files }, [done.port2]);
    await taken;
    document.documentElement.toggleAttribute("data-late-ready", true);
  } catch {
    // Nothing is taken along.
  }
}

async function ready(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return registration;
  await new Promise((resolve) => {
    worker.addEventListener("statechange", () => worker.state === "activated" && resolve());
  });
  return registration;
}

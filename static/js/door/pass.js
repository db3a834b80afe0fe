// The ticking pass of a receipt. It holds the codes of the next two minutes and shows each at its
// moment by the shop's clock, so that it goes on where there is no signal; it asks for more as soon
// as it can, and says until when the code is good when it cannot.

const AHEAD = 6;
const ASK_EVERY_MS = 15000;
const RETRY_MS = 3000;
const DEADLINE_MS = 8000;

const pass = document.querySelector("[data-pass]");
const picture = pass.querySelector("[data-pass-picture]");
const clock = pass.querySelector("[data-pass-clock]");
const line = pass.querySelector(".pass-line");
const notes = Object.fromEntries(
  [...pass.querySelectorAll("[data-pass-note]")].map((note) => [note.dataset.passNote, note]),
);
const time = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: pass.dataset.zone,
});

// The page itself came with the first code.
let codes = [{ from: Number(pass.dataset.from), until: Number(pass.dataset.until),
  url: picture.src }];
let shown = null;
let offline = false;
let asking = false;
let next = 0;
// The shop's time minus this page's own steady time: the phone's clock may be wrong or be changed.
let offset = Number(pass.dataset.now) - performance.now();

const now = () => performance.now() + offset;

async function ask() {
  if (asking) return;
  asking = true;
  const control = new AbortController();
  const deadline = setTimeout(() => control.abort(), DEADLINE_MS);
  try {
    const began = performance.now();
    const url = `${pass.dataset.pass}${pass.dataset.pass.includes("?") ? "&" : "?"}ahead=${AHEAD}`;
    const response = await fetch(url, { signal: control.signal, cache: "no-store" });
    if (response.status >= 500) throw new Error("the shop is away");
    const found = response.ok && !response.redirected ? await response.json() : null;
    // Used at the door, refunded, or signed out: the page itself says which.
    if (found?.state !== "live") return window.location.reload();
    const ended = performance.now();
    offset = found.now - (began + ended) / 2;
    codes = found.codes.map((code) => ({ ...code, url: pictureOf(code.svg) }));
    shown = null; // What came now can be read without a network, too.
    offline = false;
    next = ended + ASK_EVERY_MS;
  } catch {
    offline = true;
    next = performance.now() + RETRY_MS;
  } finally {
    clearTimeout(deadline);
    asking = false;
  }
  return tick();
}

function tick() {
  const at = now();
  clock.textContent = time.format(at);
  const code = codes.findLast((each) => each.from <= at && at < each.until);
  if (code && code.from !== shown) {
    shown = code.from;
    picture.src = code.url;
    picture.toggleAttribute("data-signed", Boolean(code.svg));
    const end = codes.find((each) => each.from > code.from)?.from ?? code.until;
    // The line under the code runs out when the code changes.
    line.getAnimations({ subtree: true }).forEach((animation) => {
      animation.currentTime = Math.max(0, 20000 - (end - at));
    });
  }
  const over = at >= codes.at(-1).until;
  pass.toggleAttribute("data-over", over);
  say(over ? "over" : offline ? "offline" : "");
  if (performance.now() >= next) ask();
}

function say(name) {
  for (const [key, note] of Object.entries(notes)) note.hidden = key !== name;
  notes.offline.querySelector("[data-pass-until]").textContent = time.format(codes.at(-1).until);
}

function pictureOf(svg) {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

// A screen that goes dark at the door is no pass.
async function stayAwake() {
  try {
    if (!document.hidden) await navigator.wakeLock?.request("screen");
  } catch {
    // Low battery: the phone decides.
  }
}

// A phone that slept, or a page that comes back from memory, has old codes and maybe an old clock.
function wake() {
  if (document.hidden) return;
  ask();
  stayAwake();
}

document.addEventListener("visibilitychange", wake);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) wake();
});
window.addEventListener("online", ask);

wake();
setInterval(tick, 250);

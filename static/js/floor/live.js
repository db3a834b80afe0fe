// The live board. The shop answers when there is something new, at once to whoever has not seen the
// newest, and says when to ask again; the browser does so by itself. Where events do not come
// through, the part is asked for every few seconds instead, and events are tried again later.

const EVERY_MS = 5000;
const DEADLINE_MS = 8000;
// So often an answer may fail before events are given up, and so many times it is asked meanwhile.
const TRIES = 5;
const ASKED = 24;

const board = document.querySelector("[data-live]");
const state = document.querySelector("[data-live-state]");
let mark = board.dataset.mark;
let failed = 0;

function show(html, newMark) {
  say("live");
  if (newMark === mark) return;
  mark = newMark;
  // Whoever goes through it by keyboard stays on the line on which they were.
  const at = [...board.querySelectorAll("a")].indexOf(document.activeElement);
  board.innerHTML = html;
  if (at >= 0) board.querySelectorAll("a")[at]?.focus({ preventScroll: true });
}

function say(name) {
  for (const word of state.children) word.hidden = word.dataset.state !== name;
}

function listen() {
  const events = new EventSource(board.dataset.live);
  events.onopen = () => {
    failed = 0;
    say("live");
  };
  events.onmessage = ({ data, lastEventId }) => show(data, lastEventId);
  events.onerror = () => {
    // Each answer ends the stream: that alone is no failure, the next one comes by itself.
    failed += 1;
    if (failed > 2) say("away");
    if (failed < TRIES && events.readyState !== EventSource.CLOSED) return;
    events.close();
    poll(ASKED);
  };
}

async function poll(times) {
  if (times === 0) return listen();
  let left = times;
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const headers = { "If-None-Match": `"${mark}"` };
    const answer = await fetch(board.dataset.live, { signal, headers, cache: "no-store" });
    // Signed out: the page itself says it best.
    if (answer.redirected || answer.status === 403) return window.location.reload();
    if (answer.status === 304) say("live");
    else if (answer.ok) show(await answer.text(), answer.headers.get("ETag")?.replace(/"|W\//g, ""));
    else say("away");
    if (answer.status < 400) left -= 1;
  } catch {
    say("away");
  }
  setTimeout(poll, EVERY_MS, left);
}

if ("EventSource" in window) listen();
else poll(Infinity);

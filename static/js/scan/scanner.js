// A scanner on a page: the part of templates/catalogue/camera.html, brought to life.
//
//   new Scanner(element, { onFound: (text) => …, only: ["qr_code"] }).start()
//
// It looks at most 12 times a second, rests while the page is hidden, and lets go of the camera
// when the page is left. `onFound` is called for every sight of a code; what to make of a second
// sight is the page's business.

import { close, hasTorch, open, setTorch, troubleBeforehand, troubleOf } from "./camera.js";
import { makeDecoder } from "./decoder.js";

const PAUSE_MS = 1000 / 12;
const TWICE_WITHIN_MS = 1500;
const SLOW_MS = 12000;

export class Scanner {
  constructor(root, { onFound, only }) {
    this.root = root;
    this.video = root.querySelector("video");
    this.torch = root.querySelector("[data-torch]");
    this.onFound = onFound;
    this.only = only;
    this.turn = 0; // Counted up by every start and stop, so that an old loop knows its end.
    this.wanted = false;
    root.hidden = false;
    root.querySelectorAll("[data-start]").forEach((button) => {
      button.addEventListener("click", () => this.start());
    });
    this.torch?.addEventListener("click", () => this.switchTorch());
    document.addEventListener("visibilitychange", () => {
      if (!this.wanted) return;
      if (document.hidden) this.release("paused");
      else this.start();
    });
    window.addEventListener("pagehide", () => {
      if (this.wanted) this.release("paused");
    });
    // A page that comes back from the browser's memory has lost its camera.
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && this.wanted) this.start();
    });
  }

  async start() {
    this.wanted = true;
    const turn = ++this.turn;
    const trouble = troubleBeforehand();
    if (trouble) return this.show(trouble);
    this.show("starting");
    let stream;
    try {
      stream = await open(this.video);
    } catch (error) {
      if (turn === this.turn) this.release(troubleOf(error));
      return undefined;
    }
    if (turn !== this.turn) return stream.getTracks().forEach((track) => track.stop());
    // Another program may take the camera, or somebody unplug it.
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (turn === this.turn) this.release("busy");
    });
    if (this.torch) this.torch.hidden = !hasTorch(stream);
    this.stream = stream;
    this.show("live");
    return this.look(turn);
  }

  stop(state = "paused") {
    this.wanted = false;
    this.release(state);
  }

  release(state) {
    this.turn += 1;
    if (this.torch) this.torch.hidden = true;
    close(this.video);
    this.stream = null;
    this.show(state);
  }

  async look(turn) {
    let decode;
    try {
      decode = await makeDecoder({ ...this.root.dataset, only: this.only });
    } catch {
      if (turn === this.turn) this.release("failed");
      return;
    }
    const began = performance.now();
    let before = { text: "", at: -Infinity };
    while (turn === this.turn) {
      const at = performance.now();
      const found = this.video.readyState >= 2 ? await decode(this.video).catch(() => null) : null;
      if (turn !== this.turn) return;
      if (found) {
        const again = found.text === before.text && at - before.at < TWICE_WITHIN_MS;
        before = { text: found.text, at };
        if (found.matrix || again) this.onFound(found.text);
      }
      this.root.toggleAttribute("data-slow", before.at < 0 && at - began > SLOW_MS);
      await pause(Math.max(0, PAUSE_MS - (performance.now() - at)));
    }
  }

  async switchTorch() {
    const on = this.torch.getAttribute("aria-pressed") !== "true";
    try {
      await setTorch(this.stream, on);
      this.torch.setAttribute("aria-pressed", String(on));
    } catch {
      this.torch.hidden = true;
    }
  }

  show(state) {
    this.root.dataset.state = state;
    this.root.querySelectorAll("[data-for]").forEach((part) => {
      part.hidden = !part.dataset.for.split(" ").includes(state);
    });
    if (this.torch && state !== "live") this.torch.setAttribute("aria-pressed", "false");
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

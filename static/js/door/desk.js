// The desk's field that is always listening: the camera opens on demand and types into it.

import { Scanner } from "../scan/scanner.js";

const form = document.querySelector("[data-listen]");
const field = form.elements.code;
const root = document.querySelector("[data-scanner]");
const opener = document.querySelector("[data-open-camera]");

const scanner = new Scanner(root, {
  onFound(text) {
    scanner.stop("found");
    navigator.vibrate?.(40);
    field.value = text;
    form.requestSubmit();
  },
});

root.hidden = true;
opener.hidden = false;
opener.addEventListener("click", () => {
  root.hidden = !root.hidden;
  opener.setAttribute("aria-expanded", String(!root.hidden));
  if (root.hidden) scanner.stop();
  else scanner.start();
});

document.addEventListener("keydown", (event) => {
  const nowhere = document.activeElement === document.body;
  if (nowhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey) field.focus();
});
if (!window.matchMedia("(hover: hover) and (pointer: fine)").matches) field.blur();

// Another place to stand at is chosen by choosing it.
const place = document.querySelector("[data-place]");
if (place) {
  place.querySelector("button").hidden = true;
  place.addEventListener("change", () => place.requestSubmit());
}

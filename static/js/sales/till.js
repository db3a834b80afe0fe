// The till: a field that always listens, a camera that comes back after each scan, the change as
// it is typed, and the receipt on paper. Everything here is done by forms without it, too.

import { Scanner } from "../scan/scanner.js";

const OPEN = "till-camera";
const form = document.querySelector("[data-listen]");

if (form) {
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
  const show = (open) => {
    root.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    sessionStorage.setItem(OPEN, open ? "yes" : "");
    if (open) scanner.start();
    else scanner.stop();
  };
  opener.hidden = false;
  opener.addEventListener("click", () => show(root.hidden));
  show(sessionStorage.getItem(OPEN) === "yes");

  // A hand scanner types into whatever has the focus; when nothing has, it means the field.
  document.addEventListener("keydown", (event) => {
    const nowhere = document.activeElement === document.body;
    if (nowhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey) field.focus();
  });
  if (!window.matchMedia("(hover: hover) and (pointer: fine)").matches) field.blur();
}

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

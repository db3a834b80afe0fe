// The field that is always listening (templates/catalogue/listen.html): the camera opens on demand
// and types into it, and a hand scanner's keys find it.
//
//   listen()                                 the camera closes when the page does
//   listen({ kept: "till-camera" })          it comes back open on the next page, until it is closed
//
// Without script the field is a form like any other.

import { handScanner } from "./keys.js";
import { Scanner } from "./scanner.js";

export function listen({ kept } = {}) {
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
  const show = (open) => {
    root.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    if (kept) sessionStorage.setItem(kept, open ? "yes" : "");
    if (open) scanner.start();
    else scanner.stop();
  };
  opener.hidden = false;
  opener.addEventListener("click", () => show(root.hidden));
  show(Boolean(kept) && sessionStorage.getItem(kept) === "yes");

  handScanner(field);
  return show;
}

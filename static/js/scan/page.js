// The shopper's scanner: what was read leads to its item's page.

import { Scanner } from "./scanner.js";

const root = document.querySelector("[data-scanner]");
const form = document.querySelector("[data-find]");

let gone = false;

const scanner = new Scanner(root, {
  onFound(text) {
    if (gone) return;
    gone = true;
    navigator.vibrate?.(40);
    scanner.stop("found");
    window.location.assign(addressOf(text));
  },
});

// Our own labels open at once, on this host only: a sticker must not lead anywhere else. All other
// codes are looked up by the shop.
function addressOf(text) {
  try {
    const url = new URL(text);
    const ours = url.origin === window.location.origin && /^\/(01|i)\//.test(url.pathname);
    if (ours) return url.href;
  } catch {
    // No address: digits, an element string, or anything else.
  }
  return `${form.action}?code=${encodeURIComponent(text)}`;
}

// Back from the item's page: ready for the next one.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  gone = false;
  scanner.start();
});

scanner.start();

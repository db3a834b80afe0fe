// The till: a camera that comes back after each scan, the change as it is typed, and the receipt on
// paper. Everything here is done by forms without it, too.

import { listen } from "../scan/listen.js";

if (document.querySelector("[data-listen]")) listen({ kept: "till-camera" });

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

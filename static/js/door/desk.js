// The desk's start page and the slips: the field that listens, and the place to stand at.

import { listen } from "../scan/listen.js";

listen();

// Another place to stand at is chosen by choosing it.
const place = document.querySelector("[data-place]");
if (place) {
  place.querySelector("button").hidden = true;
  place.addEventListener("change", () => place.requestSubmit());
}

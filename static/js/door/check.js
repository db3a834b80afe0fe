// A spot check on the staff's screen: the field that listens while pieces are scanned, and, while the
// shopper decides on their phone, a look every other second whether they have.

import { listen } from "../scan/listen.js";
import { watch } from "./watch.js";

if (document.querySelector("[data-listen]")) listen({ kept: "check-camera" });

const spot = document.querySelector("[data-spot]");
if (spot.dataset.spot.startsWith("asked")) {
  watch(window.location.pathname, async (answer) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-spot]")?.dataset.spot !== spot.dataset.spot;
  });
}

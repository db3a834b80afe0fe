// The shopper's page while their bag is looked at: it turns as soon as there is something to answer,
// or the goods may leave.

import { watch } from "./watch.js";

const bag = document.querySelector("[data-bag]");

watch(bag.dataset.bag, async (answer) => {
  const { state } = await answer.json();
  return state !== bag.dataset.state;
});

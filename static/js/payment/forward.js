// On to the provider's page, in place of this one: the way back leads to the shop, not here.

const next = document.querySelector("[data-forward]")?.dataset.forward;
history.replaceState(null, "", location.pathname);
if (next) location.replace(next);

// Sales that this browser made without a network: how many wait, their receipts, and telling the
// shop. What the shop refused stays in the list, with its reason, until a person settles it.

import { put, remove, sales, tell } from "./queue.js";
import { when } from "./slip.js";

export function waiting({ csrf, show, receipt, after }) {
  const root = document.querySelector("[data-waiting]");
  const part = (name) => root.querySelector(`[data-waiting-${name}]`);
  const words = root.dataset;
  const several = (many, one, more) => (many === 1 ? one : more.replace("#", many));
  let busy = false;

  async function draw(trouble = "") {
    const all = await sales();
    const open = all.filter((sale) => !sale.why).length;
    part("some").hidden = !open;
    part("count").textContent = several(open, words.one, words.many);
    part("trouble").hidden = !trouble;
    part("trouble").textContent = { sign_in: words.signIn, failed: words.failed }[trouble] ?? "";
    part("list").replaceChildren(...all.map(row));
    root.hidden = !all.length && part("booked").hidden;
  }

  function row(sale) {
    const made = part("row").content.cloneNode(true).firstElementChild;
    const piece = (name) => made.querySelector(`[data-part="${name}"]`);
    piece("what").textContent = [...sale.lines, ...(sale.empties ?? [])].map((line) => line.name).join(", ");
    piece("when").textContent = when(sale.at);
    piece("why").textContent = sale.why ?? "";
    piece("total").textContent = show(sale.total);
    piece("show").addEventListener("click", () => receipt(sale));
    piece("again").hidden = piece("settled").hidden = !sale.why;
    piece("again").addEventListener("click", async () => {
      await put({ ...sale, why: "" });
      await send();
    });
    piece("settled").addEventListener("click", async (event) => {
      if (!window.confirm(event.currentTarget.dataset.sure)) return;
      await remove(sale.id);
      await draw();
    });
    return made;
  }

  async function send() {
    if (busy) return;
    busy = true;
    const { booked, lacking, trouble } = await tell(csrf());
    busy = false;
    if (booked) {
      const said = several(booked, words.bookedOne, words.bookedMany);
      part("booked").textContent = lacking ? `${said} ${words.lacking}` : said;
      part("booked").hidden = false;
    }
    await draw(trouble);
    if (!trouble) after?.();
  }

  part("send").addEventListener("click", send);
  return { draw, send };
}

// The receipt of a sale that was made without a network, on the screen and on paper.

// As the shop writes moments: English is read on both sides of the Atlantic.
export function when(at) {
  const { lang } = document.documentElement;
  const form = { dateStyle: "medium", timeStyle: "medium" };
  return new Date(at).toLocaleString(lang === "en" ? "en-GB" : lang, form);
}

export class Slip {
  constructor(till) {
    this.till = till;
    this.root = document.querySelector("[data-kept]");
    this.root.querySelector("[data-next]").addEventListener("click", () => this.next());
    this.root.querySelector("[data-print-kept]").addEventListener("click", () => window.print());
  }

  // A receipt is drawn from the record alone, so that it can be shown for as long as the sale waits.
  show(sale) {
    const all = (name) => this.root.querySelectorAll(`[data-part="${name}"]`);
    const fill = (name, text) => all(name).forEach((it) => it.replaceChildren(text));
    const [means] = all("means");
    fill("place", sale.place);
    fill("total", this.till.show(sale.total));
    fill("means", means.dataset[sale.means]);
    const paid = sale.paid ?? sale.total;
    const more = paid - sale.total;
    fill("rounding", (more > 0 ? "+" : "") + this.till.show(more));
    this.root.querySelectorAll("[data-kept-rounding]").forEach((it) => {
      it.hidden = !more;
    });
    fill("given", this.till.show(sale.given ?? paid));
    fill("change", this.till.show((sale.given ?? paid) - paid));
    fill("when", when(sale.at));
    fill("seller", sale.seller);
    fill("number", sale.id.slice(0, 10).toUpperCase());
    this.root.querySelectorAll("[data-kept-change]").forEach((it) => {
      it.hidden = sale.given === null;
    });
    const back = (sale.empties ?? []).map((one) => (
      { name: one.name, quantity: one.quantity, unit: -one.amount, deposit: 0 }));
    all("lines")[0].replaceChildren(...[...sale.lines, ...back].map((line) => this.printed(line)));
    if (this.root.hidden) this.covered = [this.till.root, ...document.querySelectorAll("[data-online]")].filter((it) => !it.hidden);
    this.covered.forEach((it) => {
      it.hidden = true;
    });
    this.root.hidden = false;
    this.root.querySelector("[data-next]").focus();
  }

  printed(sold) {
    const { name, quantity, unit, deposit } = sold;
    const line = document.createElement("li");
    const what = line.appendChild(document.createElement("span"));
    what.textContent = name;
    if (quantity !== 1 || deposit) {
      what.appendChild(document.createElement("small")).textContent = this.till.each(sold);
    }
    const amount = line.appendChild(document.createElement("span"));
    amount.className = "amount";
    amount.textContent = this.till.show(quantity * (unit + deposit));
    return line;
  }

  next() {
    this.root.hidden = true;
    this.covered.forEach((it) => {
      it.hidden = false;
    });
    if (window.matchMedia("(hover: hover) and (pointer: fine)").matches) {
      document.querySelector("[data-listen]").elements.code.focus();
    }
  }
}

// The till without a network: it finds goods among those that were taken along, adds them up, takes
// cash or a card, and keeps each sale with its own id and time (queue.js). Drawn into
// templates/sales/till_offline.html.

import { forget, keep, kept, newId, put } from "./queue.js";

const MANY = /^([1-9][0-9]{0,2})\*(.+)$/s;
const MOST_PIECES = 9999;

// As the shop writes moments: English is read on both sides of the Atlantic.
export function when(at) {
  const { lang } = document.documentElement;
  const form = { dateStyle: "medium", timeStyle: "medium" };
  return new Date(at).toLocaleString(lang === "en" ? "en-GB" : lang, form);
}

export class OfflineTill {
  constructor({ onKept, language }) {
    this.root = document.querySelector("[data-offline]");
    this.slip = document.querySelector("[data-kept]");
    this.tender = this.root.querySelector("[data-offline-tender]");
    this.onKept = onKept;
    this.language = language;
    this.lines = [];
    this.basket = null;
    this.back = false;
    this.tender.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sell(event.submitter?.value ?? "cash");
    });
    this.tender.elements.given.addEventListener("input", () => this.drawChange());
    this.slip.querySelector("[data-next]").addEventListener("click", () => this.next());
    this.slip.querySelector("[data-print-kept]").addEventListener("click", () => window.print());
  }

  // Take over: the goods that were taken along, the basket that was open, and the scan field.
  async open() {
    this.goods = await kept("goods");
    this.byCode = new Map();
    for (const good of this.goods?.goods ?? []) {
      for (const code of [good.sku, good.code, good.gtin]) if (code) this.byCode.set(code, good);
    }
    const begun = await kept("basket");
    if (begun?.lines.length && begun.lines.every(([code]) => this.byCode.has(code))) {
      this.basket = { key: begun.key, member: begun.member };
      // At the prices that were on the screen: one may have been marked down by its label.
      this.lines = begun.lines.map(([code, quantity, unit, deposit]) => (
        { ...this.lineOf(this.byCode.get(code), quantity), unit, deposit }));
      await forget("basket");
      await keep("offline-basket", { lines: this.lines, basket: this.basket });
    } else {
      Object.assign(this, await kept("offline-basket"));
    }
    const scan = document.querySelector("[data-scan-part]");
    this.root.querySelector("[data-scan-slot]").append(scan);
    this.form = scan.querySelector("[data-listen]");
    this.root.hidden = false;
    if (!this.goods) this.say(this.root.dataset.noGoods);
    this.draw();
  }

  // With the network back, what is begun here is ended here; then the till goes on as ever.
  isBack(yes) {
    this.back = yes;
    this.root.querySelector("[data-gone]").hidden = yes;
    this.root.querySelector("[data-back]").hidden = !yes || this.lines.length > 0;
  }

  get total() {
    return this.lines.reduce((sum, line) => sum + line.quantity * (line.unit + line.deposit), 0);
  }

  lineOf(good, quantity) {
    const name = good.names[this.language] || Object.values(good.names)[0] || good.code;
    return { code: good.code, name, unit: good.unit, deposit: good.deposit ?? 0, quantity };
  }

  // Minor units as the shop writes them: its own zero tells where sign and decimals stand.
  show(minor) {
    const { zero, decimals } = this.root.dataset;
    const digits = { minimumFractionDigits: +decimals, maximumFractionDigits: +decimals };
    const number = (minor / 10 ** decimals).toLocaleString(document.documentElement.lang, digits);
    return zero.replace(/0([.,]0+)?/, () => number);
  }

  find(text) {
    const link = /\/01\/([0-9]{8,14})/.exec(text) ?? /^(?:\][A-Za-z]\d|\u001d)*\(?01\)?([0-9]{14})/.exec(text);
    const digits = link?.[1] ?? (/^[0-9]{8,14}$/.test(text) ? text : "");
    const own = /\/i\/([^/?#]+)/.exec(text)?.[1] ?? text;
    const typed = own.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
    return [text, digits && digits.padStart(14, "0"), digits, own, own.toUpperCase(), typed]
      .map((code) => this.byCode.get(code)).find(Boolean);
  }

  add(text) {
    const [, times, code] = MANY.exec(text) ?? [null, 1, text];
    const good = this.find(code.trim());
    this.form.reset();
    if (!good) return this.say(this.root.dataset.unknown.replace("#", code.slice(0, 40)));
    const found = this.lines.find((line) => line.code === good.code);
    if (found) found.quantity = Math.min(found.quantity + Number(times), MOST_PIECES);
    else this.lines.push(this.lineOf(good, Number(times)));
    this.say("");
    return this.changed();
  }

  changed() {
    this.draw();
    return keep("offline-basket", { lines: this.lines, basket: this.basket });
  }

  async sell(means) {
    if (!this.lines.length || this.selling) return;
    this.selling = true;
    const { ticket, seller, place } = this.goods;
    const given = means === "cash" ? this.given() : null;
    const sale = {
      id: newId(), at: new Date().toISOString(), ticket, seller, place, means, given,
      lines: this.lines, total: this.total, basket: this.basket?.key, member: this.basket?.member,
    };
    await put(sale);
    Object.assign(this, { lines: [], basket: null, selling: false });
    this.tender.reset();
    await forget("basket");
    await this.changed();
    this.receipt(sale);
    this.onKept();
  }

  given() {
    const text = this.tender.elements.given.value.trim().replace(",", ".");
    if (!/^[0-9]+(\.[0-9]*)?$/.test(text)) return null;
    const minor = Math.round(Number(text) * 10 ** this.root.dataset.decimals);
    return minor >= this.total ? minor : null;
  }

  say(text) {
    const said = this.root.querySelector("[data-said]");
    said.textContent = text;
    said.hidden = !text;
  }

  draw() {
    const part = (name) => this.root.querySelector(`[data-${name}]`);
    const pieces = this.lines.reduce((sum, line) => sum + line.quantity, 0);
    const { piecesOne, piecesMany } = this.root.dataset;
    part("pieces").textContent = pieces === 1 ? piecesOne : piecesMany.replace("#", pieces);
    part("total").textContent = this.show(this.total);
    this.root.querySelectorAll("[data-total-in]").forEach((it) => {
      it.textContent = this.show(this.total);
    });
    part("begun").hidden = !this.basket;
    part("empty").hidden = this.lines.length > 0;
    part("from").textContent = this.goods ? `${this.goods.place} · ${this.goods.seller}` : "";
    this.tender.hidden = !this.lines.length;
    part("lines").replaceChildren(...this.lines.toReversed().map((line) => this.row(line)));
    this.drawChange();
    this.isBack(this.back);
  }

  row(line) {
    const made = this.root.querySelector("[data-line]").content.cloneNode(true).firstElementChild;
    const part = (name) => made.querySelector(`[data-part="${name}"]`);
    part("name").textContent = line.name;
    part("unit").textContent = this.each(line);
    part("many").textContent = line.quantity;
    part("sum").textContent = this.show(line.quantity * (line.unit + line.deposit));
    const less = part("less");
    const words = line.quantity === 1 ? less.dataset.last : less.dataset.name;
    less.setAttribute("aria-label", words.replace("#", line.name));
    part("more").setAttribute("aria-label", part("more").dataset.name.replace("#", line.name));
    for (const [button, step] of [[less, -1], [part("more"), 1]]) {
      button.addEventListener("click", () => {
        line.quantity = Math.min(line.quantity + step, MOST_PIECES);
        this.lines = this.lines.filter((each) => each.quantity > 0);
        this.changed();
      });
    }
    return made;
  }

  drawChange() {
    const change = this.root.querySelector("[data-offline-change]");
    const given = this.given();
    change.hidden = given === null;
    change.querySelector("b").textContent = given === null ? "" : this.show(given - this.total);
  }

  // A receipt is drawn from the record alone, so that it can be shown for as long as the sale waits.
  receipt(sale) {
    const all = (name) => this.slip.querySelectorAll(`[data-part="${name}"]`);
    const fill = (name, text) => all(name).forEach((it) => it.replaceChildren(text));
    const [means] = all("means");
    fill("place", sale.place);
    fill("total", this.show(sale.total));
    fill("means", means.dataset[sale.means]);
    fill("given", this.show(sale.given ?? sale.total));
    fill("change", this.show((sale.given ?? sale.total) - sale.total));
    fill("when", when(sale.at));
    fill("seller", sale.seller);
    fill("number", sale.id.slice(0, 10).toUpperCase());
    this.slip.querySelectorAll("[data-kept-change]").forEach((it) => {
      it.hidden = sale.given === null;
    });
    all("lines")[0].replaceChildren(...sale.lines.map((line) => this.printed(line)));
    if (this.slip.hidden) this.covered = [this.root, ...document.querySelectorAll("[data-online]")].filter((it) => !it.hidden);
    this.covered.forEach((it) => {
      it.hidden = true;
    });
    this.slip.hidden = false;
    this.slip.querySelector("[data-next]").focus();
  }

  // "3 × ¥12.50 + ¥1.00 deposit"
  each({ quantity, unit, deposit }) {
    const on = deposit ? ` ${this.root.dataset.deposit.replace("#", this.show(deposit))}` : "";
    return `${quantity} × ${this.show(unit)}${on}`;
  }

  printed(sold) {
    const { name, quantity, unit, deposit } = sold;
    const line = document.createElement("li");
    const what = line.appendChild(document.createElement("span"));
    what.textContent = name;
    if (quantity !== 1 || deposit) {
      what.appendChild(document.createElement("small")).textContent = this.each(sold);
    }
    const amount = line.appendChild(document.createElement("span"));
    amount.className = "amount";
    amount.textContent = this.show(quantity * (unit + deposit));
    return line;
  }

  next() {
    this.slip.hidden = true;
    this.covered.forEach((it) => {
      it.hidden = false;
    });
    if (window.matchMedia("(hover: hover) and (pointer: fine)").matches) {
      document.querySelector("[data-listen]").elements.code.focus();
    }
  }
}

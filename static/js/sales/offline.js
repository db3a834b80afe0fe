// The till without a network: it finds goods among those that were taken along, adds them up, takes
// empties back, takes cash or a card, and keeps each sale with its own id and time (queue.js). Drawn
// into templates/sales/till_offline.html.

import { bornBy } from "../scan/birthday.js";
import { pack } from "./pack.js";
import { forget, keep, kept, newId, put } from "./queue.js";
import { Slip } from "./slip.js";

const MANY = /^([1-9][0-9]{0,2})\*(.+)$/s;
const MOST_PIECES = 9999;
const MOST_EMPTIES = 999; // Of each kind (store/sales/till/empties.py).

// The day of this device, as days are written.
function today() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
}

export class OfflineTill {
  constructor({ onKept, language }) {
    this.root = document.querySelector("[data-offline]");
    this.slip = new Slip(this);
    this.tender = this.root.querySelector("[data-offline-tender]");
    this.onKept = onKept;
    this.language = language;
    this.lines = [];
    this.empties = {};
    this.basket = null;
    this.back = false;
    this.tender.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sell(event.submitter?.value ?? "cash");
    });
    this.tender.elements.given.addEventListener("input", () => this.drawChange());
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
        { ...this.lineOf(this.byCode.get(code), quantity), unit, deposit, seen: true }));
      this.empties = begun.empties ?? {};
      await forget("basket");
      await this.keep();
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

  // What is to pay; below zero, what is to be given back.
  get total() {
    return this.lines.reduce((sum, line) => sum + line.quantity * (line.unit + line.deposit), 0) - this.off;
  }

  // From which age all of it is; 0 is everybody.
  get age() {
    return Math.max(0, ...this.lines.map(({ code }) => this.byCode.get(code)?.age ?? 0));
  }

  // What of it coins can pay (store/money.py): the nearest multiple of the smallest, half up.
  get cash() {
    const coin = this.goods?.coin ?? 1;
    const whole = Math.floor((2 * Math.abs(this.total) + coin) / (2 * coin)) * coin;
    return this.total < 0 ? -whole : whole;
  }

  get off() {
    return this.kinds.reduce((sum, kind) => sum + kind.amount * this.many(kind), 0);
  }

  get kinds() {
    return this.goods?.kinds ?? [];
  }

  many(kind) {
    return this.empties[kind.id] ?? 0;
  }

  named(thing) {
    return thing.names[this.language] || Object.values(thing.names)[0] || thing.code;
  }

  lineOf(good, quantity, batch = "") {
    return { code: good.code, name: this.named(good), unit: good.unit, deposit: good.deposit ?? 0, quantity, batch };
  }

  // As in the shop's own buy: no more than what is near its date, and all of it costs less.
  reprice() {
    for (const line of this.lines.filter(({ seen }) => !seen)) {
      const good = this.byCode.get(line.code);
      const same = this.lines.filter(({ code }) => code === line.code);
      const pieces = same.reduce((sum, { quantity }) => sum + quantity, 0);
      const near = good?.near;
      if (good) line.unit = near && near.until >= today() && pieces <= near.left ? near.unit : good.unit;
    }
  }

  // Minor units as the shop writes them: its own zero tells where sign and decimals stand.
  show(minor) {
    if (minor < 0) return `−${this.show(-minor)}`;
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
    const { batch, last } = pack(code.trim());
    const { past, recalled } = this.root.dataset;
    if (last && last < today()) return this.say(past.replace("#", this.named(good)));
    if (good.blocked?.includes(batch)) return this.say(recalled.replace("#", this.named(good)));
    const mine = good.blocked ? batch : "";
    const found = this.lines.find((line) => line.code === good.code && (line.batch ?? "") === mine);
    if (found) found.quantity = Math.min(found.quantity + Number(times), MOST_PIECES);
    else this.lines.push(this.lineOf(good, Number(times), mine));
    this.say("");
    return this.changed();
  }

  changed() {
    this.reprice();
    this.draw();
    return this.keep();
  }

  keep() {
    return keep("offline-basket", { lines: this.lines, basket: this.basket, empties: this.empties });
  }

  // As many fewer are near their date for who comes next.
  async taken() {
    for (const { code, quantity } of this.lines) {
      const near = this.byCode.get(code)?.near;
      if (near) near.left = Math.max(0, near.left - quantity);
    }
    await keep("goods", this.goods);
  }

  async sell(means) {
    const empties = this.kinds.filter((kind) => this.many(kind))
      .map((kind) => ({ kind: kind.id, quantity: this.many(kind), name: this.named(kind), amount: kind.amount }));
    if (!(this.lines.length || empties.length) || this.selling) return;
    if (means === "card" && this.total < 0) return;
    const { age } = this;
    if (age && !this.tender.elements.age.checked) return;
    this.selling = true;
    const { ticket, seller, place } = this.goods;
    const given = means === "cash" ? this.given() : null;
    const sale = {
      id: newId(), at: new Date().toISOString(), ticket, seller, place, means, given,
      lines: this.lines, total: this.total, paid: means === "cash" ? this.cash : this.total, basket: this.basket?.key, member: this.basket?.member,
      empties, off: this.off, age,
    };
    await put(sale);
    await this.taken();
    Object.assign(this, { lines: [], empties: {}, basket: null, selling: false });
    this.tender.reset();
    await forget("basket");
    await this.changed();
    this.slip.show(sale);
    this.onKept();
  }

  given() {
    const text = this.tender.elements.given.value.trim().replace(",", ".");
    if (!/^[0-9]+(\.[0-9]*)?$/.test(text)) return null;
    const minor = Math.round(Number(text) * 10 ** this.root.dataset.decimals);
    return this.total >= 0 && minor >= this.cash ? minor : null;
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
    const [cash, card] = this.tender.querySelectorAll("button");
    cash.textContent = this.root.dataset[this.total < 0 ? "giveBack" : "cash"].replace("#", this.show(Math.abs(this.cash)));
    card.textContent = this.root.dataset.card.replace("#", this.show(Math.max(this.total, 0)));
    card.disabled = this.total < 0 || !this.lines.length;
    part("begun").hidden = !this.basket;
    part("empty").hidden = this.lines.length > 0;
    part("empties").hidden = !this.kinds.length;
    part("off").textContent = this.off ? this.show(-this.off) : "";
    part("empties-rows").replaceChildren(...this.kinds.map((kind) => this.kindRow(kind)));
    part("from").textContent = this.goods ? `${this.goods.place} · ${this.goods.seller}` : "";
    this.tender.hidden = !this.lines.length && !this.off;
    part("lines").replaceChildren(...this.lines.toReversed().map((line) => this.row(line)));
    this.drawAge();
    this.drawChange();
    this.isBack(this.back);
  }

  // Somebody looks before the money is taken. Another age is another question.
  drawAge() {
    const { age } = this;
    const part = this.root.querySelector("[data-offline-age]");
    const box = this.tender.elements.age;
    if (String(age) !== part.dataset.age) box.checked = false;
    part.dataset.age = age;
    part.hidden = !age;
    box.required = Boolean(age);
    const { age: words, zone } = this.root.dataset;
    part.querySelector("b").textContent = age ? words.replace("#", age).replace("@", bornBy(age, Date.now(), zone)) : "";
  }

  row(line) {
    const sum = line.quantity * (line.unit + line.deposit);
    const unit = this.each(line) + (line.batch ? ` · ${line.batch}` : "");
    return this.stepper(line.name, unit, line.quantity, sum, (step) => {
      line.quantity = Math.min(line.quantity + step, MOST_PIECES);
      this.lines = this.lines.filter((each) => each.quantity > 0);
      this.changed();
    });
  }

  kindRow(kind) {
    const many = this.many(kind);
    return this.stepper(this.named(kind), this.show(kind.amount), many, -many * kind.amount, (step) => {
      this.empties[kind.id] = Math.max(0, Math.min(many + step, MOST_EMPTIES));
      this.changed();
    });
  }

  stepper(name, unit, many, sum, onStep) {
    const made = this.root.querySelector("[data-line]").content.cloneNode(true).firstElementChild;
    const part = (each) => made.querySelector(`[data-part="${each}"]`);
    part("name").textContent = name;
    part("unit").textContent = unit;
    part("many").textContent = many;
    part("sum").textContent = this.show(sum || 0);
    const less = part("less");
    less.disabled = !many;
    less.setAttribute("aria-label", (many === 1 ? less.dataset.last : less.dataset.name).replace("#", name));
    part("more").setAttribute("aria-label", part("more").dataset.name.replace("#", name));
    less.addEventListener("click", () => onStep(-1));
    part("more").addEventListener("click", () => onStep(1));
    return made;
  }

  drawChange() {
    const change = this.root.querySelector("[data-offline-change]");
    const given = this.given();
    change.hidden = given === null;
    change.querySelector("b").textContent = given === null ? "" : this.show(given - this.cash);
  }

  // "3 × ¥12.50 + ¥1.00 deposit"
  each({ quantity, unit, deposit }) {
    const on = deposit ? ` ${this.root.dataset.deposit.replace("#", this.show(deposit))}` : "";
    return `${quantity} × ${this.show(unit)}${on}`;
  }
}

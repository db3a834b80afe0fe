// The exit without a network: passes are checked by this device for as long as the shop allows it,
// with what was taken along while there was one; what was checked is told later, each check once.
//
// The shop's time is kept by the page's own steady clock, from what the shop last said: a device's
// clock that is changed meanwhile changes nothing while the page is open, and is found out when it is
// opened again. A pass that was signed later than "now" finds it out, too.

import { checks, forgetBefore, keep, kept, leave, leftAt, put, remove, scanner } from "./kept.js";
import { bornBy } from "../scan/birthday.js";
import { ageOf, chosen, isSigned, madeAt, read } from "./signed.js";

const STEP_MS = 20000;
const ALLOWED_STEPS = 1; // As store/ticks.py has it.
const AHEAD_STEPS = 6; // A phone has codes of the next two minutes.
const AT_ONCE = 50; // As many as the shop takes in one request (store/door/away.py).
const DEADLINE_MS = 8000;
const BACK_MS = 60000;

export class Away {
  constructor() {
    this.kit = null;
    this.known = new Map();
    this.offset = null;
    this.floor = 0;
  }

  // What was kept by this browser before; the device's clock carries the time over.
  async open() {
    if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return;
    const before = await kept("kit");
    if (!before || this.kit) return;
    this.kit = before.kit;
    this.known = new Map(before.known);
    this.floor = before.last;
    this.offset = Date.now() + before.offset - performance.now();
  }

  get now() {
    return Math.round(performance.now() + this.offset);
  }

  // Why no pass can be checked here: "" , "none" (nothing was taken along), "over" or "clock".
  get closed() {
    if (!this.kit?.key) return "none";
    if (this.now < this.floor - BACK_MS) return "clock";
    return this.now > this.kit.until ? "over" : "";
  }

  // While there is a network: what is needed later, and the shop's time. False without an answer.
  async refresh() {
    if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return navigator.onLine;
    try {
      const since = this.kit?.key ? `?since=${this.kit.now - BACK_MS * 2}` : "";
      const began = performance.now();
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const answer = await fetch(`/desk/exit/kit${since}`, { cache: "no-store", signal });
      if (answer.status >= 500) return false;
      if (!answer.ok || answer.redirected) return true; // Signed out: the page itself says it best.
      const kit = await answer.json();
      this.offset = kit.now - (began + performance.now()) / 2;
      this.floor = kit.now;
      if (!kit.key) this.known.clear();
      for (const sale of kit.used ?? []) this.known.set(sale, "pass_used");
      for (const sale of kit.refunded ?? []) this.known.set(sale, "pass_refunded");
      const oldest = kit.now - (kit.old_s ?? 0) * 1000;
      for (const sale of this.known.keys()) if (madeAt(sale) < oldest) this.known.delete(sale);
      this.kit = { ...kit, used: [], refunded: [] };
      await this.save();
      await forgetBefore(oldest);
      return true;
    } catch {
      return false;
    }
  }

  save() {
    const offset = this.offset + performance.now() - Date.now();
    return keep("kit", { kit: this.kit, known: [...this.known], offset, last: this.now });
  }

  // The answer to a scan: { name, pass, rule, rate, at }. A bag that may leave has left with it, and
  // one that is to be looked at waits for `looked`.
  async check(text, id) {
    const pass = read(text);
    const name = await this.judge(pass);
    const check = { id, text, ticket: this.kit.ticket, sale: pass?.sale ?? "", at: this.now };
    if (name === "unsigned" || name === "clock") return { name, pass };
    this.floor = Math.max(this.floor, this.now);
    if (name === "pass_used") {
      await put({ ...check, outcome: name });
      return { name, pass, at: (await leftAt(pass.sale))?.at };
    }
    if (name) {
      await put({ ...check, outcome: name });
      return { name, pass };
    }
    const age = ageOf(pass);
    if (age) return { name: "age_first", pass, check, age, born: bornBy(age, this.now, this.kit.zone) };
    return this.goOn(check, pass);
  }

  async goOn(check, pass) {
    const rule = await chosen(pass, this.kit.rules);
    if (rule) return { name: "check_first", pass, ...rule, check };
    return this.leave(check, pass, "accepted");
  }

  // An ID was looked at. After a no everything that is not for everybody is taken out: the rest goes
  // on ("rest"), or nothing is left ("nothing"); its money goes back when the shop is told.
  async aged({ check, pass, age, born }, answer) {
    if (answer === "no") return { name: "age_rest", pass, check, age, born };
    const said = { ...check, at: this.now, age: { least: age, answer: answer === "yes" ? "yes" : "no" } };
    if (answer !== "nothing") return this.goOn(said, pass);
    await put({ ...said, outcome: "age_refused" });
    return { name: "age_nothing", pass };
  }

  // A bag that was chosen was looked at: it leaves, or it stays.
  async looked({ check, pass }, right) {
    if (right) return this.leave({ ...check, at: this.now }, pass, "looked");
    await put({ ...check, at: this.now, outcome: "looked_refused" });
    return { name: "refused", pass };
  }

  async leave(check, pass, outcome) {
    const went = await leave({ ...check, outcome });
    await this.save();
    if (went) return { name: "accepted", pass };
    return { name: "pass_used", pass, at: (await leftAt(pass.sale))?.at };
  }

  // In the order of the shop's own refusals (store/door/checks.py); "" for a pass that is good.
  async judge(pass) {
    if (!pass) return "pass_invalid";
    if (!pass.said) return "unsigned";
    if (!(await isSigned(pass, this.kit.key))) return "pass_invalid";
    const steps = Math.floor(this.now / STEP_MS) - pass.step;
    if (steps < -ALLOWED_STEPS - AHEAD_STEPS) return "clock";
    if (Math.abs(steps) > ALLOWED_STEPS) return "pass_stale";
    if (pass.place !== this.kit.place) return "pass_elsewhere";
    if (this.known.get(pass.sale) === "pass_refunded") return "pass_refunded";
    if (this.known.has(pass.sale) || (await leftAt(pass.sale))) return "pass_used";
    return this.now - madeAt(pass.sale) > this.kit.old_s * 1000 ? "pass_old" : "";
  }

  // Tell the shop what waits. Answers how many are booked, how many of them a person is to look at,
  // and what went wrong: "", "sign_in" or "failed". Any number of tabs may tell the same checks.
  async tell(csrf) {
    const said = { booked: 0, flagged: 0, trouble: "" };
    const waiting = await this.waiting();
    const name = waiting.length ? await scanner() : "";
    for (let at = 0; at < waiting.length && !said.trouble; at += AT_ONCE) {
      said.trouble = await this.tellSome(csrf, name, waiting.slice(at, at + AT_ONCE), said);
    }
    return said;
  }

  async waiting() {
    if (!globalThis.indexedDB) return [];
    return (await checks()).filter((check) => !check.why).sort((one, other) => one.at - other.at);
  }

  async tellSome(csrf, name, some, said) {
    let outcomes;
    try {
      const told = some.map(({ id, ticket, text, outcome, at, age }) => ({ id, ticket, text, outcome, at, age }));
      const body = new URLSearchParams({
        csrf, told: JSON.stringify({ scanner: name, now: this.now, checks: told }),
      });
      const signal = AbortSignal.timeout(DEADLINE_MS * 2);
      const answer = await fetch("/desk/exit/away", { method: "POST", body, signal });
      if (answer.redirected || answer.status === 403) return "sign_in";
      if (!answer.ok) return "failed";
      ({ outcomes } = await answer.json());
    } catch {
      return "failed";
    }
    for (const [at, check] of some.entries()) {
      const { outcome, why, flag } = outcomes[at];
      if (outcome === "refused") await put({ ...check, why });
      else await remove(check.id);
      said.booked += outcome !== "refused";
      said.flagged += flag ? 1 : 0;
    }
    return "";
  }
}

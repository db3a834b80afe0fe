// A signed pass, read and believed without the shop (store/door/signing.py), and the dice of the rules
// (store/door/rules.py): the same numbers as the shop throws, so nobody at the door chooses.

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const A = `[${LETTERS}]`;
const SHORT = new RegExp(`(?<![0-9A-Z])(${A}{20})\\.([0-9]{1,12})\\.(${A}{16})(?![0-9A-Z])`);
const SIGNED = new RegExp(
  `(?<![0-9A-Z])((${A}{20})\\.([0-9]{1,12})\\.${A}{16}\\.([0-9]{1,15})\\.([0-9]{1,9})`
  + `\\.([0-9]{1,15})\\.([0-9]{1,3}))\\.(${A}{103})(?![0-9A-Z])`,
);
const SPELL = 5;
const WHOLE_BP = 10000n;

export const BY_STAFF = 1;
const AGE_FROM = 3;

// From which age a person is still to look at who takes it along; 0 is everybody.
export const ageOf = (pass) => pass.marks >> AGE_FROM;

// What stands in a pass, or null where there is none; of one without a signature only the sale.
export function read(text) {
  const found = SIGNED.exec(text.toUpperCase());
  if (!found) {
    const short = SHORT.exec(text.toUpperCase());
    return short && { sale: short[1], step: Number(short[2]) };
  }
  const [, said, sale, step, place, pieces, total, marks, signature] = found;
  return {
    said, sale, step: Number(step), place: Number(place), pieces: Number(pieces),
    total: Number(total), marks: Number(marks), signature,
  };
}

export async function isSigned(pass, key) {
  const point = bytes(`04${key.x}${key.y}`);
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const known = await crypto.subtle.importKey("raw", point, curve, false, ["verify"]);
  const signature = bytes(number(pass.signature).toString(16).padStart(128, "0").slice(-128));
  const said = new TextEncoder().encode(pass.said);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, known, signature, said);
}

// When a sale was made, in milliseconds: its id begins with it.
export const madeAt = (sale) => Number(number(sale.slice(0, 10)) >> 2n);

// The rule that chooses this bag, with its chance; null where none does. `versions` are the rules as
// they were taken along, the newest first.
export async function chosen(pass, versions) {
  if (pass.marks & BY_STAFF) return null;
  const made = madeAt(pass.sale);
  const rules = versions.find((each) => each.from <= made);
  const dice = rules?.dice[pass.sale.slice(0, SPELL)];
  if (!dice) return null;
  const chances = [
    ["amount", pass.total >= rules.amount_minor ? rules.amount_bp : 0],
    ["random", rules.random_bp],
  ];
  for (const [rule, rate] of chances) {
    if (rate && (await rolled(dice[rule], pass.sale)) * WHOLE_BP < BigInt(rate) << 64n) {
      return { rule, rate };
    }
  }
  return null;
}

async function rolled(die, sale) {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes(die), hmac, false, ["sign"]);
  const made = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(sale));
  return new DataView(made).getBigUint64(0);
}

function number(text) {
  let value = 0n;
  for (const letter of text) value = (value << 5n) | BigInt(LETTERS.indexOf(letter));
  return value;
}

function bytes(hex) {
  return Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
}

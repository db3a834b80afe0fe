// What the code on a pack says beside its number, read as store/catalogue/gs1 reads it: the batch,
// AI (10), and the last day, AI (17), from a link, a text in brackets, or an element string.

const STEP = /^\u001d*(?:(1[1-35-7])([0-9]{6})|(10|21|22)([^\u001d]{1,20}))/;

// Scanners spell the separator, which no key writes.
const SPELLED = /[<{[](?:GS|FNC1|0x1d)[>}\]]|\\(?:x|u00)1d|~d029|[\u241d\u2194]|\^\]/gi;

export function pack(scanned) {
  const found = {}, text = scanned.startsWith("http") ? scanned : scanned.replace(SPELLED, "\u001d");
  const link = /^https?:[^?#]*\/01\/[0-9]{8,14}([^?#]*)\??([^#]*)/.exec(text);
  if (link) {
    found[10] = decoded(/\/10\/([^/]+)/.exec(link[1])?.[1]);
    found[17] = new URLSearchParams(link[2]).get("17");
  } else if (text.startsWith("(")) {
    for (const [, ai, value] of text.matchAll(/\((10|17)\) ?([^(\u001d]+)/g)) found[ai] = value.trim();
  } else {
    let rest = /^(?:\][A-Za-z][0-9]|\u001d)*01[0-9]{14}(.*)$/s.exec(text)?.[1] ?? "";
    for (let step = STEP.exec(rest); step; step = STEP.exec(rest)) {
      found[step[1] ?? step[3]] = step[2] ?? step[4];
      rest = rest.slice(step[0].length);
    }
  }
  const batch = found[10] ?? "";
  return { batch: batch.length <= 20 ? batch : "", last: day(found[17]) };
}

// As days are written: 270400 is the last of April.
function day(digits) {
  if (!/^[0-9]{6}$/.test(digits ?? "")) return "";
  const [year, month, of] = digits.match(/../g).map(Number);
  const last = of || new Date(Date.UTC(2000 + year, month, 0)).getUTCDate();
  return `20${digits.slice(0, 4).replace(/(..)$/, "-$1")}-${String(last).padStart(2, "0")}`;
}

function decoded(text) {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return "";
  }
}

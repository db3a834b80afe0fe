// Until which day somebody was born who is so old today, where the shop is (store/sales/ages/ages.py): in
// words of the page's language.

export function bornBy(age, now, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "numeric", day: "numeric" })
    .formatToParts(new Date(now));
  const [year, month, day] = ["year", "month", "day"].map((name) => Number(parts.find(({ type }) => type === name).value));
  // Who was born on 29 February turns a year older on 1 March of a year that has none.
  const last = new Date(Date.UTC(year - age, month, 0)).getUTCDate();
  const born = new Date(Date.UTC(year - age, month - 1, Math.min(day, last)));
  const { lang } = document.documentElement;
  return born.toLocaleDateString(lang === "en" ? "en-GB" : lang, { dateStyle: "long", timeZone: "UTC" });
}

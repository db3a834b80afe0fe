// The line that says how many acts wait on this device, and the page that lists them: each can be
// tried, opened, or dropped.

const { Kept } = self;
const root = document.querySelector("[data-late]");
const list = document.querySelector("[data-late-list]");
const { person } = root.dataset;
const COLON = document.documentElement.lang.startsWith("zh") ? "：" : ": ";

// What a form says, in the words of its page: [label, value] of each field that a person filled in.
export function words(form, submitter) {
  const found = [];
  for (const field of form.elements) {
    if (!field.name || ["hidden", "submit", "button"].includes(field.type) || !field.value) continue;
    const label = field.labels?.[0]?.textContent.trim() || field.ariaLabel || "";
    found.push([label, field.selectedOptions?.[0]?.textContent.trim() ?? field.value]);
  }
  const text = submitter?.textContent.trim();
  if (submitter?.name && text) found.push(["", text]);
  return found;
}

export async function draw(trouble = "") {
  const all = await Kept.all().catch(() => []);
  const own = all.filter((act) => act.person === person);
  const waits = own.filter(({ why }) => !why).length;
  const refused = own.length - waits;
  const line = root.querySelector("[data-late-line]");
  line.hidden = !own.length;
  const part = (name) => line.querySelector(`[data-late-${name}]`);
  part("waits").textContent = root.dataset.waitsSome.replace("#", waits);
  part("waits").hidden = !waits;
  part("refused").textContent = refused === 1 ? root.dataset.waitsRefusedOne : root.dataset.waitsRefusedMany.replace("#", refused);
  part("refused").hidden = !refused;
  part("trouble").textContent = root.dataset[trouble] ?? "";
  part("send").hidden = !waits;
  line.classList.toggle("warn", refused > 0);
  if (list) drawList(own, all.length - own.length);
}

// As the shop writes moments: English is read on both sides of the Atlantic.
export function moment(at, form) {
  const { lang } = document.documentElement;
  return new Date(at).toLocaleString(lang === "en" ? "en-GB" : lang, form);
}

function drawList(own, others) {
  list.querySelector("[data-late-rows]").replaceChildren(...own.map(row));
  list.querySelector("[data-late-none]").hidden = own.length > 0;
  const note = list.querySelector("[data-late-others]");
  note.hidden = !others;
  note.textContent = others === 1 ? note.dataset.one : note.dataset.many.replace("#", others);
}

function row(act) {
  const made = list.querySelector("template").content.cloneNode(true).firstElementChild;
  const part = (name) => made.querySelector(`[data-part="${name}"]`);
  part("what").textContent = act.what;
  part("words").textContent = act.words.map(([label, value]) => (label ? label + COLON + value : value)).join(" · ");
  part("when").textContent = moment(act.at, { dateStyle: "medium", timeStyle: "short" });
  part("when").dateTime = new Date(act.at).toISOString();
  const why = act.why && reason(act.why);
  part("why").hidden = !why;
  part("waits").hidden = Boolean(why);
  if (why) {
    part("heading").textContent = why.heading || part("heading").dataset.else;
    part("text").textContent = why.text;
  }
  part("open").href = act.why?.next ?? act.page;
  part("try").addEventListener("click", () => again(act, act.fields));
  const question = why?.question;
  part("question").hidden = !question;
  if (question) {
    part("question").textContent = question.label;
    part("question").addEventListener("click", () => again(act, question.fields));
  }
  part("drop").addEventListener("click", async (event) => {
    if (!window.confirm(event.currentTarget.dataset.sure)) return;
    await Kept.drop(act.number);
    await draw();
  });
  return made;
}

// The same act under the same key: it was refused, so nothing was done under it.
async function again(act, fields) {
  await Kept.put({ ...act, fields, why: null, tries: 0 });
  root.querySelector("[data-late-send]").click();
}

// What the page of a refusal says, and the question that it asks.
function reason({ page, said }) {
  if (!page) return { heading: "", text: (said ?? []).join(" ") };
  const read = new DOMParser().parseFromString(page, "text/html");
  const text = (selector) => read.querySelector(selector)?.textContent.trim() ?? "";
  const form = [...read.querySelectorAll(".bar form")].find((one) => one.elements.again);
  const label = form?.querySelector("button")?.textContent.trim();
  const fields = form && [...new FormData(form)].filter(([name]) => !/^(late_|csrf$|back$)/.test(name));
  return { heading: text("h1"), text: text(".empty p"), question: label ? { label, fields } : null };
}

// The studio with script: the sheet shows what will be printed, and its cells can be tapped.
// Without script the same form works by its fields alone.

const form = document.querySelector("[data-studio]");

for (const select of document.querySelectorAll("[data-at-once]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

if (form) {
  const { sheet, copies, skip, all, languages, dpi } = form.elements;
  const boxes = [...form.querySelectorAll("[name=item]")];
  const picture = form.querySelector("[data-sheet]");
  const sample = form.querySelector("[data-sample]");
  const counter = document.querySelector("[data-count]");

  const format = () => sheet.selectedOptions[0].dataset;
  const perPage = () => Number(format().columns) * Number(format().rows);
  const number = (field) => Math.max(Number.parseInt(field.value, 10) || 0, 0);

  function chosen() {
    return all.checked ? Number(form.dataset.many) : boxes.filter((box) => box.checked).length;
  }

  // Only the changed addresses are asked for again.
  function show(image, address) {
    const wanted = new URL(address, document.baseURI).href;
    if (image.src !== wanted) image.src = wanted;
  }

  function draw() {
    skip.max = perPage() - 1;
    if (number(skip) > skip.max) skip.value = 0;
    const count = chosen() * Math.max(number(copies), 1);
    counter.textContent = count ? `· ${count.toLocaleString(document.documentElement.lang)}` : "";
    const how = { sheet: sheet.value, languages: languages.value };
    const roll = "roll" in format();
    form.querySelector("[data-printer]").hidden = !roll;
    skip.closest(".field").hidden = roll;
    if (roll) how.dpi = dpi.value;
    show(picture, count ? page(how) : `${picture.dataset.url}?${new URLSearchParams(how)}`);
    const item = (boxes.find((box) => box.checked) ?? boxes[0]).value;
    show(sample, `${sample.dataset.url}&${new URLSearchParams({ ...how, item })}`);
  }

  // The very page that comes out of the printer: the items that stand on it are enough.
  function page(how) {
    const query = new URLSearchParams({ ...how, skip: number(skip), copies: number(copies) });
    for (const name of ["at", "which", "q", "category", "seller", "shelf"]) {
      query.set(name, form.elements[name].value);
    }
    if (all.checked) query.set("all", "1");
    else {
      const chosenBoxes = boxes.filter((box) => box.checked).slice(0, perPage());
      chosenBoxes.forEach((box) => query.append("item", box.value));
    }
    return `${picture.dataset.pageUrl}?${query}`;
  }

  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  boxes.forEach((box) => box.addEventListener("change", () => { all.checked = false; }));
  form.addEventListener("change", draw);
  form.addEventListener("input", (event) => { if (event.target.type === "number") draw(); });
  window.addEventListener("pageshow", draw);

  picture.classList.add("tappable");
  form.querySelector("[data-tap]").hidden = !picture.offsetParent;
  picture.addEventListener("click", (event) => {
    const [pageWidth, pageHeight] = format().page.split(" ").map(Number);
    const [left, top, across, down] = format().place.split(" ").map(Number);
    const box = picture.getBoundingClientRect();
    const column = ((event.clientX - box.left) / box.width * pageWidth - left) / across;
    const row = ((event.clientY - box.top) / box.height * pageHeight - top) / down;
    const within = (at, many) => Math.min(Math.max(Math.floor(at), 0), Number(many) - 1);
    const { columns, rows } = format();
    skip.value = within(row, rows) * Number(columns) + within(column, columns);
    draw();
  });
}

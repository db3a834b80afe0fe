// The chart of takings over time. It draws the figures of the table beside it and has none of its
// own; without this script the table says the same.

const table = document.querySelector("table[data-chart]");
const place = table && document.getElementById(table.dataset.chart);

if (place && window.uPlot) {
  const rows = [...table.querySelectorAll("tbody tr")];
  const unit = 10 ** Number(table.dataset.decimals);
  const labels = rows.map((row) => row.dataset.label);
  const data = [
    rows.map((_, at) => at),
    rows.map((row) => Number(row.dataset.now) / unit),
    rows.map((row) => Number(row.dataset.before) / unit),
  ];
  if (rows.length > 1 && (data[1].some(Boolean) || data[2].some(Boolean))) {
    place.hidden = false;
    legend();
    let chart = draw(data, labels);
    const again = () => { chart.destroy(); chart = draw(data, labels); };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    let wait;
    new ResizeObserver(() => {
      clearTimeout(wait);
      wait = setTimeout(() => chart.setSize(size()), 60);
    }).observe(place);
    // Paper has another width and other colours.
    matchMedia("print").addEventListener("change", again);
  }
}

function size() {
  return { width: place.clientWidth, height: place.clientWidth < 600 ? 200 : 260 };
}

function legend() {
  const list = document.createElement("p");
  list.className = "chart-legend";
  for (const name of ["now", "before"]) {
    if (!place.dataset[name]) continue;
    const entry = document.createElement("span");
    entry.className = `chart-${name}`;
    entry.textContent = place.dataset[name];
    list.append(entry);
  }
  place.before(list);
}

function draw(data, labels) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = `13px ${colour("--font")}`;
  const short = new Intl.NumberFormat(table.dataset.locale, {
    notation: "compact", maximumFractionDigits: 1,
  });
  const axis = { stroke: colour("--quiet"), font, ticks: { show: false } };
  const paths = uPlot.paths;
  return new uPlot({
    ...size(),
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.6, labels.length - 0.4] },
      y: { range: (_, least, most) => [Math.min(0, least), Math.max(most, 1) * 1.05] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        splits: (chart) => splits(labels, chart.width),
        values: (_, at) => at.map((one) => labels[one] ?? ""),
      },
      {
        ...axis,
        size: 56,
        space: 44,
        grid: { stroke: colour("--line"), width: 1 },
        values: (_, at) => at.map((one) => short.format(one)),
      },
    ],
    series: [
      {},
      {
        fill: colour("--accent-ink"),
        width: 0,
        points: { show: false },
        paths: paths.bars({ size: [0.64, 44], radius: [0.12, 0] }),
      },
      {
        // A mark over each bar: what the same weekday brought before.
        stroke: colour("--ink"),
        width: 2,
        points: { show: false },
        paths: marks,
      },
    ],
  }, data, place);
}

// Level marks, one for each value, as wide as the bar below it.
function marks(chart, series, first, last) {
  const path = new Path2D();
  const step = chart.valToPos(1, "x", true) - chart.valToPos(0, "x", true);
  const half = Math.max(Math.min(step * 0.42, 28 * devicePixelRatio), 1);
  for (let at = first; at <= last; at++) {
    const value = chart.data[series][at];
    if (!value) continue;
    const x = chart.valToPos(at, "x", true);
    const y = Math.round(chart.valToPos(value, "y", true));
    path.moveTo(x - half, y);
    path.lineTo(x + half, y);
  }
  return { stroke: path };
}

// As many labels as have room, evenly spaced and beginning with the first.
function splits(labels, width) {
  const longest = Math.max(...labels.map((one) => one.length), 2);
  const room = Math.max(Math.floor((width - 72) / (longest * 8 + 18)), 2);
  const every = Math.ceil(labels.length / room);
  return labels.map((_, at) => at).filter((at) => at % every === 0);
}

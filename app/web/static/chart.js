// Charts of series and forecasts: lines and bands by uPlot, zoom and values by mouse, touch and keyboard.

import uPlot from "./uplot.js";

const ALPHA = 0.16; // of a band; those of lower levels lie on those of higher ones
const DATES = {
  year: { year: "numeric" },
  quarter: { year: "numeric", month: "short" },
  month: { year: "numeric", month: "short" },
  week: { dateStyle: "medium" },
  day: { dateStyle: "medium" },
  time: { dateStyle: "medium", timeStyle: "short" },
};

const DAY = 86400; // seconds, as all of these
const TICKS = [
  [360 * DAY, { year: "numeric" }],
  [27 * DAY, { year: "numeric", month: "short" }],
  [DAY, { month: "short", day: "numeric" }],
  [0, { weekday: "short", hour: "2-digit", minute: "2-digit" }],
];

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["history", "median", "mean", "tested", "band", "quiet", "line"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export function axes({ values, language, compact }) {
  const shown = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 5 });
  const common = { stroke: () => colours().quiet, font: "13px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: () => colours().line, width: 1 };
  return [
    { ...common, grid: { show: false }, ...(values && { values }), space: 80 },
    { ...common, grid, size: compact ? 56 : 72, values: (_, ticks) => ticks.map((tick) => shown.format(tick)) },
  ];
}

function dateText(block) {
  if (block.unit === "number") return (x) => String(x);
  const format = new Intl.DateTimeFormat(block.language, { ...DATES[block.unit], timeZone: "UTC" });
  return (x) => {
    const date = new Date(x * 1000);
    if (block.unit === "quarter") return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`;
    return format.format(date);
  };
}

function numberText(block) {
  const precision = block.precision || 0;
  const digits = precision ? { maximumFractionDigits: Math.max(0, Math.ceil(-Math.log10(precision))) } : { maximumSignificantDigits: 5 };
  const plain = new Intl.NumberFormat(block.language, digits);
  const large = (value) => Math.max(2, precision ? Math.floor(Math.log10(Math.abs(value) / precision)) + 1 : 4);
  const words = (value) => new Intl.NumberFormat(block.language, { notation: "compact", compactDisplay: "long", maximumSignificantDigits: Math.min(15, large(value)) });
  return (value) => {
    const near = precision ? Math.round(value / precision) * precision : value;
    return Math.abs(near) >= 1e6 ? words(near).format(near) : plain.format(near);
  };
}

const STYLES = {
  history: { width: 2, points: { show: false } },
  median: { width: 2.5, points: { show: false } },
  mean: { width: 1.5, dash: [2, 4], points: { show: false } },
  tested: { width: 1.5, dash: [6, 4], points: { show: false }, spanGaps: true },
};

function seriesOf(line) {
  if (line.role === "lo" || line.role === "hi") return { stroke: "transparent", width: 0, points: { show: false } };
  return { ...STYLES[line.role], stroke: () => colours()[line.role] };
}

function bandsOf(lines) {
  const at = (role, level) => lines.findIndex((line) => line.role === role && line.level === level) + 1;
  const levels = lines.filter((line) => line.role === "hi").map((line) => line.level);
  return levels.map((level) => ({ series: [at("hi", level), at("lo", level)], fill: () => `rgba(${colours().band}, ${ALPHA})` }));
}

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.block = JSON.parse(figure.querySelector("script").textContent);
    this.words = figure.dataset;
    this.place = figure.querySelector(".plot");
    this.readout = figure.querySelector(".readout");
    this.date = dateText(this.block);
    this.number = numberText(this.block);
    this.plot = this.draw();
    this.whole = [this.block.x[0], this.block.x.at(-1)];
    if (this.block.begin) this.zoom(this.block.x[this.block.begin], this.whole[1]);
    this.describe();
    figure.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.plot.setSize(this.size())).observe(this.place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plot.redraw());
  }

  size() {
    const tall = this.figure.classList.contains("tall");
    return { width: this.place.clientWidth, height: tall ? Math.max(280, Math.min(420, innerHeight * 0.5)) : 240 };
  }

  draw() {
    const { x, lines, unit, language } = this.block;
    const values = unit === "number" ? (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : "")) : (_, ticks) => this.dates(ticks);
    const options = {
      ...this.size(),
      series: [{}, ...lines.map(seriesOf)],
      bands: bandsOf(lines),
      scales: { x: { time: unit !== "number" } },
      axes: axes({ values, language, compact: this.place.clientWidth < 480 }),
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { show: false } },
      tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
      hooks: { setCursor: [(plot) => this.read(plot.cursor.idx)] },
    };
    return new uPlot(options, [x, ...lines.map((line) => line.y)], this.place);
  }

  dates(ticks) {
    const apart = ticks.length > 1 ? ticks[1] - ticks[0] : DAY;
    const parts = TICKS.find(([least]) => apart >= least)[1];
    const format = new Intl.DateTimeFormat(this.block.language, { ...parts, timeZone: "UTC" });
    return ticks.map((tick) => format.format(new Date(tick * 1000)));
  }

  zoom(min, max) {
    this.plot.setScale("x", { min, max });
  }

  key(event) {
    const { min, max } = this.plot.scales.x;
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key in moves) this.step(moves[event.key]);
    else if (event.key === "+") this.zoom(min + (max - min) / 4, max - (max - min) / 4);
    else if (event.key === "-") this.zoom(Math.max(this.whole[0], min - (max - min) / 2), Math.min(this.whole[1], max + (max - min) / 2));
    else if (event.key === "0") this.zoom(...this.whole);
    else return;
    event.preventDefault();
  }

  step(by) {
    const last = this.block.x.length - 1;
    const from = this.plot.cursor.idx ?? last;
    const idx = Math.max(0, Math.min(last, from + by));
    const x = this.block.x[idx];
    const { min, max } = this.plot.scales.x;
    if (x < min || x > max) this.zoom(x - (max - min) / 2, x + (max - min) / 2);
    this.plot.setCursor({ left: this.plot.valToPos(x, "x"), top: 0 });
    this.read(idx);
  }

  read(idx) {
    if (idx === null || idx === undefined) return;
    const { x, lines } = this.block;
    const said = lines.filter((line) => line.role in STYLES && line.y[idx] !== null).map((line) => `${this.words[`words${line.role[0].toUpperCase()}${line.role.slice(1)}`]} ${this.number(line.y[idx])}`);
    const bands = lines.filter((line) => line.role === "lo" && line.y[idx] !== null && lines[0].y[idx] === null);
    const high = (level) => lines.find((line) => line.role === "hi" && line.level === level).y[idx];
    const between = bands.map((line) => `${this.words.wordsBand.replace("{level}", line.level)} ${this.number(line.y[idx])} – ${this.number(high(line.level))}`);
    this.readout.textContent = [`${this.date(x[idx])}:`, [...new Set(said), ...between].join(" · ")].join(" ");
  }

  describe() {
    const list = document.createElement("ul");
    list.className = "legend";
    const roles = [...new Set(this.block.lines.map((line) => line.role))].filter((role) => role in STYLES);
    for (const role of roles) list.append(legendEntry(role, this.words[`words${role[0].toUpperCase()}${role.slice(1)}`]));
    const bands = this.block.lines.filter((each) => each.role === "lo");
    bands.forEach((line, i) => list.append(legendEntry("band", this.words.wordsBand.replace("{level}", line.level), i)));
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.words.wordsWhole;
    button.addEventListener("click", () => this.zoom(...this.whole));
    item.append(button);
    list.append(item);
    if (this.figure.closest(".panels")) this.place.after(list);
    else this.place.before(list);
    this.readout.textContent = this.words.wordsKeys;
  }
}

export function legendEntry(role, text, depth = 0) {
  const item = document.createElement("li");
  const opacity = 1 - (1 - ALPHA) ** (depth + 1);
  const mark = role === "band" ? `<rect width="24" height="12" fill="rgb(${colours().band})" fill-opacity="${opacity}"/>` : `<path d="M0 6h24" fill="none" stroke="var(--${role})" stroke-width="${STYLES[role].width}" stroke-dasharray="${(STYLES[role].dash ?? []).join(" ")}"/>`;
  item.innerHTML = `<svg viewBox="0 0 24 12" aria-hidden="true">${mark}</svg>`;
  item.append(text);
  return item;
}

for (const figure of document.querySelectorAll("[data-chart]")) new Chart(figure);

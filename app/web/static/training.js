// A training while it runs: phase, share done, time left, and the curve of its loss, by server-sent events.

import uPlot from "./uplot.js";
import { axes, colours, legendEntry } from "./chart.js";

const view = document.querySelector("[data-follow]");
const words = view.dataset;
const figure = view.querySelector("[data-loss]");
const place = figure.querySelector(".plot");
const losses = [[], [], []];
let plot = null;

function timeLeft(end) {
  const seconds = Math.max(0, Math.round((new Date(end) - Date.now()) / 1000));
  const [amount, unit] = seconds < 90 ? [seconds, "second"] : [Math.round(seconds / 60), "minute"];
  const shown = new Intl.NumberFormat(words.language, { style: "unit", unit, unitDisplay: "long" });
  return words.wordsLeft.replace("{time}", shown.format(amount));
}

function draw(progress) {
  if (progress.loss === null) return;
  const x = progress.share_done * 100;
  if (x <= losses[0].at(-1)) return;
  losses[0].push(x);
  losses[1].push(progress.loss);
  losses[2].push(progress.validation_loss);
  if (losses[0].length < 2) return;
  figure.hidden = false;
  plot ??= begin();
  plot.setData(losses);
}

function begin() {
  const entries = [legendEntry("median", words.wordsLoss), legendEntry("tested", words.wordsValidation)];
  figure.querySelector(".legend").replaceChildren(...entries);
  const series = [
    {},
    { stroke: () => colours().median, width: 2, points: { show: false } },
    { stroke: () => colours().tested, width: 2, dash: [6, 4], points: { show: false } },
  ];
  const size = { width: place.clientWidth, height: 220 };
  const options = { ...size, series, legend: { show: false }, scales: { x: { time: false, range: [0, 100] } }, axes: axes({}) };
  return new uPlot(options, losses, place);
}

function update({ progress }) {
  view.querySelector("[data-phase]").textContent = view.getAttribute(`data-phase-${progress.phase}`);
  view.querySelector("progress").value = progress.share_done;
  view.querySelector("[data-left]").textContent = progress.estimated_end ? timeLeft(progress.estimated_end) : "";
  draw(progress);
}

const events = new EventSource(words.follow);
events.addEventListener("progress", (event) => update(JSON.parse(event.data)));
for (const end of ["succeeded", "failed", "cancelled"]) {
  events.addEventListener(end, () => {
    events.close();
    location.reload();
  });
}

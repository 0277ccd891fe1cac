// A training while it runs: phase, share done, time left, and the curve of its loss, by server-sent events.

import uPlot from "./uplot.js";
import { axes, colours } from "./chart.js";

const view = document.querySelector("[data-follow]");
const words = view.dataset;
const place = view.querySelector("[data-loss] .plot");
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
  losses[0].push(losses[0].length + 1);
  losses[1].push(progress.loss);
  losses[2].push(progress.validation_loss);
  const series = [
    {},
    { label: words.wordsLoss, stroke: () => colours().median, width: 2 },
    { label: words.wordsValidation, stroke: () => colours().tested, width: 2 },
  ];
  const size = { width: place.clientWidth, height: 220 };
  plot ??= new uPlot({ ...size, series, scales: { x: { time: false } }, axes: axes({}) }, losses, place);
  plot.setData(losses);
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

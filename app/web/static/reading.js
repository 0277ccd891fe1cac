// A dropped file: shown as it would be read, again after each choice, then stored.

import { call, show } from "./calls.js";

const form = document.getElementById("upload");
const place = document.getElementById("reading");
const words = form.dataset;
let file = null;
let said = {};

function content() {
  const data = new FormData();
  data.append("file", file);
  for (const [name, text] of Object.entries(said)) if (text) data.append(name, text);
  return data;
}

function waiting(text) {
  const line = document.createElement("p");
  line.className = "busy";
  line.textContent = text;
  place.hidden = false;
  place.replaceChildren(line);
}

async function read() {
  waiting(words.wordsBusy);
  try {
    const answer = await fetch(words.reading, { method: "POST", body: content(), headers: { "gatecast-part": "1" } });
    place.innerHTML = await answer.text();
    place.querySelector("h2")?.focus();
    place.scrollIntoView({ block: "nearest" });
  } catch {
    waiting(words.wordsFailed);
  }
}

async function store() {
  const output = place.querySelector("output");
  const button = place.querySelector("[type=submit]");
  button.disabled = true;
  button.textContent = words.wordsStoring;
  try {
    const dataset = await call("POST", words.store, { body: content() });
    location.assign(`/ui/datasets/${dataset.id}/forecast`);
  } catch (problem) {
    show(output, problem);
    button.disabled = false;
  }
}

const quoted = (name) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

function sayColumns() {
  const names = { id: [], time: [], target: [], past: [], future: [], static: [], unused: [] };
  for (const select of place.querySelectorAll("[data-column]")) names[select.value].push(select.dataset.column);
  const option = (list) => (list.length === 1 ? list[0] : list.map(quoted).join(","));
  for (const role of ["id", "time", "target"]) said[`${role}_column`] = option(names[role]);
  for (const role of ["past", "future", "static", "unused"]) said[`${role}_columns`] = option(names[role]);
}

function take(chosen) {
  if (!chosen) return;
  file = chosen;
  said = {};
  read();
}

form.elements.file.addEventListener("change", () => take(form.elements.file.files[0]));
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragover", "dragleave", "drop"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files[0]);
  });
}
place.addEventListener("change", ({ target }) => {
  if (target.dataset.column !== undefined) sayColumns();
  else if (target.dataset.choice !== undefined) said[target.name] = target.value.trim();
  else return;
  read();
});
place.addEventListener("click", ({ target }) => {
  const tag = target.closest("[data-unsay]");
  if (!tag) return;
  delete said[tag.dataset.unsay];
  read();
});
place.addEventListener("submit", (event) => {
  event.preventDefault();
  store();
});
document.querySelector("[data-sample]").addEventListener("click", async ({ target }) => {
  const answer = await fetch(target.dataset.sample);
  take(new File([await answer.blob()], "population.csv", { type: "text/csv" }));
});

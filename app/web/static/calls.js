// Forms that call the API: `data-call` is the method and the path, `data-then` where to go with the answer.

const NUMBERS = /^\s*\d+(\s*,\s*\d+)*\s*$/;

function value(field) {
  const text = field.value.trim();
  if (field.type === "checkbox") return field.checked;
  if (field.dataset.type === "number") {
    const number = Number(text.replace(",", "."));
    return text === "" ? null : Number.isNaN(number) ? text : number;
  }
  if (field.dataset.type === "numbers") return NUMBERS.test(text) ? text.split(",").map(Number) : text;
  return text;
}

const isChanged = (field) => (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);

function body(form) {
  if (form.querySelector("input[type=file]")) return { body: new FormData(form) };
  const named = [...form.elements].filter((field) => field.name && field.type !== "submit");
  const fields = "changes" in form.dataset ? named.filter(isChanged) : named;
  const content = Object.fromEntries(fields.map((field) => [field.name, value(field)]));
  if (!named.length) return {};
  return { body: JSON.stringify(content), headers: { "content-type": "application/json" } };
}

export function show(output, problem) {
  output.replaceChildren(problem.detail ?? String(problem));
  output.lang = problem.detail ? "en" : "";
}

export async function call(method, path, options = {}) {
  const answer = await fetch(path, { method, ...options });
  const content = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw content;
  return content;
}

async function submit(event) {
  const form = event.target.closest("form[data-call]");
  if (!form) return;
  event.preventDefault();
  const [method, path] = form.dataset.call.split(" ");
  const output = form.querySelector("output");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  output.replaceChildren();
  try {
    const answer = await call(method, path, body(form));
    const following = form.dataset.then.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name]));
    location.assign(following);
  } catch (problem) {
    show(output, problem);
    button.disabled = false;
  }
}

document.addEventListener("submit", submit);
document.addEventListener("change", (event) => event.target.form?.matches("[data-submit]") && event.target.form.requestSubmit());

// The list of series follows what is typed; the address bar keeps it.

const form = document.querySelector("[data-search]");
const list = document.querySelector(form.dataset.search);
let newest = 0;

async function find() {
  const number = ++newest;
  const query = new URLSearchParams(new FormData(form));
  const address = `${form.getAttribute("action")}?${query}`;
  const answer = await fetch(address, { headers: { "gatecast-part": "1" } });
  const html = await answer.text();
  if (number !== newest) return;
  list.innerHTML = html;
  history.replaceState(null, "", address);
}

form.addEventListener("input", find);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});

// Rows that have left a list fade where they stood, marked as moved, when the list is refreshed.
const SHOWN_MS = 4000;
const rows = document.querySelector("#rows");
let before = [];

const listed = () => [...document.querySelectorAll("#rows [data-row]")];

function leave(gone, next) {
  const ghost = gone.cloneNode(true), at = next?.isConnected ? next : null, body = document.querySelector("#rows tbody");
  if (!body) return;
  ghost.removeAttribute("id");
  ghost.removeAttribute("data-row");
  ghost.setAttribute("inert", "");
  ghost.classList.add("moved");
  const mark = document.createElement("span");
  mark.className = "tag";
  mark.textContent = rows.dataset.moved;
  ghost.querySelector(".job-name")?.append(" ", mark);
  body.insertBefore(ghost, at);
  setTimeout(() => ghost.remove(), SHOWN_MS);
}

if (rows?.dataset.moved) {
  rows.addEventListener("hf-refresh", () => { before = listed().map((row) => ({ row: row.cloneNode(true), id: row.id, next: row.nextElementSibling?.id })); });
  document.addEventListener("htmx:after:swap", () => {
    const listedNow = new Set(listed().map((row) => row.id)), known = new Set(before.map((one) => one.id));
    const last = before.findLastIndex((one) => listedNow.has(one.id)), isPushed = [...listedNow].some((id) => !known.has(id));
    // Those below the last that is left may only have been pushed to the next page by newer ones.
    const gone = before.filter((one, n) => !listedNow.has(one.id) && (n < last || (!isPushed && last >= 0)));
    for (const one of gone.reverse()) leave(one.row, document.getElementById(one.next ?? ""));
    before = [];
  });
}

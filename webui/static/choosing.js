// Choosing rows of a list, and the questions before something is done with them.
import { locale } from "./times.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

// -- choosing rows ---------------------------------------------------------------------------------------------
const boxes = () => $$('input[name="jobs[]"][type=checkbox]');
let lastBox = null;

function chosen() {
  const all = boxes(), count = all.filter((box) => box.checked).length;
  const told = count ? count.toLocaleString(locale) : "";
  for (const place of $$("[data-chosen]")) place.textContent = told;
  for (const button of $$("[data-needs-chosen]")) button.disabled = count === 0;
  for (const box of $$("[data-all]")) { box.checked = count > 0 && count === all.length; box.indeterminate = count > 0 && !box.checked; }
  for (const more of $$("[data-all-matching]")) more.hidden = !count || count < all.length;
}

/** Choose a row as a click with the shift key does: all from the last one on. */
export function chooseUpTo(box) {
  const all = boxes();
  if (lastBox && all.includes(lastBox)) {
    const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(from, to + 1)) between.checked = box.checked;
  }
  lastBox = box;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.('input[name="jobs[]"]');
  if (!box) return;
  if (event.shiftKey) chooseUpTo(box);
  lastBox = box;
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-all]")) for (const box of boxes()) box.checked = event.target.checked;
  chosen();
});
document.addEventListener("htmx:after:swap", chosen);
chosen();

// What stands in a menu of a row is fetched when it is opened.
document.addEventListener("toggle", (event) => { if (event.target.open) event.target.dispatchEvent(new CustomEvent("hf-open")); }, true);
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (menu) { menu.open = false; $("summary", menu).focus(); }
});

// -- questions before damage -----------------------------------------------------------------------------------
const SAMPLES = 3;

// Which jobs it is about: a few of them by name, and how many.
function about(button) {
  const rows = button?.dataset.needsChosen === undefined ? [] : $$("[data-row]").filter((row) => $('input[name="jobs[]"]:checked', row));
  const names = rows.slice(0, SAMPLES).map((row) => {
    const item = document.createElement("li");
    item.textContent = `${$(".job-name", row)?.textContent.trim() ?? ""} ${row.id.replace("job-", "#")}`.trim();
    return item;
  });
  if (rows.length > SAMPLES) names.push(Object.assign(document.createElement("li"), { textContent: "…" }));
  return { count: rows.length, names };
}

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  const question = button?.dataset.confirm || form.dataset.confirm;
  if (!question || form.dataset.sure) return;
  event.preventDefault();
  const dialog = $("#confirm"), { count, names } = about(button), yes = $('[data-answer="yes"]', dialog);
  yes.dataset.plain ??= yes.textContent;
  yes.textContent = count ? button.textContent.trim() : yes.dataset.plain;
  $("#confirm-text").textContent = question;
  $("#confirm-about").replaceChildren(...names);
  $("#confirm > p").hidden = !(button?.getAttribute("formaction") || form.action).includes("/delete");
  dialog.onclick = (click) => {
    const answer = click.target.closest("[data-answer]")?.dataset.answer;
    if (!answer) return;
    dialog.close();
    if (answer === "yes") { form.dataset.sure = "1"; form.requestSubmit(button || undefined); }
  };
  dialog.showModal();
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// The logs of a job: lines from a level on, lines with a word, wrapped or not; and the state in the window's title.
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const wanted = { level: 0, text: "", wrap: true };

function sift() {
  for (const tool of $$("[data-console]")) { // a refresh of the page has set them back
    if (tool.type === "checkbox") tool.checked = wanted.wrap;
    else if (tool !== document.activeElement) tool.value = wanted[tool.dataset.console];
  }
  for (const log of $$(".console")) {
    log.classList.toggle("nowrap-lines", !wanted.wrap);
    for (const line of $$("p", log)) {
      const level = LEVELS.indexOf(line.className);
      const hidden = (level >= 0 && level < wanted.level) || (wanted.text && !line.textContent.toLowerCase().includes(wanted.text));
      if (line.hidden !== Boolean(hidden)) line.hidden = Boolean(hidden);
    }
  }
}

document.addEventListener("input", (event) => {
  const tool = event.target.closest?.("[data-console]");
  if (!tool) return;
  if (tool.type === "checkbox") wanted.wrap = tool.checked;
  else wanted[tool.dataset.console] = tool.dataset.console === "level" ? Number(tool.value) : tool.value.trim().toLowerCase();
  sift();
});

const job = document.querySelector("#job");
const suffix = document.title.slice(job.dataset.title.length);
document.addEventListener("htmx:after:swap", () => {
  document.title = document.querySelector("#job").dataset.title + suffix;
  sift();
});
new MutationObserver((changes) => {
  if (changes.some((one) => [...one.addedNodes].some((node) => node.nodeName === "P"))) sift();
}).observe(job, { childList: true, subtree: true });

// What the pages do beyond links and forms: live counts and regions, choosing rows, keys, copying, charts.
import { install, uninstall } from "./vendor/hotkey-3.1.4.js";
import { chooseUpTo } from "./choosing.js";
import { locale, timeZone } from "./times.js";
import { NotificationHub, Toasts } from "./notifications.js";

const body = document.body;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

// -- live: one light poll; a region is fetched only when something changed of what it is about ------------------
const live = { rev: body.dataset.rev, topics: JSON.parse(body.dataset.topics || "{}"), counts: {}, seconds: Number(body.dataset.live) || 0, wait: 0, timer: 0 };
const lamp = $("#live");
const away = $("#away");

const isHeld = (region) =>
  document.hidden || $("dialog[open]") || $("details.menu[open]") || String(getSelection()).length > 0 ||
  $$('input[name="jobs[]"]:checked', region).length > 0 || hasUnsent(region);

// What somebody has typed into a field and not sent yet.
const hasUnsent = (region) => [document.activeElement, ...$$("input, textarea", region)].some((field) =>
  field?.matches?.("input:not([type=checkbox], [type=radio], [type=hidden], [data-console]), textarea") && field.value !== field.defaultValue);

// topics: those that changed, all when it is not given. A region names its own; `tick` is one that changes at each look.
function refresh(topics) {
  for (const region of $$("[data-live-region]")) {
    const mine = region.dataset.liveRegion.split(" ").filter((one) => one && topics && topics.includes(one));
    if (!mine.length && topics && region.dataset.liveRegion) continue;
    if (!isHeld(region)) bring(region);
    else if (String(mine) !== "tick") { region.dataset.missed = "1"; offer(region); }
  }
}

function bring(region) {
  delete region.dataset.missed;
  region.previousElementSibling?.matches(".newer") && region.previousElementSibling.remove();
  region.dispatchEvent(new CustomEvent("hf-refresh"));
}

// What is held back while somebody reads or chooses is had by a press; how much it is, where the counts tell.
function offer(region) {
  if (document.hidden || region.id !== "rows") return;
  let button = region.previousElementSibling;
  if (!button?.matches(".newer")) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "newer";
    button.onclick = () => bring(region);
    region.before(button);
  }
  const more = live.counts[region.dataset.counted]?.value - region.dataset.known;
  button.textContent = more > 0 ? body.dataset.textNewerRows.replace("|", more.toLocaleString(locale)) : body.dataset.textNewer;
}

function tell(state) {
  if (!lamp) return;
  lamp.dataset.live = state;
  lamp.setAttribute("aria-pressed", String(live.seconds > 0));
  lamp.querySelector("span").textContent = live.seconds ? lamp.dataset.on : lamp.dataset.off;
}

// On and off by a press, here and on the pages that are opened next.
const PAUSED = "taskmanager-live-paused";
if (localStorage.getItem(PAUSED) && live.seconds) { live.seconds = 0; tell("off"); }

function toggle() {
  live.seconds = live.seconds ? 0 : Number(body.dataset.live) || 5;
  if (live.seconds) localStorage.removeItem(PAUSED);
  else localStorage.setItem(PAUSED, "1");
  tell(live.seconds ? "on" : "off");
  poll();
}
if (lamp) lamp.onclick = toggle;

async function poll() {
  clearTimeout(live.timer);
  if (!live.seconds || document.hidden) { live.source?.close(); live.source = null; }
  if (!live.seconds) return;
  let pause = live.seconds;
  try {
    if (live.source) hear(null);
    else if (!document.hidden) {
      const answer = await fetch(`${body.dataset.stats}?rev=${live.rev}`, { headers: { "X-Requested-With": "poll", Accept: "application/json" } });
      if (answer.status === 401 || answer.status === 403) { tell("away"); show(body.dataset.textEnded); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      hear(answer.status === 204 ? null : await answer.json());
      if (answer.headers.has("X-Live-Stream") && !live.isDeaf) (await import("./livestream.js")).listen(live, hear);
    }
  } catch {
    live.wait = Math.min(60, (live.wait || 1) * 2);
    pause = live.wait * (0.75 + Math.random() / 2);
    tell("away");
    if (away.hidden) show(`${body.dataset.textAway} ${new Date().toLocaleTimeString(locale, { timeZone })}`);
  }
  live.timer = setTimeout(poll, pause * 1000);
}

// news: what an answer told; null when nothing has changed.
function hear(news) {
  refresh([...(news ? take(news) : []), "tick"]);
  document.dispatchEvent(new CustomEvent("tm-poll", { detail: news }));
  if (!news?.stale) { tell("on"); away.hidden = true; live.wait = 0; }
  for (const region of $$("[data-missed]")) if (!isHeld(region)) bring(region);
}

// Show the counts, and tell the page which topics changed: `hf:TOPIC` on its body for each.
function take(news) {
  live.rev = news.rev;
  live.counts = news.counts;
  for (const place of $$("[data-count]")) {
    const count = news.counts[place.dataset.count];
    if (!count) continue;
    if (place.textContent !== count.text) place.textContent = count.text;
    place.toggleAttribute("data-zero", count.value === 0 && place.classList.contains("count"));
  }
  const changed = Object.keys(news.topics).filter((topic) => news.topics[topic] !== live.topics[topic]);
  live.topics = news.topics;
  for (const topic of changed) body.dispatchEvent(new CustomEvent(`hf:${topic}`));
  return changed;
}

function show(text) {
  away.hidden = false;
  away.querySelector("span").textContent = text;
}

document.addEventListener("tm-refresh", () => refresh());
document.addEventListener("focusin", async ({ target }) => { if (target.dataset?.suggest) (await import("./suggest.js")).suggest(target); });
document.addEventListener("visibilitychange", () => { if (!document.hidden || live.source) poll(); });
if (live.seconds) live.timer = setTimeout(poll, live.seconds * 1000);

// -- what this user is told ------------------------------------------------------------------------------------
if (body.dataset.hub && live.seconds) {
  const corner = $("#toasts"), { close, success, error, info, warning } = corner.dataset;
  const toasts = new Toasts({ place: corner, closeLabel: close, labels: { Success: success, Error: error, Info: info, Warning: warning } });
  new NotificationHub(body.dataset.hub).on("ReceiveNotification", (type, message) => toasts.show(type, message)).start();
}

// -- spans that go on: told in seconds after the page was made, so that no clock but one counts -----------------
const begun = new WeakMap();

function lasting(ms) {
  const seconds = Math.floor(ms / 1000), parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = Math.max(0, parts.findIndex(([, size]) => seconds >= size));
  if (seconds < 60) return `${seconds} s`;
  return parts.slice(first, first + 2).map(([unit, size], n) => `${Math.floor((n ? seconds % parts[first][1] : seconds) / size)} ${unit}`).join(" ");
}

setInterval(() => {
  if (!live.seconds || document.hidden) return;
  for (const place of $$("[data-lasting]")) {
    const known = begun.get(place);
    if (known?.ms === place.dataset.lasting) place.textContent = lasting(Number(known.ms) + performance.now() - known.at);
    else begun.set(place, { ms: place.dataset.lasting, at: performance.now() });
  }
}, 1000);

// -- where one is, in bars that are wider than the window --------------------------------------------------------
for (const at of $$(".nav-main [aria-current], .side [aria-current]")) at.scrollIntoView({ block: "nearest", inline: "center" });

// -- copying ---------------------------------------------------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  try { await navigator.clipboard.writeText(text); } catch {
    const area = document.createElement("textarea"); // plain HTTP has no clipboard
    area.value = text; document.body.append(area); area.select(); document.execCommand("copy"); area.remove();
  }
  button.title = body.dataset.textCopied;
  button.setAttribute("aria-label", body.dataset.textCopied);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form[data-ctrl-enter]");
  if (form) form.requestSubmit($(event.target.id === "arguments" ? "button[name=raw]" : "button.main", form));
});

// -- keys ------------------------------------------------------------------------------------------------------
if (body.dataset.keys === "on") {
  const wire = () => { for (const one of $$("[data-hotkey]")) { uninstall(one); install(one); } };
  wire();
  document.addEventListener("htmx:after:swap", wire);
  // While a dialog asks, no key presses a button behind it.
  document.addEventListener("hotkey-fire", (event) => { if ($("dialog[open]")) event.preventDefault(); }, true);
  const press = (name, step) => {
    const buttons = $$(`button[name="${name}"]`);
    buttons[(buttons.findIndex((one) => one.getAttribute("aria-pressed") === "true") + step + buttons.length) % buttons.length]?.click();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    const rows = $$("[data-row]"), at = rows.findIndex((row) => row.classList.contains("at"));
    const go = (to) => { rows[at]?.classList.remove("at"); rows[to]?.classList.add("at"); rows[to]?.scrollIntoView({ block: "nearest" }); };
    if (event.key === "j") go(Math.min(rows.length - 1, at + 1));
    else if (event.key === "k") go(Math.max(0, at - 1));
    else if (event.key === "x" || event.key === "X") {
      const box = rows[at] && $("input[type=checkbox]", rows[at]);
      if (!box) return;
      if (event.key === "x") { box.click(); return; }
      box.checked = true;
      chooseUpTo(box);
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
    else if (event.key === "Enter" && at >= 0 && event.target === body) $("a", rows[at])?.click();
    else if (event.key === "Escape" && event.target === body && !$("dialog[open]")) $("a[data-back]")?.click();
    else if (event.key === "?") $("#keys-help").showModal();
    else if (event.key === "t") press("theme", 1);
    else if (event.key === "z") press("times", 1);
    else if (event.key === ".") toggle();
  });
}

// Charts: of the front page what ended lately, as it happens, and in each minute, hour or day; of a queue how it went.
import { locale, timeZone } from "./times.js";

const $ = (selector) => document.querySelector(selector);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const names = ["succeeded", "failed", "deleted"];
const DAY = 86400, SHOWN_SECONDS = 300;

// -- series that somebody does not want to see ------------------------------------------------------------------
const HIDDEN = "taskmanager-hidden-series";
const hidden = new Set(JSON.parse(localStorage.getItem(HIDDEN) ?? "[]"));
const plots = [];

function legends() {
  for (const mark of document.querySelectorAll("[data-legend] [data-name]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...mark.childNodes);
    button.onclick = () => {
      const name = mark.dataset.name;
      if (!hidden.delete(name)) hidden.add(name);
      localStorage.setItem(HIDDEN, JSON.stringify([...hidden]));
      tellHidden();
      for (const plot of plots) plot.restack();
    };
    mark.replaceChildren(button);
  }
  tellHidden();
}

function tellHidden() {
  for (const mark of document.querySelectorAll("[data-legend] [data-name]"))
    mark.firstElementChild.setAttribute("aria-pressed", String(!hidden.has(mark.dataset.name)));
}

// -- drawing ---------------------------------------------------------------------------------------------------
// Stacked: each series is drawn as the sum of itself and those below it, the largest first. A gap stays a gap.
function stacked(data, names) {
  const sums = [];
  data.slice(1).forEach((row, n) => {
    const below = sums.at(-1), shown = !hidden.has(names[n]);
    sums.push(row.map((value, i) => (value === null ? null : (shown ? value : 0) + (below?.[i] ?? 0))));
  });
  return [data[0], ...sums.reverse()];
}

function chart(place, data, labels, { stepped = false, least = 4, marks = [], series = names.slice(0, data.length - 1) } = {}) {
  const paths = stepped ? uPlot.paths.bars({ size: [0.8, 60] }) : uPlot.paths.linear();
  const gap = (data[0][1] ?? 0) - data[0][0];
  // Days are counted in UTC, and are those of UTC whoever reads.
  const zone = gap >= DAY ? "UTC" : timeZone;
  const clock = new Intl.DateTimeFormat(locale, gap >= DAY ? { day: "numeric", month: "numeric", timeZone: zone } : { hour: "2-digit", minute: "2-digit", timeZone: zone });
  const figure = new Intl.NumberFormat(locale, { maximumFractionDigits: stepped ? 0 : 1 });
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  const size = () => ({ width: place.clientWidth - 24, height: place.clientHeight - 12 });
  const plot = new uPlot({
    ...size(), ...(zone ? { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone === "UTC" ? "Etc/UTC" : zone) } : {}),
    legend: { show: false }, cursor: { y: false },
    hooks: { draw: [({ ctx, bbox, valToPos }) => { ctx.fillStyle = colour("link"); for (const at of marks) ctx.fillRect(valToPos(at, "x", true), bbox.top, devicePixelRatio * 2, bbox.height); }] },
    scales: { x: { time: true, range: (u, low, high) => (stepped ? [low - gap / 2, high + gap / 2] : [low, high]) }, y: { range: (u, low, high) => [0, Math.max(least, (high ?? 0) * 1.1)] } },
    axes: [
      { ...axis, size: 28, space: 70, values: (u, values) => values.map((seconds) => clock.format(seconds * 1000)) },
      { ...axis, size: 44, values: (u, values) => values.map((v) => (stepped && !Number.isInteger(v) ? "" : figure.format(v))) },
    ],
    series: [{}, ...series.map((name, n) => ({ label: labels[n], stroke: colour(`${name}-ink`), fill: colour(name), width: 1.5, paths, points: { show: false } })).reverse()],
  }, stacked(data, series), place);
  plot.restack = () => plot.setData(stacked(data, series));
  new ResizeObserver(() => plot.setSize(size())).observe(place);
  plots.push(plot);
  return plot;
}

addEventListener("load", () => {
  const past = $("#history"), now = $("#realtime");
  if (!window.uPlot) return;
  legends();
  if (past) chart(past, JSON.parse(past.dataset.series), JSON.parse(past.dataset.labels), { stepped: true, marks: JSON.parse(past.dataset.marks) });
  for (const one of document.querySelectorAll("[data-chart]")) chart(one, JSON.parse(one.dataset.series), JSON.parse(one.dataset.labels), { stepped: true, series: JSON.parse(one.dataset.chart) });
  if (!now) return;
  let ended = JSON.parse(now.dataset.ended), seen = Date.now();
  const step = Number(document.body.dataset.live) || 5, kept = Math.ceil(SHOWN_SECONDS / step);
  const start = Math.floor(seen / 1000), data = [[], [], [], []];
  // Nobody has looked before the page was opened: that is a gap, and no zero.
  for (let n = kept; n >= 0; n--) { data[0].push(start - n * step); for (const row of data.slice(1)) row.push(n ? null : 0); }
  const plot = chart(now, data, JSON.parse(now.dataset.labels), { least: 1 });
  document.addEventListener("tm-poll", ({ detail: news }) => {
    const at = Date.now(), seconds = Math.max(1, (at - seen) / 1000), missed = seconds > 3 * step + 5;
    if (news?.stale) return;
    data[0].push(Math.floor(at / 1000));
    names.forEach((name, n) => data[n + 1].push(missed ? null : news ? Math.max(0, news.ended[name] - ended[name]) / seconds : 0));
    if (news) ended = news.ended;
    seen = at;
    for (const row of data) row.shift();
    plot.restack();
  });
});

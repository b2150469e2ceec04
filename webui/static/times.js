// Moments by the clock of who reads: in the zone that was chosen, else the browser's, in the browser's own spelling.
const { times, zone, locale: chosen } = document.body.dataset;
const lang = document.documentElement.lang;

/** The locale that was chosen; else the language of the page, as the browser's user spells it: en-GB, not American. */
export const locale = chosen || (navigator.languages.find((one) => one.toLowerCase().split("-")[0] === lang) ?? lang);
/** The zone of charts and moments; undefined: the browser's. */
export const timeZone = times === "absolute" ? "UTC" : zone || undefined;

const full = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone: zone || undefined });
const named = new Intl.DateTimeFormat(locale, { timeZone: zone || undefined, timeZoneName: "short", hour: "numeric" });
const nameOf = (moment) => named.formatToParts(moment).find((part) => part.type === "timeZoneName")?.value ?? "";

function tell() {
  for (const place of document.querySelectorAll("time[data-local]")) place.textContent = full.format(new Date(place.dateTime));
}
tell();
document.addEventListener("htmx:after:swap", tell);

// Both clocks are told where somebody points at a moment; UTC alone stands there before.
document.addEventListener("pointerover", (event) => {
  const place = event.target.closest?.("time[datetime], relative-time[datetime]");
  if (!place) return;
  const at = new Date(place.getAttribute("datetime")), utc = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  place.title = `${full.format(at)} ${nameOf(at)} · ${utc}`;
});

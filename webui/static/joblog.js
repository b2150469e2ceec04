// The log of a running job, and how far it is: asked for each second while the page is live.
const $ = (selector, within = document) => within.querySelector(selector);
const isLive = () => $("#live")?.getAttribute("aria-pressed") === "true" && !document.hidden;

let following = true;
const isAtEnd = (log) => log.scrollTop + log.clientHeight >= log.scrollHeight - 8;

function keepUp() {
  const log = $("#log[data-log]"), box = $("#follow");
  if (box) box.checked = following;
  if (log && following) log.scrollTop = log.scrollHeight;
}
keepUp();
document.addEventListener("htmx:after:swap", keepUp);
document.addEventListener("change", (event) => {
  if (event.target.id === "follow") { following = event.target.checked; keepUp(); }
});
// Who scrolls back wants to read there; who scrolls to the end wants what comes.
document.addEventListener("scroll", (event) => {
  if (!event.target.matches?.("#log[data-log]")) return;
  following = isAtEnd(event.target);
  $("#follow").checked = following;
}, { capture: true, passive: true });

async function follow() {
  const log = $("#log[data-log]");
  if (log && isLive()) {
    const { after, share, start } = log.dataset;
    try {
      const answer = await fetch(`${log.dataset.log}?${new URLSearchParams({ after, share, start })}`, { headers: { "X-Requested-With": "poll" } });
      if (answer.status === 200) hear(log, after, await answer.json());
    } catch { /* the poll above tells that the server is away */ }
  }
  setTimeout(follow, 1000);
}

function hear(log, asked, news) {
  if (log !== $("#log[data-log]") || log.dataset.after !== asked) return; // the page was refreshed meanwhile, and has them
  if (news.html) {
    if (asked === "0") log.replaceChildren();
    log.insertAdjacentHTML("beforeend", news.html);
    log.dataset.after = news.after;
    keepUp();
  }
  const bar = $("#progress");
  if (news.share && bar) {
    log.dataset.share = news.share;
    bar.hidden = false;
    $("progress", bar).value = news.share * 100;
    $("small", bar).textContent = news.text;
  }
  if (news.state !== "Processing") document.dispatchEvent(new CustomEvent("tm-refresh"));
}
if ($("#job")) setTimeout(follow, 1000);

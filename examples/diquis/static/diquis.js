// The list of tenants, asked for again while one is on its way, and what this user is told.
import { NotificationHub, Toasts } from "/hangfire/static/notifications.js";

const $ = (id) => document.getElementById(id);
let timer = 0;

async function json(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 401) location.assign("/sign-in");
  return [answer.ok, await answer.json()];
}

async function show() {
  clearTimeout(timer);
  const [, tenants] = await json("/api/tenants");
  $("tenants").replaceChildren(...tenants.map(({ name, status, label }) => {
    const row = document.createElement("tr"), cells = [document.createElement("td"), document.createElement("td")];
    cells[0].textContent = name;
    cells[1].textContent = label;
    cells[1].dataset.status = status;
    row.append(...cells);
    return row;
  }));
  if (tenants.some(({ status }) => status < 2)) timer = setTimeout(show, 500);
}

$("new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = event.target.elements.name.value;
  const [isMade, answer] = await json("/api/tenants", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }) });
  $("wrong").textContent = isMade ? "" : answer.error;
  if (isMade) event.target.reset();
  show();
});

const toasts = new Toasts({ place: $("toasts") });
const hub = new NotificationHub("/hubs/notifications", { accessTokenFactory: async () => (await json("/api/token"))[1].token });
hub.on("ReceiveNotification", (type, message) => { toasts.show(type, message); show(); });
hub.on("closed", () => location.assign("/sign-in"));
hub.start();
show();

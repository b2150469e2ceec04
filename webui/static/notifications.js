// What a user is told, on any page: a stream while the server has one free, a light poll else, and toasts.
// import { NotificationHub, Toasts } from "/hangfire/static/notifications.js"; no build step, no eval, no inline style.

const jittered = (seconds) => seconds * (750 + Math.random() * 500);

// One connection. url: of /hubs/notifications. accessTokenFactory: gives a JWT, or a promise of one, asked anew for
// each connection; without it the browser's own sign-in counts. Events: "ReceiveNotification" (type, message, id) and
// "closed" (status), when the server lets this user in no more.
export class NotificationHub {
  #url; #options; #handlers = new Map(); #last = null; #timer = 0; #source = null; #running = false; #turns = 0; #failures = 0; #refused = 0; #noStreamUntil = 0;

  constructor(url, options = {}) {
    this.#url = new URL(url, location.href);
    this.#options = { accessTokenFactory: null, pollSeconds: 5, hiddenSeconds: 60, readySeconds: 10, mostSeconds: 60, ...options };
  }

  on(event, handler) {
    this.#handlers.set(event, [...(this.#handlers.get(event) ?? []), handler]);
    return this;
  }

  start() {
    if (this.#running) return this;
    this.#running = true;
    this.#last = this.#recall();
    document.addEventListener("visibilitychange", this.#wake);
    addEventListener("pageshow", this.#return);
    addEventListener("pagehide", this.#rest);
    this.#turn();
    return this;
  }

  stop() {
    this.#running = false;
    document.removeEventListener("visibilitychange", this.#wake);
    removeEventListener("pageshow", this.#return);
    removeEventListener("pagehide", this.#rest);
    this.#rest();
  }

  // How it hears: "stream", "poll" or "stopped".
  get transport() {
    return !this.#running ? "stopped" : this.#source ? "stream" : "poll";
  }

  // A page in the background gives its stream back, and asks now and then.
  #wake = () => {
    if (document.hidden && !this.#source) return; // the next poll is in the background already
    this.#rest();
    this.#later(document.hidden ? this.#options.hiddenSeconds : 0);
  };
  #return = (event) => { if (event.persisted) this.#wake(); };
  #rest = () => { clearTimeout(this.#timer); this.#source?.close(); this.#source = null; };

  #later(seconds) {
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => this.#turn(), jittered(seconds));
  }

  #address() {
    const address = new URL(this.#url);
    if (this.#last !== null) address.searchParams.set("after", this.#last);
    return address;
  }

  // A poll comes before each stream: it tells whether one is free, so that none is refused, and where to begin.
  async #turn() {
    clearTimeout(this.#timer);
    const turn = ++this.#turns, isOld = () => !this.#running || turn !== this.#turns;
    try {
      const token = await this.#options.accessTokenFactory?.();
      const headers = { Accept: "application/json", "X-Requested-With": "poll", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
      if (isOld()) return;
      const answer = await fetch(this.#address(), { headers, cache: "no-store", signal: AbortSignal.timeout(15000) });
      if (isOld()) return;
      if (answer.status === 401 || answer.status === 403) { this.#refuse(answer.status); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const news = await answer.json();
      if (isOld()) return;
      this.#failures = this.#refused = 0;
      for (const one of news.notifications) this.#hear(one.id, one);
      this.#keep(Math.max(news.cursor, this.#last ?? 0));
      if (news.stream && !document.hidden && Date.now() >= this.#noStreamUntil) this.#listen(token);
      else this.#later(document.hidden ? this.#options.hiddenSeconds : this.#options.pollSeconds);
    } catch {
      if (!isOld()) this.#later(Math.min(this.#options.mostSeconds, 2 ** ++this.#failures));
    }
  }

  // A token may just have run out: a fresh one is tried, three times; each refusal counts against this address.
  #refuse(status) {
    if (this.#options.accessTokenFactory && ++this.#refused < 3) { this.#later(2 ** this.#refused); return; }
    this.stop();
    this.#emit("closed", status);
  }

  #listen(token) {
    const address = this.#address();
    let isReady = false;
    if (token) address.searchParams.set("access_token", token); // a stream cannot send a header
    const source = new EventSource(address);
    this.#source = source;
    // Some proxies keep a stream back until it ends: without a first word there is none, and the poll goes on.
    const silent = setTimeout(() => end(true), this.#options.readySeconds * 1000);
    const end = (isBad) => {
      clearTimeout(silent);
      if (this.#source !== source) return;
      this.#rest();
      if (isBad) this.#noStreamUntil = Date.now() + this.#options.mostSeconds * 1000;
      this.#later(isBad ? this.#options.pollSeconds : 1);
    };
    source.addEventListener("Ready", () => { isReady = true; clearTimeout(silent); });
    source.addEventListener("ReceiveNotification", (event) => this.#hear(Number(event.lastEventId), JSON.parse(event.data)));
    source.onerror = () => end(!isReady); // also when its time is over
  }

  #hear(id, one) {
    if (this.#last !== null && id <= this.#last) return;
    this.#keep(id);
    this.#emit("ReceiveNotification", one.type, one.message, id);
  }

  #emit(event, ...values) {
    for (const handler of this.#handlers.get(event) ?? []) {
      try { handler(...values); } catch (error) { reportError(error); }
    }
  }

  // The place is kept with the tab: the next page of the same site goes on from it.
  get #key() { return `notifications:${this.#url.pathname}`; }
  #recall() {
    try { const kept = sessionStorage.getItem(this.#key); return kept === null ? null : Number(kept); } catch { return null; }
  }
  #keep(id) {
    this.#last = id;
    try { sessionStorage.setItem(this.#key, String(id)); } catch { /* it is known as long as the page is */ }
  }
}

// Messages in a corner; they go by themselves, errors when they are closed. labels: the types in the reader's words.
// place: an element that stands in the page from the beginning (role="status"); made when there is none.
export class Toasts {
  #place; #options;

  constructor(options = {}) {
    this.#options = { labels: {}, closeLabel: "Close", seconds: 8, most: 5, place: null, ...options };
    this.#place = this.#options.place ?? document.body.appendChild(document.createElement("div"));
    this.#place.setAttribute("role", "status");
    this.#place.classList.add("tm-toasts");
  }

  show(type, message) {
    const toast = document.createElement("div"), title = document.createElement("strong"), text = document.createElement("span"), close = document.createElement("button");
    toast.className = "tm-toast";
    toast.dataset.type = type;
    title.textContent = this.#options.labels[type] ?? type;
    text.textContent = message;
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", this.#options.closeLabel);
    close.onclick = () => toast.remove();
    toast.append(title, text, close);
    this.#place.append(toast);
    while (this.#place.children.length > this.#options.most) this.#place.firstElementChild.remove();
    if (type !== "Error") this.#goes(toast);
    return toast;
  }

  // It stays while somebody reads it: under the pointer, or with the focus in it.
  #goes(toast) {
    const go = () => { if (toast.matches(":hover, :focus-within") || document.hidden) setTimeout(go, 1000); else toast.remove(); };
    setTimeout(go, this.#options.seconds * 1000);
  }
}

// The statistics by a stream, where the server has one free. While it is open nothing is asked for.
const READY_MS = 10000;

// live: what the page knows, `live.source` is its stream; hear: is given what the stream tells.
export function listen(live, hear) {
  // The answer that told of a free one was waited for: another may have been quicker, or nobody looks any more.
  if (live.source || !live.seconds || document.hidden) return;
  const source = live.source = new EventSource(`${document.body.dataset.stats}?rev=${live.rev}`);
  const end = () => { clearTimeout(silent); source.close(); if (live.source === source) live.source = null; };
  // Through a proxy that keeps a stream back until it ends, none is tried again.
  const silent = setTimeout(() => { live.isDeaf = true; end(); }, READY_MS);
  source.addEventListener("ready", () => clearTimeout(silent));
  source.onmessage = (event) => hear(JSON.parse(event.data));
  source.onerror = end;
}

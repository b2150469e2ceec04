"""What live pages poll for, as server-sent events: each holds a thread, so there are few, and the others poll."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, copy_current_request_context, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from taskmanager.domain.errors import StorageError
from webui.feed import Feed, Slots

STREAM = "text/event-stream"
#: The header of a poll's answer that says that a stream may be opened.
IS_FREE = "X-Live-Stream"
#: A stream looks so often whether the process has a newer set of statistics.
_REST_SECONDS = 1.0
#: A comment goes out after so much silence, so that proxies and browsers know that the stream lives.
_HEARTBEAT_SECONDS = 15.0
#: When a page that got no stream may ask again, in seconds; it polls meanwhile.
_RETRY_SECONDS = 60


def stream(slots: Slots, look: Callable[[], dict[str, Any]], known: str | None) -> Any:
    """Answer with a stream of what `look` sees, whenever its `rev` is another than the one that is known; or 503."""
    if not slots.take():
        refused = jsonify(error="Too many streams", detail="All streams of this server are in use: poll, as JSON.")
        return refused, 503, {"Retry-After": str(_RETRY_SECONDS)}
    seconds: float = current_app.config["TASKMANAGER"].settings.web_stream_seconds
    feed: Feed = current_app.config["FEED"]
    gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    # Each look has a context of its own: one that lasts as long as the stream would have to end in the order it began.
    events = _events(feed, copy_current_request_context(look), known, seconds, gone)
    answer = Response(events, mimetype=STREAM, headers={"X-Accel-Buffering": "no"})
    answer.call_on_close(slots.give)
    return answer


def _events(
    feed: Feed, look: Callable[[], dict[str, Any]], known: str | None, seconds: float, gone: Callable[[], bool]
) -> Iterator[str]:
    """The events of one stream, until its time is over, nobody listens, or the process is about to end."""
    spoke = time.monotonic()
    ends = spoke + seconds
    yield "event: ready\ndata: {}\n\n"
    while True:
        try:
            facts = look()
        except (StorageError, HTTPException):
            return  # the page polls, and is told what is wrong
        now = time.monotonic()
        if facts["rev"] != known or facts["stale"]:
            known, spoke = facts["rev"], now
            yield f"data: {json.dumps(facts)}\n\n"
        elif now - spoke >= _HEARTBEAT_SECONDS:
            spoke = now
            yield ":\n\n"
        if facts["stale"] or now >= ends or gone() or feed.closing.wait(min(_REST_SECONDS, max(0.0, ends - now))):
            return

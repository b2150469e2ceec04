"""/hubs/notifications: what the signed-in user is told, as server-sent events or, with JSON asked for, as a poll."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, jsonify, request

from taskmanager.domain.errors import StorageError
from taskmanager.domain.notifications import Notification
from webui.access import for_any_user, token_in_address
from webui.blueprint import pages
from webui.feed import Feed, Heard, Slots

hubs = Blueprint("hubs", "webui")

_STREAM = "text/event-stream"
#: A stream looks so often for what the feed has read.
_REST_SECONDS = 0.5
#: A comment goes out after so much silence, so that proxies and browsers know that the stream lives.
_HEARTBEAT_SECONDS = 15.0
#: When a page that got no stream may ask again, in seconds; it polls meanwhile.
_RETRY_SECONDS = 60
_LARGEST_ID = (1 << 63) - 1


@hubs.get("/hubs/notifications")
@for_any_user
@token_in_address
def notifications() -> Any:
    """The user's notifications after id `after`, or header Last-Event-ID; without either from now on."""
    return _answer()


@pages.get("/notifications")
@for_any_user
def notifications_of_pages() -> Any:
    """The same for the dashboard: browsers send a password unasked only below the address it was asked for at."""
    return _answer()


def _answer() -> Any:
    feed: Feed = current_app.config["FEED"]
    slots: Slots = current_app.config["STREAMS"]
    last = _cursor()
    if request.accept_mimetypes.best_match(["application/json", _STREAM]) != _STREAM:
        heard = feed.after(g.user.name, last)
        told = [_facts(one) | {"id": one.id} for one in heard.told]
        return jsonify(notifications=told, cursor=heard.last, stream=slots.is_free)
    if not slots.take():
        refused = jsonify(error="Too many streams", detail="All streams of this server are in use: poll, as JSON.")
        return refused, 503, {"Retry-After": str(_RETRY_SECONDS)}
    return _stream(feed, slots, last)


def _stream(feed: Feed, slots: Slots, last: int | None) -> Response:
    try:
        heard = feed.after(g.user.name, last)
    except BaseException:
        slots.give()
        raise
    seconds: float = current_app.config["TASKMANAGER"].settings.web_stream_seconds
    gone: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    events = _events(feed, g.user.name, heard, seconds, gone)
    answer = Response(events, mimetype=_STREAM, headers={"X-Accel-Buffering": "no"})
    answer.call_on_close(slots.give)
    return answer


def _events(feed: Feed, user: str, heard: Heard, seconds: float, gone: Callable[[], bool]) -> Iterator[str]:
    """The events of one stream, until its time is over, nobody listens, or the process is about to end."""
    spoke = time.monotonic()
    ends = spoke + seconds
    yield f"id: {_before(heard)}\nevent: Ready\ndata: {{}}\n\n"
    while True:
        for one in heard.told:
            yield f"id: {one.id}\nevent: ReceiveNotification\ndata: {json.dumps(_facts(one))}\n\n"
        now = time.monotonic()
        if heard.told:
            spoke = now
        elif now - spoke >= _HEARTBEAT_SECONDS:
            spoke = now
            yield ":\n\n"
        if now >= ends or gone() or feed.closing.wait(min(_REST_SECONDS, max(0.0, ends - now))):
            return
        heard = _more(feed, user, heard.last)


def _more(feed: Feed, user: str, last: int) -> Heard:
    try:
        return feed.after(user, last)
    except StorageError:
        return Heard((), last)  # the stream waits for the database


def _before(heard: Heard) -> int:
    return heard.told[0].id - 1 if heard.told else heard.last


def _facts(one: Notification) -> dict[str, Any]:
    at = None if one.at is None else one.at.isoformat(timespec="milliseconds") + "Z"
    return {"type": one.type, "message": one.message, "at": at}


def _cursor() -> int | None:
    for name, text in (
        ("Last-Event-ID", request.headers.get("Last-Event-ID")),  # newer than the address, when a browser reconnects
        ("after", request.args.get("after")),
    ):
        if text:
            if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LARGEST_ID):
                abort(400, f"{name} is the id of a notification, a whole number, not {text[:40]!r}")
            return int(text)
    return None

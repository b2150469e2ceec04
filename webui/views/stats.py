"""The poll of every open page: counts and revisions, 204 when nothing changed. Hangfire's own form by POST."""

from __future__ import annotations

from typing import Any

from flask import abort, current_app, jsonify, request

from webui import formats, live, shell
from webui.access import reads_only
from webui.blueprint import pages
from webui.feed import Slots
from webui.snapshots import Seen

#: Hangfire's metrics: which count, and in which style it is shown when it is not zero.
_METRICS: dict[str, tuple[str, str]] = {
    "servers:count": ("servers", "default"), "recurring:count": ("recurring", "default"),
    "retries:count": ("retries", "warning"), "enqueued:count-or-null": ("enqueued", "default"),
    "enqueued:count": ("enqueued", "default"), "failed:count-or-null": ("failed", "danger"),
    "enqueued-queues:count": ("queues", "default"), "scheduled:count": ("scheduled", "info"),
    "processing:count": ("processing", "warning"), "succeeded:count": ("succeeded", "success"),
    "failed:count": ("failed", "danger"), "deleted:count": ("deleted", "default"),
    "awaiting:count": ("awaiting", "info"),
}  # fmt: skip
_SHOWN = (
    "enqueued", "scheduled", "processing", "succeeded", "failed", "deleted", "awaiting", "retries", "recurring",
    "servers", "queues", "alerts",
)  # fmt: skip


@pages.get("/stats")
def stats() -> Any:
    """The counts as people read them; `rev`: what the asker knows already. As a stream, where that is asked for."""
    slots: Slots = current_app.config["LIVE_STREAMS"]
    if request.accept_mimetypes.best_match(["application/json", live.STREAM]) == live.STREAM:
        return live.stream(slots, lambda: _facts(_seen()), request.args.get("rev"))
    found = _seen()
    # A page asks before it opens a stream: one that is refused is an error in its console.
    head = {live.IS_FREE: "1"} if slots.is_free else {}
    if request.args.get("rev") == found.revision and not found.stale:
        return "", 204, head
    return jsonify(_facts(found)), 200, head


def _facts(found: Seen) -> dict[str, Any]:
    counts, is_narrowed = found.counts, found.narrowed is not None
    return dict(
        rev=found.revision, topics=found.topics, stale=found.stale, age=round(found.age, 1),
        at=formats.unix(found.snapshot.at),
        counts={n: {"text": shell.count_text(n), "value": counts.get(n)} for n in _SHOWN},
        ended={} if is_narrowed else {n: counts[f"ended_{n}"] for n in ("succeeded", "failed", "deleted")},
    )  # fmt: skip


@pages.post("/stats")
@reads_only
def stats_as_hangfire() -> Any:
    """The metrics that were asked for, in Hangfire's words."""
    found = _seen()
    names = request.form.getlist("metrics[]") or request.form.getlist("metrics")
    return jsonify({name: _metric(found, name) for name in names[:50]})


def _metric(found: Seen, name: str) -> dict[str, Any] | None:
    known = _METRICS.get(name)
    if known is None:
        return None
    count, style = known
    value = found.counts.get(count)
    if value is None or (name.endswith("-or-null") and value == 0):
        return None
    shown = "default" if value == 0 else style
    if name == "servers:count" and value == 0:
        shown = "warning"
    highlighted = value > 0 and style in ("danger", "warning")
    return {
        "value": shell.count_text(count), "intValue": value, "style": shown, "highlighted": highlighted, "title": None,
    }  # fmt: skip


def _seen() -> Seen:
    found = shell.seen(rows=True)
    if found is None:
        abort(503)
    return found

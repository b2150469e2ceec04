"""Queues: what waits, since when, of which types, who serves it, how it goes and what is next; pause, resume, move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.records import ServerRecord
from taskmanager.domain.rollups import LENGTH, QUEUE, moments
from taskmanager.engine.client import new_key
from taskmanager.storage import monitoring_queues, monitoring_rollups
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_queues import FIRST, QueueView
from taskmanager.storage.transaction import Tx
from webui import access, bulks, cursors, jobviews, pausing, queuerows, queueviews, restricting, serverviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.bulks import NotPossible
from webui.queueviews import Flow
from webui.views.actions import back
from webui.views.lists import SIZES, size
from webui.views.recurring_actions import pause_end

SORTS = ("name", "length", "latency")
_TYPES = 12


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who takes jobs from a queue: worker processes that give signs of life, and their threads."""

    servers: int = 0
    threads: int = 0


@pages.get("/jobs/enqueued")
@pages.get("/queues", endpoint="queues_alias")
def queues() -> str:
    """All queues, or those of whose name a part is asked for."""
    q, sort = request.args.get("q", "").strip()[:50], request.args.get("sort", "")
    sort = sort if sort in SORTS else "name"

    def work(tx: Tx) -> Any:
        found, paused = monitoring_queues.overview_and_pauses(tx, only=restricting.queues())
        figures = monitoring_rollups.of_queues(tx, [one.name for one in found], queueviews.since(tx.now()))
        return found, server_rows.all_servers(tx), figures, tx.now(), paused

    found, servers, figures, at, paused = read(work)
    seen = shell.seen()
    now = seen.snapshot.at if seen else None
    shown = _sorted([one for one in found if q.lower() in one.name.lower()], sort)
    return render_template(
        "queues.html", here="queues", queues=shown, known=len(found), q=q, sort=sort, sorts=SORTS, now=now,
        listeners={one.name: listeners(one.name, servers, now) for one in shown},
        flows={one.name: _flow(one, figures, at) for one in shown}, paused=paused, pausing=pausing,
    )  # fmt: skip


@pages.get("/jobs/enqueued/<path:queue>")
@pages.get("/queues/<path:queue>", endpoint="queue_alias")
def queue(queue: str) -> str:
    """A queue, and the jobs that wait in it, in their order."""
    return _jobs(queue)


@pages.get("/jobs/enqueued/fetched/<path:queue>")
def queue_fetched(queue: str) -> str:
    """Jobs of a queue that servers have in hand."""
    return _jobs(queue, fetched=True)


@pages.get("/jobs/enqueued/held/<path:queue>")
def queue_held(queue: str) -> str:
    """Jobs of a queue that were put aside, as they are paused by type or tag."""
    return _jobs(queue, held=True)


@pages.post("/queues/<any(pause, resume):action>")
@needs("queues.pause")
def queue_action(action: str) -> Any:
    """Pause or resume a queue, on every server; for ever or until a moment."""
    name = request.form.get("queue", "")
    if action == "pause":
        _pause(name)
    else:
        access.about("queue", name, after={"paused": False})
        manager().resume_queue(name)
    if not shell.wants_page():
        return "", 204
    told = _("Queue %(name)s is paused.", name=name) if action == "pause" else _("Queue %(name)s goes on.", name=name)
    flash(told, "done")
    return redirect(back() if request.form.get("back") else url_for("pages.queues"), 303)


@pages.post("/queues/move")
@needs("operations.start")
def queue_move() -> Any:
    """Move all that wait in a queue to another one, in the background."""
    name, target = request.form.get("queue", ""), request.form.get("target", "").strip()
    try:
        made = bulks.move(name, target, request.form.get("key") or None)
    except NotPossible as error:
        if error.permission:
            abort(403, error.permission)
        if not shell.wants_page():
            abort(422, str(error))
        flash(str(error), "warn")
        return redirect(back(), 303)
    if not shell.wants_page():
        return {"id": made}, 201
    return redirect(url_for("pages.operation", job_id=made), 303)


def _pause(name: str) -> None:
    note, until = request.form.get("note", "").strip() or None, pause_end(request.form.get("until", ""))
    after = {"paused": True, "note": note, "until": until and until.isoformat()}
    access.about("queue", name, after={key: value for key, value in after.items() if value})
    try:
        manager().pause_queue(name, by=g.user.name, note=note, until=until)
    except InvalidArgument as error:
        if not shell.wants_page():
            abort(422, str(error))
        flash(str(error), "warn")
        abort(redirect(back(), 303))


def listeners(name: str, servers: Iterable[ServerRecord], now: datetime | None) -> Listeners:
    """The servers that take jobs from a queue."""
    views = (serverviews.view(one, now) for one in servers) if now is not None else ()
    found = [one for one in views if name in one.queues and one.stage != "dead"]
    return Listeners(len(found), sum(one.workers for one in found))


def _flow(one: QueueView, figures: Any, now: datetime) -> Flow:
    runs, lengths = (figures.get((one.name, kind), {}) for kind in (QUEUE, LENGTH))
    return queueviews.flow(runs, lengths, one.waiting, now)


def _sorted(found: list[QueueView], sort: str) -> list[QueueView]:
    if sort == "length":
        return sorted(found, key=lambda one: -one.waiting)
    if sort == "latency":
        return sorted(found, key=lambda one: one.waiting_since or datetime.max)
    return found


def _jobs(name: str, *, fetched: bool = False, held: bool = False) -> str:
    place = cursors.read(request.args.get("after"), 2)
    after = (int(place[0]), int(place[1])) if place else FIRST
    first, limit = after == FIRST, size()
    asked = request.args.get("range", "1h")
    asked = asked if asked in queueviews.RANGES else "1h"
    span, buckets = queueviews.RANGES[asked]
    last = request.args.get("types") == "last"

    def shown(now: datetime) -> tuple[datetime, ...]:
        return moments(now, span, buckets)

    def work(tx: Tx) -> Any:
        rows, more = monitoring_queues.page(tx, name, limit=limit, after=after, fetched=fetched, held=held)
        if fetched or held:
            return rows, more, None, (), (), None
        since = shown(tx.now())[0]
        if first and rows:
            calls, figures = monitoring_queues.story(tx, name, span, since, last=last)
        else:
            calls, figures = [], monitoring_rollups.of_key(tx, span, queueviews.KINDS, name, since)
        view, servers = monitoring_queues.one(tx, name), server_rows.all_servers(tx)
        return rows, more, view, servers, calls, queueviews.charts(figures, shown(tx.now()))

    rows, more, view, servers, calls, charts = read(work)
    seen = shell.seen()
    now = seen.snapshot.at if seen else None
    types, looked = Counter[str](), 0
    for call, number in calls:
        types[jobviews.called(call)] += number
        looked += number
    can = access.may("jobs.requeue") or access.may("jobs.delete")
    return render_template(
        "queue.html", here="queues", queue=name, fetched=fetched, held=held, rows=rows, size=limit, sizes_list=SIZES,
        can=can, draw=queuerows.Rows(held=held, can_choose=can),
        view=view, older=cursors.write(*more) if more else None, first=first, state="enqueued", now=now, key=new_key(),
        types=types.most_common(_TYPES), looked=looked, charts=charts, range=asked, ranges=queueviews.RANGES,
        listens=listeners(name, servers, now), last=last, most_last=monitoring_queues.LAST,
    )  # fmt: skip

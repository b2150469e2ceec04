"""Counts, queues and servers at /api/v1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import current_app

from taskmanager.domain import rollups
from taskmanager.domain.records import Pause
from taskmanager.engine.client import check_queue
from taskmanager.storage import (
    monitoring_front_of_queues,
    monitoring_lists,
    monitoring_queues,
    monitoring_rollups,
    monitoring_trends,
)
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.monitoring_queues import QueueView
from taskmanager.storage.transaction import Tx
from webui import access, cursors, examining, queueviews, redaction, restricting, serverviews, shell
from webui.api import schemas, systemschemas
from webui.api.problems import refuse, refuse_field, told
from webui.api.routing import group, operation
from webui.api.work import filter_of, place, row
from webui.blueprint import manager, read
from webui.serverviews import ServerView
from webui.views.servers import look_at

system = group("system", "Counts, queues and servers")

_RUNNING = 100


@operation(system, "GET", "/api/v1/stats", gives=systemschemas.Statistics)
def get_stats() -> Any:
    """The counts of everything; asked for often, it costs one set of statements a second."""
    found = shell.seen()
    if found is None:
        refuse(503, "Storage.Unavailable", "the database does not answer")
    capped = [name for name in found.counts if found.is_capped(name)]
    return {"at": found.snapshot.at, "stale": found.stale, "counts": found.counts, "atLeast": capped}


@operation(
    system, "GET", "/api/v1/stats/exact", query=systemschemas.CountQuery, gives=systemschemas.ExactCount
)  # fmt: skip
def count_exactly(query: Mapping[str, Any]) -> Any:
    """Count all jobs of a state or of a filter, where `stats` and lists stop; what came of it is kept for 10 s."""
    state, counting = query["state"], current_app.config["COUNTING"]
    parsed = filter_of(query["q"], (state,) if state else ())
    if parsed.names:
        refuse_field("q", "looks into named arguments, which are no search keys: the database cannot count by them")
    return {"state": state} | asdict(counting.ask(parsed.key, parsed.wanted))


@operation(system, "GET", "/api/v1/stats/history", query=systemschemas.TrendQuery, gives=systemschemas.Trend)
def get_trend(query: Mapping[str, Any]) -> Any:
    """How many jobs ended when, from counters; of the last hour how many runs did, a retried one as failed."""
    if some := restricting.queues():
        of_some = read(lambda tx: monitoring_front_of_queues.trend(tx, some, query["period"]))
        return {"moments": of_some.moments, **of_some.series, "deleted": None}
    if query["period"] == "hour":
        return _last_hour()
    days = {"week": 7, "month": 30}.get(query["period"])
    found = read(lambda tx: monitoring_trends.daily(tx, days) if days else monitoring_trends.hourly(tx))
    return {"moments": found.moments, **found.series}


@operation(
    system, "POST", "/api/v1/system/findings", needs="system.view", gives=lambda: systemschemas.SystemFinding(many=True)
)  # fmt: skip
def examine_system() -> Any:
    """What `taskmanager doctor` finds in the database and among servers, what is wrong first, with the cure."""
    access.about("system", "findings")
    return [asdict(one) for one in examining.findings()]


@operation(system, "GET", "/api/v1/queues", gives=lambda: systemschemas.Queue(many=True))
def list_queues() -> Any:
    """Queues in which something is, or that are paused, and how each went lately."""

    def work(tx: Tx) -> Any:
        found = monitoring_queues.overview(tx, only=restricting.queues())
        since = queueviews.since(tx.now())
        return found, monitoring_rollups.of_queues(tx, [one.name for one in found], since), tx.now()

    found, figures, now = read(work)
    return [
        {
            "name": q.name, "paused": q.paused, "waiting": q.waiting, "fetched": q.fetched, "held": q.held,
            "waitingSince": q.waiting_since, **_of_pause(q.pause), **_of_flow(q, figures, now),
        }
        for q in found
    ]  # fmt: skip


@operation(
    system, "GET", "/api/v1/queues/<queue>/jobs", query=systemschemas.QueueJobsQuery, gives=systemschemas.QueueJobs
)
def list_queue_jobs(query: Mapping[str, Any], queue: str) -> Any:
    """Jobs that wait in a queue, in their order."""
    at = place(query["after"], 2, "after")
    after = (int(at[0]), int(at[1])) if at else monitoring_queues.FIRST
    rows, more = read(
        lambda tx: monitoring_queues.page(
            tx, queue, limit=query["limit"], after=after, fetched=query["fetched"], held=query["held"]
        )
    )
    return {"items": [row(one) for one in rows], "next": cursors.write(*more) if more else None}


@operation(
    system, "GET", "/api/v1/queues/<queue>/figures", query=systemschemas.FiguresQuery, gives=systemschemas.QueueFigures
)
def get_queue_figures(query: Mapping[str, Any], queue: str) -> Any:
    """How a queue went: runs, length and latency in each minute of an hour, or hour of a day or week."""
    span, buckets = queueviews.RANGES[query["range"]]

    def work(tx: Tx) -> Any:
        shown = rollups.moments(tx.now(), span, buckets)
        return shown, monitoring_rollups.of_key(tx, span, queueviews.KINDS, queue, shown[0])

    shown, found = read(work)
    told = queueviews.charts(found, shown)
    return {
        "moments": told.moments, "succeeded": told.succeeded, "failed": told.failed, "waiting": told.length,
        "latencySeconds": told.latency,
    }  # fmt: skip


@operation(
    system, "POST", "/api/v1/queues/<queue>/pause", needs="queues.pause", body=schemas.PauseJob, about="queue"
)  # fmt: skip
def pause_queue(body: Mapping[str, Any], queue: str) -> None:
    """Claim nothing from a queue, for ever or until a moment. Paused again, it has the new note and end."""
    check_queue(queue)
    note, until = body["note"], body["until"]
    after = {"paused": True, "note": note, "until": until and f"{until.isoformat()}Z"}
    access.about("queue", queue, after={name: value for name, value in after.items() if value})
    with told(field="until" if until is not None else "note"):
        manager().pause_queue(queue, by=access.actor("api").user, note=note, until=until)


@operation(system, "POST", "/api/v1/queues/<queue>/resume", needs="queues.pause", about="queue")
def resume_queue(queue: str) -> None:
    """Claim from a queue again."""
    check_queue(queue)
    access.about("queue", queue, after={"paused": False})
    manager().resume_queue(queue)


@operation(system, "GET", "/api/v1/servers", gives=lambda: systemschemas.Server(many=True))
def list_servers() -> Any:
    """Worker processes, and what they perform."""

    def work(tx: Tx) -> Any:
        running = monitoring_lists.newest(tx, Wanted(("Processing",)), limit=_RUNNING)
        return server_rows.all_servers(tx), running, tx.now(), server_rows.asked(tx)

    found, running, now, asked = read(work)
    views = [serverviews.view(s, now, running, asked) for s in found]
    return [_server(v) for v in views]


@operation(system, "GET", "/api/v1/servers/<path:server>", query=systemschemas.ServerQuery,
           gives=systemschemas.ServerDetail)  # fmt: skip
def get_server(query: Mapping[str, Any], server: str) -> Any:
    """One server: its last hour by the minute, the jobs it performs by pages, its settings, its last warnings."""
    at = place(query["before"], 1, "before")
    look = look_at(server, before=int(at[0]) if at else None)
    if look is None:
        refuse(404, "Servers.NotFound", f"there is no server {server!r}")
    facts, rows = look.facts, look.page.rows
    shows_settings, shows_lines = access.may("system.view"), access.may("args.view")
    return _server(look.view) | {
        "next": cursors.write(rows[-1].id) if look.page.has_older and rows else None,
        "minutes": [
            {"at": one.at, "cpuPercent": one.cpu, "memoryBytes": int(one.memory), "busyThreads": one.busy}
            for one in facts.minutes
        ],
        "warnings": [redaction.text(one) for one in facts.lines] if shows_lines else None,
        "settings": [
            {"name": name, "value": value, "origin": origin} for name, (value, origin) in facts.settings.items()
        ] if shows_settings else None,
    }  # fmt: skip


@operation(system, "POST", "/api/v1/servers/<path:server>/pause", needs="servers.drain", about="server")
def pause_server(server: str) -> None:
    """Let a server take no more jobs; what it runs, it ends."""
    _quiet(server, True)


@operation(system, "POST", "/api/v1/servers/<path:server>/resume", needs="servers.drain", about="server")
def resume_server(server: str) -> None:
    """Let a server take jobs again."""
    _quiet(server, False)


@operation(system, "POST", "/api/v1/servers/<path:server>/stop", needs="servers.drain", about="server")
def stop_server(server: str) -> None:
    """Let a server end its jobs and stop; its supervisor starts no other in its place. It is not taken back."""
    access.about("server", server, after={"stops": True})
    if not manager().stop_server(server):
        refuse(404, "Servers.NotFound", f"there is no server {server!r}")


@operation(system, "DELETE", "/api/v1/servers/<path:server>", needs="servers.drain", about="server")
def remove_server(server: str) -> None:
    """Take away a server that is not heard of any more, and give its claims back. One that lives is refused."""
    access.about("server", server)
    with told(code="Servers.Lives"):
        if not manager().remove_server(server):
            refuse(404, "Servers.NotFound", f"there is no server {server!r}")


def _last_hour() -> dict[str, Any]:
    def work(tx: Tx) -> Any:
        shown = rollups.moments(tx.now(), rollups.MINUTE, 60)
        return shown, monitoring_rollups.of_key(tx, rollups.MINUTE, (rollups.ALL,), "", shown[0])[rollups.ALL]

    shown, found = read(work)
    figures = [found.get(at, rollups.Figures()) for at in shown]
    ended = {"succeeded": [one.count - one.failed for one in figures], "failed": [one.failed for one in figures]}
    return {"moments": shown, **ended, "deleted": [0] * len(shown)}


def whole_number(value: float | None) -> int | None:
    """A figure without its fraction."""
    return None if value is None else int(value)


def _server(v: ServerView) -> dict[str, Any]:
    return {
        "id": v.id, "name": v.name, "workers": v.workers, "queues": list(v.queues), "startedAt": v.started,
        "heartbeat": v.heartbeat, "stage": v.stage, "scheduler": v.scheduler, "isPaused": v.quiet,
        "isStopping": v.stopping, "running": [r.id for r in v.running], "version": v.version,
        "memoryBytes": whole_number(v.memory), "cpuPercent": v.cpu, "jobsDone": whole_number(v.done),
    }  # fmt: skip


def _of_flow(one: QueueView, figures: Any, now: datetime) -> dict[str, Any]:
    runs, lengths = (figures.get((one.name, kind), {}) for kind in (rollups.QUEUE, rollups.LENGTH))
    flow = queueviews.flow(runs, lengths, one.waiting, now)
    return {"endedPerMinute": flow.went, "grownPerMinute": flow.grew, "emptyInSeconds": flow.drain}


def _of_pause(pause: Pause | None) -> dict[str, Any]:
    known = pause or Pause()
    note = redaction.message(known.note) if known.note else None
    return {"pausedSince": known.since, "pausedUntil": known.until, "pausedBy": known.by, "pauseNote": note}


def _quiet(server: str, quiet: bool) -> None:
    access.about("server", server, after={"paused": quiet})
    with told(code="Servers.Stops"):
        known = manager().quiet_server(server, quiet=quiet)
    if not known:
        refuse(404, "Servers.NotFound", f"there is no server {server!r}")

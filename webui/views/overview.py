"""The front page: how it goes, what ended when, what is next, what failed last."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from taskmanager.domain.records import ServerRecord
from taskmanager.storage import (
    monitoring_lists,
    monitoring_queues,
    monitoring_sets,
    monitoring_snapshot,
    monitoring_trends,
)
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.monitoring_lists import Row
from taskmanager.storage.monitoring_queues import QueueView
from taskmanager.storage.monitoring_sets import NextRun
from taskmanager.storage.monitoring_trends import Trend
from taskmanager.storage.transaction import Tx
from webui import serverviews, shell
from webui.blueprint import pages, read

PERIODS = ("day", "week", "month")
_FAILURES, _QUEUES = 6, 12


@pages.get("/")
def overview() -> str:
    """The front page."""
    asked = request.args.get("period", "day")
    period = asked if asked in PERIODS else "day"

    def work(tx: Tx) -> tuple[Trend, list[NextRun], list[Row], list[QueueView], list[ServerRecord]]:
        days = {"week": 7, "month": 30}.get(period)
        trend = monitoring_trends.daily(tx, days) if days else monitoring_trends.hourly(tx)
        failed = monitoring_lists.newest(tx, Wanted(("Failed",)), limit=_FAILURES)
        queues = monitoring_queues.overview(tx, limit=_QUEUES)
        return trend, monitoring_sets.next_runs(tx), failed, queues, server_rows.all_servers(tx)

    trend, next_runs, failures, queues, servers = read(work)
    found = shell.seen()
    now = found.snapshot.at if found else trend.moments[-1]
    return render_template(
        "overview.html", here="overview", period=period, periods=PERIODS, trend=trend, next_runs=next_runs,
        failures=failures, queues=queues, health=_health(servers, queues, now), now=now, cap=monitoring_snapshot.CAP,
    )  # fmt: skip


def _health(servers: list[ServerRecord], queues: list[QueueView], now: Any) -> dict[str, Any]:
    """One verdict: `ok`, `warn`, or `none` when nobody performs jobs."""
    views = [serverviews.view(s, now) for s in servers]
    alive = [v for v in views if v.stage == "active"]
    waits = [q.waiting_since for q in queues if q.waiting_since is not None and not q.paused]
    oldest = min(waits, default=None)
    late = oldest is not None and (now - oldest).total_seconds() > 300
    verdict = "none" if not alive else "warn" if late or len(alive) < len(views) else "ok"
    return {
        "verdict": verdict, "alive": len(alive), "servers": len(views), "workers": sum(v.workers for v in alive),
        "busy": shell.count("processing") or 0, "oldest": oldest,
    }  # fmt: skip

"""The front page: how it goes, what ended when, what is next, what failed last."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from taskmanager.domain.records import ServerRecord
from taskmanager.storage import (
    monitoring_failures,
    monitoring_front,
    monitoring_queues,
    monitoring_snapshot,
    monitoring_trends,
)
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_front import Front
from taskmanager.storage.monitoring_queues import QueueView
from taskmanager.storage.monitoring_trends import Trend
from taskmanager.storage.transaction import Tx
from webui import serverviews, shell
from webui.blueprint import pages, read
from webui.views.failures import title_of

PERIODS = ("day", "week", "month")
_QUEUES = 12


@pages.get("/")
def overview() -> str:
    """The front page."""
    asked = request.args.get("period", "day")
    period = asked if asked in PERIODS else "day"

    def work(tx: Tx) -> tuple[tuple[Trend, Trend], Front, list[QueueView], list[ServerRecord]]:
        trends = monitoring_trends.both(tx, {"week": 7, "month": 30}.get(period))
        queues = monitoring_queues.overview(tx, limit=_QUEUES)
        return trends, monitoring_front.front(tx), queues, server_rows.all_servers(tx)

    (day, trend), front, queues, servers = read(work)
    found = shell.seen()
    now = found.snapshot.at if found else trend.moments[-1]
    return render_template(
        "overview.html", here="overview", period=period, periods=PERIODS, trend=trend, day=day, front=front,
        queues=queues, health=_health(servers, queues, now), now=now, cap=monitoring_snapshot.CAP,
        group_cap=monitoring_failures.CAP, title_of=title_of, failed=day.series["failed"],
        is_new=found is not None and not any(found.snapshot.counts[state] for state in shell.STATES),
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
        "waited": None if oldest is None else max(0.0, 1000 * (now - oldest).total_seconds()),
    }  # fmt: skip

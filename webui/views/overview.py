"""The front page: how it goes, what ended when, what is next, what failed last; who wants less of it hides panels."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from taskmanager.domain.records import ServerRecord
from taskmanager.domain.rollups import MINUTE, floor, moments
from taskmanager.engine.operation import Operation
from taskmanager.storage import (
    monitoring_failures,
    monitoring_front,
    monitoring_front_of_queues,
    monitoring_overview,
    monitoring_queues,
    monitoring_snapshot,
    monitoring_trends,
)
from taskmanager.storage.monitoring_front import Front
from taskmanager.storage.monitoring_front_of_queues import FrontOfQueues
from taskmanager.storage.monitoring_overview import Facts, Mark
from taskmanager.storage.monitoring_queues import QueueView
from taskmanager.storage.monitoring_trends import Trend
from taskmanager.storage.transaction import Tx
from webui import restricting, serverviews, shell
from webui.blueprint import pages, read
from webui.views.failures import title_of

PERIODS = ("hour", "day", "week", "month")
_DAYS = {"week": 7, "month": 30}
_QUEUES = 12
#: Panels that may be hidden, and the cookie that says which are.
PANELS = {
    "now": _l("Right now"), "history": _l("History"), "failures": _l("Latest failures"), "queues": _l("Queues"),
    "next": _l("Next runs"), "slowest": _l("Slowest types"), "operations": _l("Running operations"),
}  # fmt: skip
COOKIE = "tm_panels"
#: What a dashboard of some queues has not: nothing that is stored tells it by queue.
LEFT_OUT = ("now", "slowest", "operations")


@pages.get("/")
def overview() -> str:
    """The front page."""
    asked = request.args.get("period", "day")
    period = asked if asked in PERIODS else "day"
    if restricting.queues():
        return _of_queues(period)

    def work(tx: Tx) -> tuple[tuple[Trend, Trend], Front, list[QueueView], Facts]:
        trends = monitoring_trends.both(tx, _DAYS.get(period))
        queues = monitoring_queues.overview(tx, limit=_QUEUES)
        since = floor(tx.now(), MINUTE) - timedelta(minutes=59) if period == "hour" else trends[1].moments[0]
        return trends, monitoring_front.front(tx), queues, monitoring_overview.facts(tx, since)

    (day, trend), front, queues, facts = read(work)
    if period == "hour":
        trend = _by_minute(facts, trend.moments[-1])
    found = shell.seen()
    now = found.snapshot.at if found else trend.moments[-1]
    return render_template(
        "overview.html", here="overview", period=period, periods=PERIODS, trend=trend, day=day, front=front,
        queues=queues, health=_health(facts.servers, queues, now), facts=facts, panels=PANELS, hidden=hidden_panels(),
        operations=_going_on(facts), marks=[_told(one) for one in facts.marks], now=now, cap=monitoring_snapshot.CAP,
        group_cap=monitoring_failures.CAP, title_of=title_of, failed=day.series["failed"],
        is_new=found is not None and not any(found.snapshot.counts[state] for state in shell.STATES), left_out=(),
    )  # fmt: skip


def _of_queues(period: str) -> str:
    """The same of a dashboard of some queues, but for what is not known of each queue."""
    some = restricting.queues()

    def work(tx: Tx) -> tuple[FrontOfQueues, list[QueueView]]:
        found = monitoring_front_of_queues.front(tx, some, period)
        return found, monitoring_queues.overview(tx, limit=_QUEUES, only=some)

    front, queues = read(work)
    found = shell.seen()
    now = found.snapshot.at if found else front.trend.moments[-1]
    return render_template(
        "overview.html", here="overview", period=period, periods=PERIODS, trend=front.trend, day=front.day,
        front=front, queues=queues, health=_health(front.servers, queues, now), left_out=LEFT_OUT, facts=None,
        panels={key: label for key, label in PANELS.items() if key not in LEFT_OUT},
        hidden=hidden_panels() | set(LEFT_OUT), operations=[], marks=[_told(one) for one in front.marks], now=now,
        cap=monitoring_snapshot.CAP, failed=front.day.series["failed"],
        is_new=found is not None and not any(found.counts[state] for state in shell.STATES),
    )  # fmt: skip


def hidden_panels() -> set[str]:
    """The panels that who is looking does not want to see."""
    return set(request.cookies.get(COOKIE, "").split(".")) & set(PANELS)


def _by_minute(facts: Facts, hour: datetime) -> Trend:
    """The last hour by the minute: runs, so that one that is tried again is a failed one. hour: of now, or before."""
    seen = shell.seen()
    shown = moments(max(seen.snapshot.at if seen else hour, hour, *facts.minutes), MINUTE, 60)
    pairs = [facts.minutes.get(at, (0, 0)) for at in shown]
    ended = {"succeeded": tuple(count - bad for count, bad in pairs), "failed": tuple(bad for _, bad in pairs)}
    return Trend(shown, ended | {"deleted": (0,) * len(shown)})


def _going_on(facts: Facts) -> list[tuple[int, Operation]]:
    """Bulk operations that have not ended."""
    found = [(job_id, Operation(**told)) for job_id, told in facts.operations]
    return [(job_id, one) for job_id, one in found if not one.ended]


def _told(mark: Mark) -> tuple[Mark, str]:
    """A mark in the reader's words."""
    if mark.kind == "deploy":
        return mark, _("Deploy of %(version)s", version=mark.name)
    return mark, _("Alert #%(id)s", id=mark.name)


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

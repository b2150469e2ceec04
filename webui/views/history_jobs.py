"""The history job by job: what the runs of each name came to in some days, and its newest results."""

from __future__ import annotations

from flask import render_template, request

from taskmanager.storage import monitoring_logged, monitoring_logged_statistics
from taskmanager.storage.monitoring_logged_statistics import NAMES, NameSummary
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx
from webui import runfilters
from webui.blueprint import pages, read
from webui.runfilters import PERIODS, Asked
from webui.runviews import Runs


@pages.get("/history/jobs")
def history_jobs() -> str:
    """A row for each name of which a part is asked for, twenty on a page."""
    asked = runfilters.asked()
    start = min(10_000, max(0, request.args.get("start", 0, type=int) or 0))
    found, more = read(lambda tx: summaries(tx, asked, start))
    return render_template(
        "history_jobs.html", here="history", asked=asked, periods=PERIODS, rows=found, start=start, on_page=NAMES,
        more=more, trend=trend,
    )  # fmt: skip


def summaries(tx: Tx, asked: Asked, start: int) -> tuple[list[NameSummary], bool]:
    """A page of them, by name, and whether there are more."""
    part = asked.texts["job"].lower()
    names = [name for name in monitoring_logged.names(tx) if part in name.lower()]
    shown = names[start : start + NAMES]
    found = monitoring_logged_statistics.by_name(tx, shown, asked.since, asked.until)
    return found, len(names) > start + NAMES


def trend(summary: NameSummary) -> Runs:
    """Its newest runs, to be drawn."""
    return Runs(
        tuple(
            RecurringRun(
                one.name, 0, one.started, one.duration_ms or 0, None, "succeeded" if one.succeeded else "failed"
            )
            for one in summary.statistics.last
            if one.started is not None
        )
    )

"""What pages show besides lists, at /api/v1: one search over all, a schedule in words, how runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from taskmanager.storage import monitoring_logged_runs, recurring_runs
from taskmanager.storage.monitoring_logged_runs import LoggedRun
from taskmanager.storage.transaction import Tx
from webui import crons
from webui.api import admin, lookschemas, shapes
from webui.api.problems import refuse
from webui.api.routing import group, operation
from webui.api.work import must as must_job
from webui.api.work import row
from webui.blueprint import read
from webui.recurring_marks import server_zone
from webui.runviews import Runs
from webui.views import search
from webui.views.details import runs_of

looks = group("looks", "Search, schedules in words, how runs went")

_FIELDS = {"cron": "cron", "time_zone": "timeZone"}


@operation(looks, "GET", "/api/v1/search", query=lookschemas.SearchQuery, gives=lookschemas.SearchResult)
def search_everything(query: Mapping[str, Any]) -> Any:
    """Jobs by number, filter or text, and recurring jobs, queues and servers by a part of their names."""
    found = search.look(query["q"].strip())
    recurring = [shapes.recurring(one, {}) for one in found.recurring[: search.MOST]]
    runs = [
        {"historyId": r.id, "job": r.job, "startedAt": r.started, "durationMs": r.duration_ms, "succeeded": r.succeeded}
        for r in found.traces.runs
    ]
    changes = [asdict(one) for one in found.traces.changes]
    return {
        "runs": runs, "changes": changes, "jobId": found.job_id,
        "jobs": [row(one) for one in found.rows], "more": found.page.has_older,
        "searchedDownTo": found.page.floor,
        "searched": found.page.looked if found.page.floor is not None else None, "recurring": recurring,
        "queues": list(found.queues), "filterError": found.filter.error or None,
        "servers": [{"id": one.id, "name": one.name, "stage": one.stage} for one in found.servers],
    }  # fmt: skip


@operation(
    looks, "GET", "/api/v1/cron/preview", needs="recurring.edit", query=lookschemas.CronQuery,
    gives=lookschemas.CronPreview,
)  # fmt: skip
def preview_cron(query: Mapping[str, Any]) -> Any:
    """What a schedule means in words, and when it fires next, by the scheduler's own engine."""
    zone = server_zone() if query["timeZone"] == "server" else query["timeZone"]
    found = crons.preview(query["cron"], zone, days_and=query["daysAnd"])
    if found.errors:
        faults = [(_FIELDS[name], text) for name, text in found.errors.items()]
        refuse(422, "Jobs.InvalidCron", "; ".join(text for _, text in faults), faults=faults)
    return {
        "words": found.words,
        "runs": [
            {"at": one.at, "local": one.local.isoformat(), "offset": one.offset, "remark": one.remark}
            for one in found.runs
        ],
    }


@operation(
    looks, "GET", "/api/v1/recurring/<path:recurringId>/runs", query=lookschemas.RecentQuery,
    gives=lookschemas.RecurringRuns,
)  # fmt: skip
def list_recurring_runs(query: Mapping[str, Any], recurring_id: str) -> Any:
    """The last runs of a recurring job, also of those whose jobs have expired, with their rows of c_LoggedJob."""
    record = admin.must(recurring_id)

    def work(tx: Tx) -> Any:
        runs = recurring_runs.newest(tx, [recurring_id], query["limit"])[recurring_id]
        found, most = dict[tuple[int, datetime], LoggedRun](), monitoring_logged_runs.MOST
        for start in range(0, len(runs), most):
            some = [(one.job_id, one.started) for one in runs[start : start + most]]
            found |= monitoring_logged_runs.of(tx, admin.logged_name(record), some) or {}
        return runs, found

    runs, logged = read(work)
    told = _runs(Runs(runs))
    for shown, one in zip(told["runs"], runs, strict=True):
        row = logged.get((one.job_id, one.started))
        shown |= {
            "historyId": row and row.id, "serverName": row and row.server, "triggeredBy": row and row.by,
            "message": row and shapes.text(row.note or None),
        }  # fmt: skip
    return told


@operation(looks, "GET", "/api/v1/jobs/<int:jobId>/runs", gives=lookschemas.RecentRuns)
def list_job_runs(job_id: int) -> Any:
    """The last runs of a job's recurring job, or of its name."""
    return _runs(runs_of(must_job(job_id)))


def _runs(found: Runs) -> dict[str, Any]:
    return {
        "runs": [
            {
                "jobId": one.job_id, "startedAt": one.started, "durationMs": one.duration_ms,
                "waitedMs": one.waited_ms, "outcome": one.outcome,
            }
            for one in found.runs
        ],
        "p50Ms": found.p50, "p95Ms": found.p95, "succeededPercent": found.rate,
    }  # fmt: skip

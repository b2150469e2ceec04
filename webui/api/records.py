"""What has happened, at /api/v1: runs from c_LoggedJob, and the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from taskmanager.storage import audit as audit_rows
from taskmanager.storage import monitoring_logged
from taskmanager.storage import monitoring_logged_statistics as logged_statistics
from taskmanager.storage.audit import Sought
from taskmanager.storage.monitoring_logged import Place, WantedRuns
from taskmanager.storage.monitoring_logged_statistics import RunStatistics
from taskmanager.storage.transaction import Tx
from webui import access, cursors
from webui.api import recordschemas, shapes
from webui.api.problems import refuse
from webui.api.routing import group, operation
from webui.api.work import place
from webui.blueprint import read
from webui.runfilters import Asked
from webui.views.history_compare import differing, run_of
from webui.views.history_jobs import summaries

records = group("history", "What has run, and who changed what")


@operation(records, "GET", "/api/v1/history", query=recordschemas.RunsQuery, gives=recordschemas.RunPage)
def list_runs(query: Mapping[str, Any]) -> Any:
    """Runs from c_LoggedJob by a filter, the newest first."""
    below, above = _at(query["after"], "after"), _at(query["before"], "before")

    def work(tx: Tx) -> Any:
        wanted = _wanted(tx, query)
        return monitoring_logged.page(tx, wanted, limit=query["limit"], before=below, after=above)

    page = read(work)
    return {
        "items": [asdict(run) | {"note": shapes.text(run.note)} for run in page.rows], "searchedSince": page.floor,
        "searched": None if page.floor is None else page.looked,
        "next": _cursor(page.older), "previous": _cursor(page.newer),
    }  # fmt: skip


@operation(records, "GET", "/api/v1/history/<int:runId>", gives=recordschemas.RunDetail)
def get_run(run_id: int) -> Any:
    """One run, whole."""
    found = read(lambda tx: monitoring_logged.run(tx, run_id)) if run_id < 1 << 62 else None
    if found is None:
        refuse(404, "Runs.NotFound", f"there is no run {run_id} in c_LoggedJob")
    return shapes.run(found)


@operation(
    records, "GET", "/api/v1/history/statistics", query=recordschemas.RunFilter, gives=recordschemas.RunStatistics,
    also={404: "there is no run of this name"},
)  # fmt: skip
def get_statistics(query: Mapping[str, Any]) -> Any:
    """How long the runs that a filter finds took, and how many succeeded."""

    def work(tx: Tx) -> Any:
        wanted = _wanted(tx, query)
        return wanted.name, logged_statistics.measure(tx, wanted, shown=1, most=logged_statistics.MOST)

    name, found = read(work)
    if not found.runs and name is not None:
        refuse(404, "Runs.NotFound", f"there is no such run of {query['job']!r} in c_LoggedJob")
    return {"jobName": name, **_summed(found)}


@operation(
    records, "GET", "/api/v1/history/jobs", query=recordschemas.RunNamesQuery, gives=recordschemas.RunNames
)  # fmt: skip
def list_names(query: Mapping[str, Any]) -> Any:
    """What the runs of each name came to in some days, twenty names at a time."""
    wanted = Asked({"job": query["job"]}, "", query["since"], query["until"])
    found, more = read(lambda tx: summaries(tx, wanted, query["start"]))
    items = [{"jobName": one.name, "last": one.statistics.last, **_summed(one.statistics)} for one in found]
    return {"items": items, "hasMore": more}


@operation(
    records, "GET", "/api/v1/history/compare", query=recordschemas.CompareQuery, gives=recordschemas.Comparison,
    also={404: "one of them is not there"},
)  # fmt: skip
def compare_runs(query: Mapping[str, Any]) -> Any:
    """Two runs beside each other."""
    a, b = read(lambda tx: [run_of(tx, query[name]) for name in ("a", "b")])
    if a is None or b is None:
        refuse(404, "Runs.NotFound", f"there is no run {query['a'] if a is None else query['b']} in c_LoggedJob")
    return {"a": shapes.run(a), "b": shapes.run(b), "differing": differing(a, b)}


@operation(
    records, "GET", "/api/v1/audit", needs="audit.view", query=recordschemas.AuditQuery, gives=recordschemas.AuditPage
)
def list_audit(query: Mapping[str, Any]) -> Any:
    """Who changed what, from where, and what came of it; the newest first."""
    at = place(query["after"], 1, "after")
    names = ("user", "action", "kind", "target", "outcome", "since", "until")
    sought = Sought(**{name: query[name] for name in names})
    before = int(at[0]) if at else None
    found, more = read(lambda tx: audit_rows.page(tx, sought, limit=query["limit"], before=before))
    return {"items": [asdict(one) for one in found], "next": cursors.write(found[-1].id) if more else None}


def _at(text: str | None, field: str) -> tuple[datetime, int] | None:
    found = place(text, 2, field)
    return (datetime.fromtimestamp(found[0], UTC).replace(tzinfo=None), int(found[1])) if found else None


def _cursor(place: Place | None) -> str | None:
    return None if place is None else cursors.write(place[0].replace(tzinfo=UTC).timestamp(), place[1])


def _wanted(tx: Tx, query: Mapping[str, Any]) -> WantedRuns:
    """The filter, with the name as it is stored."""
    if query["q"] and not access.may("args.view"):
        refuse(403, "Access.Forbidden", "the permission args.view is missing, to look into messages")
    asked = query["job"].lower()
    known = monitoring_logged.names(tx) if asked else []
    name = next((n for n in known if n.lower() == asked), query["job"] or None)
    return WantedRuns(
        name, query["success"], query["since"], query["until"], query["server"], query["triggeredBy"], query["q"]
    )


def _summed(found: RunStatistics) -> dict[str, Any]:
    return {
        "runs": found.runs, "succeeded": found.succeeded, "p50Ms": found.p50_ms, "p95Ms": found.p95_ms,
        "meanMs": found.avg_ms, "leastMs": found.min_ms, "longestMs": found.max_ms, "isCapped": found.is_capped,
        "searchedSince": found.floor, "searched": found.looked,
    }  # fmt: skip

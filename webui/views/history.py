"""What has run: c_LoggedJob, which keeps what expires elsewhere; and one of its rows with its whole stack trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _

from taskmanager.domain.texts import wholes
from taskmanager.storage import jobs, monitoring_logged
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_logged import Run, RunPage, RunStatistics, WantedRuns
from taskmanager.storage.transaction import Tx
from webui import cursors, exports, formats, redaction
from webui.blueprint import pages, read
from webui.views.lists import SIZES, size

_FILTERS = ("job", "result", "server", "trigger", "from", "to")
_LONGEST_TRACE = 256 * 1024
_COLUMNS = (
    "id", "job", "type", "job_id", "started_at", "duration_ms", "succeeded", "told", "server", "triggered_by",
)  # fmt: skip


@pages.get("/history")
def history() -> Any:
    """Runs of everything, by a filter, page by page; of one name with its statistics."""
    asked = {name: request.args.get(name, "").strip()[:100] for name in _FILTERS}
    below, above = _place(request.args.get("after")), _place(request.args.get("before"))
    wrong, span = _span(asked)
    limit = size()
    if request.args.get("export") in exports.FORMS:
        return _export(asked, wrong, span)

    def work(tx: Tx) -> Any:
        known = monitoring_logged.names(tx)
        name = _known_name(asked["job"], known)
        wanted = WantedRuns(
            name, {"ok": True, "failed": False}.get(asked["result"]), *span, server=asked["server"],
            by=asked["trigger"],
        )  # fmt: skip
        unknown = bool(asked["job"]) and name is None
        page = RunPage(()) if unknown else monitoring_logged.page(tx, wanted, limit=limit, before=below, after=above)
        first = page if below is None and above is None else None
        number = 0 if unknown else monitoring_logged.count(tx, wanted, first=first)
        statistics = monitoring_logged.statistics(tx, name) if name else None
        return known, unknown, page, number, statistics, monitoring_logged.shape(tx)

    known, unknown, page, number, statistics, (shape, fault) = read(work)
    return render_template(
        "history.html", here="history", asked=asked, page=page, total=number, names=known, unknown=unknown,
        near=[n for n in known if asked["job"].lower() in n.lower()][:12] if unknown else [], wrong=wrong,
        statistics=statistics, bars=_bars(statistics), older_table=shape is Shape.TARGCC, fault=fault, size=size(),
        sizes_list=SIZES, filtered=any(asked.values()), first=below is None and above is None,
        older=_cursor(page.rows[-1]) if page.has_older and page.rows else None,
        newer=_cursor(page.rows[0]) if page.has_newer and page.rows else None,
    )  # fmt: skip


@pages.get("/history/<int:run_id>")
def history_run(run_id: int) -> Any:
    """One run, whole."""

    def work(tx: Tx) -> Any:
        found = monitoring_logged.run(tx, run_id) if run_id < 1 << 62 else None
        if found is None:
            return None, None, False
        statistics = monitoring_logged.statistics(tx, str(found["JobName"]))
        kept = bool(jobs.read_many(tx, wholes([str(found["JobId"] or "")])))
        return found, statistics, kept

    found, statistics, kept = read(work)
    if found is None:
        abort(404)
    trace = str(found["StackTrace"] or "")
    return render_template(
        "history_run.html", here="history", run=found, kept=kept, statistics=statistics, bars=_bars(statistics, run_id),
        trace=trace[:_LONGEST_TRACE], cut=len(trace) > _LONGEST_TRACE,
    )  # fmt: skip


def _export(asked: dict[str, str], wrong: str, span: tuple[datetime | None, datetime | None]) -> Any:
    """The runs as a file; the text of an error or a result as it is in the list."""
    result = {"ok": True, "failed": False}.get(asked["result"])
    name = read(lambda tx: _known_name(asked["job"], monitoring_logged.names(tx))) if asked["job"] else None
    wanted = WantedRuns(name or asked["job"] or None, result, *span, server=asked["server"], by=asked["trigger"])

    def part(place: Any, limit: int) -> tuple[list[dict[str, Any]], Any]:
        page = read(lambda tx: monitoring_logged.page(tx, wanted, limit=limit, before=place))
        last = page.rows[-1] if page.has_older and page.rows else None
        following = (last.started, last.id) if last is not None and last.started is not None else None
        return [_told(run) for run in page.rows], following

    return exports.file_of(exports.in_parts(part), _COLUMNS, request.args["export"], "history", wrong=wrong)


def _told(run: Run) -> dict[str, Any]:
    values = (
        run.id, run.name, run.type, run.job_id, run.started and formats.iso(run.started), run.duration_ms,
        run.succeeded, redaction.message(run.note), run.server, run.by,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _known_name(asked: str, known: list[str]) -> str | None:
    """A name as it is stored, asked for in any case; also one behind the names that were listed."""
    if not asked:
        return None
    same = [name for name in known if name.lower() == asked.lower()]
    if same:
        return asked if asked in same else same[0]
    return asked if len(known) >= 500 else None


def _span(asked: dict[str, str]) -> tuple[str, tuple[datetime | None, datetime | None]]:
    """The days asked for, the last one whole; and what is wrong with them."""
    try:
        since = datetime.fromisoformat(asked["from"]) if asked["from"] else None
        until = datetime.fromisoformat(asked["to"]) if asked["to"] else None
    except ValueError:
        return _("A day is written as 2026-11-01."), (None, None)
    if until is not None and len(asked["to"]) == 10 and until.year < 9999:
        until += timedelta(days=1)
    return "", (_naive(since), _naive(until))


def _naive(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _cursor(run: Run) -> str | None:
    return None if run.started is None else cursors.write(run.started.replace(tzinfo=UTC).timestamp(), run.id)


def _place(text: str | None) -> tuple[datetime, int] | None:
    place = cursors.read(text, 2)
    return (datetime.fromtimestamp(place[0], UTC).replace(tzinfo=None), int(place[1])) if place else None


def _bars(statistics: RunStatistics | None, marked: int = 0) -> list[dict[str, Any]]:
    """The last runs as bars, 600 by 60 units: the longest fills the height."""
    if statistics is None or not statistics.last:
        return []
    longest = max((run.duration_ms or 0 for run in statistics.last), default=0) or 1
    width = 600 / max(20, len(statistics.last))
    bars = []
    for place, run in enumerate(statistics.last):
        height = 4 + 56 * (run.duration_ms or 0) / longest
        bars.append({
            "x": round(place * width, 1), "width": round(width - 2, 1), "y": round(60 - height, 1),
            "height": round(height, 1), "run": run, "state": "succeeded" if run.succeeded else "failed",
            "marked": run.id == marked,
        })  # fmt: skip
    return bars

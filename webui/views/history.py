"""What has run: c_LoggedJob, which keeps what expires elsewhere; and one of its rows with its whole stack trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import abort, render_template, request, url_for

from taskmanager.domain.texts import wholes
from taskmanager.storage import jobs, monitoring_logged, monitoring_logged_statistics
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_filters import SCANNED
from taskmanager.storage.monitoring_logged import Place, Run, RunPage, WantedRuns
from taskmanager.storage.monitoring_logged_statistics import RunStatistics
from taskmanager.storage.transaction import Tx
from webui import cursors, exports, formats, historyrows, redaction, runfilters
from webui.blueprint import pages, read
from webui.runfilters import PERIODS, Asked
from webui.views.lists import SIZES, size

_LONGEST_TRACE = 256 * 1024
_COLUMNS = (
    "id", "job", "type", "job_id", "started_at", "duration_ms", "succeeded", "told", "server", "triggered_by",
)  # fmt: skip


@pages.get("/history")
def history() -> Any:
    """Runs of everything in the last days, or by a filter, page by page, and what they come to."""
    asked = runfilters.asked()
    below, above = _place(request.args.get("after")), _place(request.args.get("before"))
    limit, is_first = size(), below is None and above is None
    if request.args.get("export") in exports.FORMS:
        return _export(asked)

    def work(tx: Tx) -> Any:
        known, name = runfilters.known_name(tx, asked.texts["job"])
        if asked.texts["job"] and name is None:
            return known, True, RunPage(()), 0, None, monitoring_logged.shape(tx), False
        wanted = asked.wanted(name)
        page = monitoring_logged.page(tx, wanted, limit=limit, before=below, after=above, counted=is_first)
        # Of a search the first page tells how many there are; to count them anew it would be searched once more.
        first = page if is_first else None
        number = None if wanted.is_searched and not is_first else monitoring_logged.count(tx, wanted, first=first)
        # A search has read as much as a page may: its statistics are asked for by themselves.
        measured = None if wanted.is_searched else monitoring_logged_statistics.measure(tx, wanted)
        is_new = not page.rows and not asked.is_filtered and is_first and not _ran(tx)
        return known, False, page, number, measured, monitoring_logged.shape(tx), is_new

    known, unknown, page, number, measured, (shape, fault), is_new = read(work)
    near = [n for n in known if asked.texts["job"].lower() in n.lower()][:12] if unknown else []
    compared = request.args.get("compare", type=int)
    return render_template(
        "history.html", here="history", asked=asked, page=page, total=number, names=known, unknown=unknown, near=near,
        is_new=is_new, statistics=measured, bars=bars(measured), older_table=shape is Shape.TARGCC, fault=fault,
        size=limit, sizes_list=SIZES, first=is_first, periods=PERIODS, compared=compared,
        draw=historyrows.Rows(asked.texts["q"], compared),
        exact=url_for("pages.history_statistics", **asked.fields),
        older=_cursor(page.older), newer=_cursor(page.newer),
    )  # fmt: skip


def _ran(tx: Tx) -> bool:
    """Whether anything ever ran."""
    return bool(monitoring_logged.page(tx, WantedRuns(), limit=1).rows)


@pages.get("/history/statistics")
def history_statistics() -> Any:
    """What the runs that a filter finds come to: of all of them, up to 100,000."""
    asked = runfilters.asked()

    def work(tx: Tx) -> RunStatistics | None:
        name = runfilters.known_name(tx, asked.texts["job"])[1] if asked.texts["job"] else None
        if asked.texts["job"] and name is None:
            return None
        return monitoring_logged_statistics.measure(tx, asked.wanted(name), most=monitoring_logged_statistics.MOST)

    found = read(work)
    return render_template(
        "history_statistics.html", here="history", asked=asked, statistics=found, bars=bars(found), periods=PERIODS
    )


@pages.get("/history/<int:run_id>")
def history_run(run_id: int) -> Any:
    """One run, whole."""

    def work(tx: Tx) -> Any:
        found = monitoring_logged.run(tx, run_id) if run_id < 1 << 62 else None
        if found is None:
            return None, None, False
        statistics = monitoring_logged_statistics.statistics(tx, str(found["JobName"]))
        kept = bool(jobs.read_many(tx, wholes([str(found["JobId"] or "")])))
        return found, statistics, kept

    found, statistics, kept = read(work)
    if found is None:
        abort(404)
    trace = str(found["StackTrace"] or "")
    return render_template(
        "history_run.html", here="history", run=found, kept=kept, statistics=statistics, bars=bars(statistics, run_id),
        trace=trace[:_LONGEST_TRACE], cut=len(trace) > _LONGEST_TRACE, before=_before(statistics, run_id),
    )  # fmt: skip


def bars(statistics: RunStatistics | None, marked: int = 0) -> list[dict[str, Any]]:
    """The last runs as bars, 600 by 60 units: the longest fills the height."""
    if statistics is None or not statistics.last:
        return []
    longest = max((run.duration_ms or 0 for run in statistics.last), default=0) or 1
    width = 600 / max(20, len(statistics.last))
    drawn = []
    for place, run in enumerate(statistics.last):
        height = 4 + 56 * (run.duration_ms or 0) / longest
        drawn.append({
            "x": round(place * width, 1), "width": round(width - 2, 1), "y": round(60 - height, 1),
            "height": round(height, 1), "run": run, "state": "succeeded" if run.succeeded else "failed",
            "marked": run.id == marked,
        })  # fmt: skip
    return drawn


def _before(statistics: RunStatistics, run_id: int) -> int | None:
    """The run of the same name before one, where that is among the last ones."""
    ids = [run.id for run in statistics.last]
    place = ids.index(run_id) if run_id in ids else 0
    return ids[place - 1] if place else None


def _export(asked: Asked) -> Any:
    """The runs as a file; the text of an error or a result as it is in the list."""
    name = read(lambda tx: runfilters.known_name(tx, asked.texts["job"])[1]) if asked.texts["job"] else None
    wanted = asked.wanted(name or asked.texts["job"] or None)

    def part(place: Place | None, limit: int) -> tuple[list[dict[str, Any]], Place | None]:
        looked = 0
        while True:
            page = read(lambda tx, at=place: monitoring_logged.page(tx, wanted, limit=limit, before=at))  # type: ignore[misc]
            place, looked = page.older, looked + page.looked
            if page.rows or place is None or looked >= SCANNED:
                return [_told(run) for run in page.rows], place

    return exports.file_of(exports.in_parts(part), _COLUMNS, request.args["export"], "history", wrong=asked.wrong)


def _told(run: Run) -> dict[str, Any]:
    values = (
        run.id, run.name, run.type, run.job_id, run.started and formats.iso(run.started), run.duration_ms,
        run.succeeded, redaction.message(run.note), run.server, run.by,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _cursor(place: Place | None) -> str | None:
    return None if place is None else cursors.write(place[0].replace(tzinfo=UTC).timestamp(), place[1])


def _place(text: str | None) -> Place | None:
    place = cursors.read(text, 2)
    return (datetime.fromtimestamp(place[0], UTC).replace(tzinfo=None), int(place[1])) if place else None

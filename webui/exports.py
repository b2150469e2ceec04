"""A list as a file: all that its filter finds, page by page, so that no number of them fills the memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Response, abort, stream_with_context

from taskmanager.domain import tags
from taskmanager.domain.arguments import meets
from taskmanager.storage import monitoring_lists, monitoring_reach
from taskmanager.storage.monitoring_lists import Row
from webui import access, formats, jobviews, redaction
from webui.blueprint import PATIENCE_SECONDS, READING_SECONDS, manager
from webui.filtering import Parsed

FORMS = {"csv": "text/csv", "json": "application/json"}
#: So many rows at most, and so many read at a time.
MOST, _BATCH = 100_000, 500
_COLUMNS = (
    "id", "state", "job", "arguments", "queue", "created_at", "state_since", "reason", "error", "message", "latency_ms",
    "duration_ms", "attempts", "triggered_by", "recurring_job", "tags",
)  # fmt: skip
#: What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(parsed: Parsed, form: str, name: str) -> Response:
    """The file of a list. Aborts with 403 for who lacks `history.export`, with 422 when the filter cannot be read."""
    return file_of(_rows(parsed), _COLUMNS, form, f"jobs-{name}", wrong=parsed.error or "")


def file_of(
    rows: Iterator[dict[str, Any]], columns: Sequence[str], form: str, name: str, *, wrong: str = ""
) -> Response:
    """A file of these rows, each with these columns. wrong: what is wrong with the filter, which is answered with 422.

    Aborts with 403 for who lacks `history.export`.
    """
    if not access.may("history.export"):
        abort(403, "history.export")
    if wrong:
        abort(422, wrong)
    told = _as_csv(rows, columns) if form == "csv" else _as_json(rows)
    made = Response(stream_with_context(told), mimetype=FORMS[form])
    made.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return made


def in_parts(part: Callable[[Any, int], tuple[list[dict[str, Any]], Any]]) -> Iterator[dict[str, Any]]:
    """Rows, at most `MOST`; `part(place, limit)` reads some, and tells where the next begin: None at the end."""
    database, place, left = manager().database, None, MOST
    while left:
        with database.hasty(PATIENCE_SECONDS, reading_seconds=READING_SECONDS):
            rows, place = part(place, min(_BATCH, left))
        yield from rows
        left -= len(rows)
        if place is None or not rows:
            return


def _rows(parsed: Parsed) -> Iterator[dict[str, Any]]:
    """What the list would show, newest first; of a search what it would look at if time were not short."""
    database, before, left = manager().database, None, MOST
    with database.hasty(PATIENCE_SECONDS, reading_seconds=READING_SECONDS):
        deepest = database.read(lambda tx: monitoring_reach.deepest(tx, parsed.wanted))
    floor = deepest or 0
    while left:
        limit = min(_BATCH, left)
        with database.hasty(PATIENCE_SECONDS, reading_seconds=READING_SECONDS):
            page = database.read(
                lambda tx, edge=before, n=limit: monitoring_lists.page(tx, parsed.wanted, limit=n, before=edge)  # type: ignore[misc]
            )
        for row in page.rows:
            if row.id < floor:
                return
            if not parsed.names or meets(parsed.names, jobviews.arguments_of(row)):
                yield _told(row)
        left -= len(page.rows)
        # A page may have used up its time before it was full: the next goes on where it stopped looking.
        before = page.rows[-1].id if page.has_older else page.floor
        if before is None or before <= floor:
            return


def _told(row: Row) -> dict[str, Any]:
    kind, message = jobviews.error_of(row.data)
    values = (
        row.id, row.state, jobviews.title(row), jobviews.subtitle(row), row.queue, formats.iso(row.created_at),
        formats.iso(row.since) if row.since else None, redaction.message(row.reason), kind, message,
        formats.milliseconds(row.data.get("Latency")), formats.milliseconds(row.data.get("PerformanceDuration")),
        int(jobviews.plain(row.parameters.get("RetryCount")) or 0) + 1,
        jobviews.plain(row.parameters.get("TriggeredBy")), jobviews.plain(row.parameters.get("RecurringJobId")),
        ", ".join(tags.of_parameter(row.parameters.get(tags.PARAMETER))),
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _as_csv(rows: Iterator[dict[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
        if text.tell() > 32_000:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _as_json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    start = "["
    for row in rows:
        yield start + json.dumps(row, ensure_ascii=False)
        start = ",\n"
    yield "[]\n" if start == "[" else "]\n"

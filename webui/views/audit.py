"""The audit log: who changed what, from where, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request

from taskmanager.engine.audit import OUTCOMES as _KNOWN
from taskmanager.storage import audit as rows
from taskmanager.storage.audit import Row, Sought
from webui import auditrows, cursors, exports, formats, redaction
from webui.access import needs
from webui.blueprint import pages, read
from webui.views.lists import SIZES, size

_COLUMNS = (
    "id", "at", "user", "address", "door", "action", "kind", "target", "outcome", "before", "after", "note", "request",
)  # fmt: skip
_KINDS = ("job", "recurring", "queue", "type", "tag", "server", "operation", "alert", "search")


@pages.get("/audit")
@needs("audit.view")
def audit() -> Any:
    """The newest rows, by a filter."""
    place = cursors.read(request.args.get("after"), 1)
    sought = _sought()
    if request.args.get("export") in exports.FORMS:
        return exports.file_of(exports.in_parts(_part_of(sought)), _COLUMNS, request.args["export"], "audit")
    before = int(place[0]) if place else None
    found, more = read(lambda tx: rows.page(tx, sought, limit=size(), before=before))
    filtered = any(request.args.get(n) for n in ("user", "action", "kind", "target", "outcome", "from", "to"))
    return render_template(
        "audit.html", here="audit", rows=found, sought=sought, outcomes=auditrows.OUTCOMES, kinds=_KINDS,
        audit_rows=auditrows.Rows(), size=size(), sizes_list=SIZES, first=place is None, filtered=filtered,
        older=cursors.write(found[-1].id) if more else None,
    )  # fmt: skip


def _part_of(sought: Sought) -> Callable[[Any, int], tuple[list[dict[str, Any]], Any]]:
    def part(place: Any, limit: int) -> tuple[list[dict[str, Any]], Any]:
        found, more = read(lambda tx: rows.page(tx, sought, limit=limit, before=place))
        return [_told(row) for row in found], found[-1].id if more else None

    return part


def _told(row: Row) -> dict[str, Any]:
    values = (
        row.id, row.at and formats.iso(row.at), row.user, row.address, row.door, row.action, row.kind, row.target,
        row.outcome, row.before, row.after, redaction.message(row.note),
        row.request,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _sought() -> Sought:
    given = {n: request.args.get(n, "").strip()[:100] or None for n in ("user", "action", "kind", "target", "outcome")}
    sought = Sought(**given)  # type: ignore[arg-type]
    if sought.outcome not in _KNOWN:
        sought = replace(sought, outcome=None)
    until = _day("to")
    if until is not None and until.year < 9999:
        until += timedelta(days=1)
    return replace(sought, since=_day("from"), until=until)


def _day(name: str) -> datetime | None:
    try:
        return datetime.strptime(request.args.get(name, ""), "%Y-%m-%d")
    except ValueError:
        return None

"""Jobs that failed and will be tried again: listed, put off, given up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine.transitions import Applied
from taskmanager.storage import monitoring_sets, retry_rows
from taskmanager.storage.monitoring_lists import Row
from taskmanager.storage.monitoring_sets import Place
from taskmanager.storage.retry_rows import Failures
from taskmanager.storage.transaction import Tx
from webui import access, cursors, jobviews, restricting, retryrows, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.actions import back, back_with_left, chosen
from webui.views.lists import SIZES, size

#: So many are looked at for a text, or to be sorted by what no index has; and an offset is taken up to so many.
SEARCHED, _FARTHEST = 1_000, 10_000
SORTS = ("next", "attempt")
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Found:
    """What a page shows. errors: what each said at last. next: where the next page begins; skip: of those looked at,
    from which on it shows them. is_cut: there are more than were looked at.
    """

    rows: list[Row]
    failures: dict[int, Failures]
    errors: dict[int, dict[str, str]]
    next: Place | None = None
    skip: int = 0
    is_cut: bool = False


@pages.get("/retries")
def retries() -> str:
    """The list, those that come first before the others; by a text, or those that failed most often first."""
    place, q = cursors.read(request.args.get("after"), 2), request.args.get("q", "").strip()[:200]
    after = Place(float(place[0]), int(place[1])) if place else None
    sort = request.args.get("sort") if request.args.get("sort") in SORTS else "next"
    start = min(_FARTHEST, max(0, request.args.get("from", 0, type=int) or 0))
    if sort == "attempt":
        found = read(lambda tx: _by_attempt(tx, q, after, start))
    else:
        found = read(lambda tx: listed(tx, q, after, size(), 0 if after else start))
    seen = shell.seen()
    can = access.may("jobs.requeue") or access.may("jobs.delete")
    draw = retryrows.Rows(found.failures, found.errors, can_choose=can)
    return render_template(
        "retries.html", here="retries", rows=found.rows, size=size(), can=can, draw=draw,
        sizes_list=SIZES, first=place is None and not start, q=q, sort=sort, is_cut=found.is_cut, most=SEARCHED,
        older=cursors.write(found.next.score, found.next.row) if found.next else None, skip=found.skip,
        now=seen.snapshot.at if seen else None, start_of=request.args.get("after"),
    )  # fmt: skip


def listed(tx: Tx, q: str, after: Place | None, limit: int, skip: int = 0) -> Found:
    """A page behind a place, in the order in which they come; by a text, or of some queues, among 1,000 at a time."""
    if q or restricting.queues():
        return _searched(tx, q, after, limit)
    found = monitoring_sets.page(tx, "retries", limit=limit, after=after, skip=skip)
    return _told(tx, _waiting(found.rows), found.next)


def _searched(tx: Tx, q: str, after: Place | None, limit: int) -> Found:
    found = monitoring_sets.page(tx, "retries", limit=SEARCHED, after=after)
    rows = _matching(tx, _waiting(found.rows), q)
    shown = rows[:limit]
    following = found.places[shown[-1].id] if len(rows) > limit else found.next
    return _told(tx, shown, following, is_cut=found.next is not None and len(rows) <= limit)


def _by_attempt(tx: Tx, q: str, after: Place | None, start: int) -> Found:
    """Those that failed most often first, of so many behind a place."""
    found = monitoring_sets.page(tx, "retries", limit=SEARCHED, after=after)
    rows = sorted(_matching(tx, _waiting(found.rows), q), key=lambda row: -retryrows.attempt(row))
    shown = rows[start : start + size()]
    skip = start + size() if len(rows) > start + size() else 0
    return _told(tx, shown, None if skip else found.next, skip=skip, is_cut=found.next is not None)


def _told(tx: Tx, rows: list[Row], following: Place | None, *, skip: int = 0, is_cut: bool = False) -> Found:
    known = retry_rows.failures(tx, [row.id for row in rows])
    return Found(rows, known, retry_rows.errors(tx, known), following, skip, is_cut)


def _waiting(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.state in ("Scheduled", "Enqueued") and restricting.shows(row.queue)]


def _matching(tx: Tx, rows: list[Row], q: str) -> list[Row]:
    """Those in which a text stands: in what a list shows, or in what the last failure said."""
    wanted = q.lower()
    found = {row.id for row in rows if wanted in _text(row)}
    rest = [row.id for row in rows if row.id not in found] if access.may("args.view") else []
    said = retry_rows.errors(tx, retry_rows.failures(tx, rest))
    found |= {i for i, data in said.items() if wanted in " ".join(jobviews.error_of(data)).lower()}
    return [row for row in rows if row.id in found]


@pages.post("/retries/postpone")
@needs("jobs.requeue")
def retries_postpone() -> Any:
    """Let the next try of some begin later."""
    typed = request.form.get("minutes", "").strip()
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", typed):
        return _refused(_("needs a number of minutes"))
    seconds = float(typed) * 60
    return _done(lambda ids: manager().retries.postpone(ids, seconds), "postponed")


@pages.post("/retries/give-up")
@needs("jobs.requeue")
def retries_give_up() -> Any:
    """Move some to Failed: they are not tried again by themselves."""
    return _done(lambda ids: manager().retries.give_up(ids, access.actor().user), "given up")


def _done(verb: Callable[[list[int]], list[Applied]], what: str) -> Any:
    ids, answers = chosen(), list[Applied]()
    try:
        for start in range(0, len(ids), _BATCH):
            answers += verb(ids[start : start + _BATCH])
    except InvalidArgument as error:
        return _refused(str(error))
    if not shell.wants_page():
        return "", 204
    changed = sum(map(bool, answers))
    if changed and what == "postponed":
        flash(ngettext("%(num)d try was put off.", "%(num)d tries were put off.", changed), "done")
    elif changed:
        flash(ngettext("%(num)d job was given up.", "%(num)d jobs were given up.", changed), "done")
    return back_with_left(len(answers) - changed)


def _refused(text: str) -> Any:
    if not shell.wants_page():
        abort(422, text)
    flash(text, "warn")
    return redirect(back(), 303)


def _text(row: Row) -> str:
    reason = row.reason if access.may("args.view") else ""
    return f"#{row.id} {jobviews.title(row)} {jobviews.subtitle(row)} {row.queue} {reason}".lower()

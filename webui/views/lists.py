"""Lists of jobs: all of them or those of a state, by a filter, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import times
from taskmanager.domain.arguments import meets
from taskmanager.domain.texts import whole
from taskmanager.storage import monitoring_dates, monitoring_lists, monitoring_sets, monitoring_usual
from taskmanager.storage import servers as server_rows
from taskmanager.storage.monitoring_lists import Page, Row
from taskmanager.storage.monitoring_sets import Place
from taskmanager.storage.transaction import Tx
from webui import (
    access,
    columns,
    cursors,
    exports,
    filtering,
    formats,
    jobrows,
    jobviews,
    languages,
    pausing,
    serverviews,
    shell,
)
from webui.blueprint import pages, read
from webui.bulks import ACTIONS
from webui.counting import Counting
from webui.filtering import Parsed

SIZES = (20, 50, 100, 200)
#: Pages by number are only looked up so far: beyond it the database would count its way there.
_FARTHEST = 10_000
#: The place before the oldest job.
_END = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list page shows. `older`, `newer`, `oldest`: cursors; `count`: at most so many, None when it is not
    counted; `place`: how many stand before its first row, None when that is not known.
    """

    rows: tuple[Row, ...]
    older: str | None = None
    newer: str | None = None
    count: int | None = None
    page: Page | None = None
    oldest: str | None = None
    place: int | None = None


@pages.get("/jobs")
def all_jobs() -> Any:
    """Jobs of all states; a number alone leads to its job."""
    q = request.args.get("q", "").strip()
    number = whole(q.lstrip("#"))
    if number is not None:
        return redirect(url_for("pages.job_details", job_id=number))
    return _page("all")


@pages.get("/jobs/<any(scheduled, processing, succeeded, failed, deleted, awaiting):state>")
def job_list(state: str) -> Any:
    """Jobs of a state."""
    return _page(state)


def size() -> int:
    """How many rows a page has: `count`, as Hangfire calls it; else what who is looking chose."""
    usual = int(languages.taste().rows)
    asked = request.args.get("count", usual, type=int) or usual
    return max(n for n in SIZES if n <= max(SIZES[0], asked))


def _page(state: str) -> Any:
    states = (shell.STATES[state][0],) if state in shell.STATES else ()
    found = shell.seen()
    now = found.snapshot.at if found is not None else times.utcnow()
    typed = filtering.of_form(request.args, request.args.get("q", ""))
    if typed is not None:
        return redirect(shell.with_args(q=typed or None, **{f"f_{name}": None for name in filtering.FIELDS}))
    parsed = filtering.asked(request.args.get("q", ""), states)
    if request.args.get("export") in exports.FORMS:
        return exports.export(parsed, request.args["export"], state)
    start = request.args.get("from", 0, type=int) or 0
    if start > _FARTHEST:
        flash(_("Pages that far are not numbered. Use a filter, or go on with “Older”."), "info")
        return redirect(url_for(request.endpoint or "", **dict(request.view_args or {}) | {"count": size()}))
    if request.args.get("keep"):
        answer: Any = redirect(shell.with_args(keep=None, cols=None))
        columns.keep(answer, state)
        return answer
    over = _end_of(request.args.get("date", ""))
    if over is not None:
        edge = read(lambda tx: monitoring_dates.edge_at(tx, over))
        return redirect(shell.with_args(date=None, before=None, after=cursors.write(edge), **{"from": None}))
    sort = request.args.get("sort") if parsed.wanted.is_indexed else ""
    by_time = state == "scheduled" and not parsed.wanted.terms and not start and sort not in ("new", "old")
    listed = _scheduled() if by_time else _oldest(parsed) if sort == "old" and not start else _by_id(parsed, start)
    can_choose = state in ACTIONS and (access.may("jobs.requeue") or access.may("jobs.delete"))
    offered, cols = columns.offered(state), columns.shown(state)
    shown = columns.listed(state, cols, len(parsed.wanted.states))
    about = jobrows.About(
        state, parsed.needles[0] if parsed.needles else "", now, _servers(state),
        _usual(listed.rows) if state == "processing" else {}, pausing.of_rows(listed.rows),
    )  # fmt: skip
    return render_template(
        "jobs.html", here="jobs", state=state, filter=parsed, listed=listed, size=size(), sizes_list=SIZES,
        actions=ACTIONS.get(state, ()), keys=filtering.KEYS, types=_types(),
        total=_total(listed, state, parsed), by_time=by_time, oldest_first=sort == "old" and not start,
        exact=_counting().known.get(parsed.key) if parsed.is_countable else None,
        cols=cols, offered=offered, shown=shown, can_choose=can_choose,
        draw=jobrows.Rows(about, shown, can_choose=can_choose),
        first=not (request.args.get("after") or request.args.get("before") or start),
    )  # fmt: skip


def _by_id(parsed: Parsed, start: int) -> Listed:
    below, above = _place(request.args.get("after"), 1), _place(request.args.get("before"), 1)
    limit, wanted = size(), parsed.wanted

    def work(tx: Tx) -> Page:
        before = int(below[0]) if below else None
        if start and before is None:
            before = monitoring_lists.edge_of(tx, wanted, start)
        after = int(above[0]) if above else None
        if before is None and after is None and wanted.terms and not parsed.names:
            return monitoring_lists.counted(tx, wanted, limit=limit)
        return monitoring_lists.page(tx, wanted, limit=limit, before=before, after=after)

    page = read(work)
    rows, count = page.rows, page.count
    if parsed.names:
        rows = tuple(r for r in rows if meets(parsed.names, jobviews.arguments_of(r)))
    place = below[1] if below else above[1] - len(page.rows) if above and above[1] is not None else None
    came_by = below or above
    if came_by is None:
        place = start
    else:
        count = came_by[2]
    counted = () if count is None or page.is_least else (count,)
    behind = () if place is None else (place + len(page.rows), *counted)
    has_older = page.has_older and not (above and above[0] == _END)
    older = cursors.write(page.rows[-1].id, *behind) if has_older and page.rows else None
    ahead = () if place is None else (place, *counted)
    newer = cursors.write(page.rows[0].id, *ahead) if page.has_newer and page.rows else None
    if page.ceiling is not None:
        newer = cursors.write(page.ceiling, *ahead)
        older = older if rows or above is None else cursors.write(int(above[0]) + 1, *ahead)
    oldest = cursors.write(_END) if older and wanted.is_indexed else None
    return Listed(rows, older, newer, count, page, oldest, place if place is None else max(0, int(place)))


def _oldest(parsed: Parsed) -> Listed:
    """The oldest first; cursors go on to newer ones (`after`) and back (`before`)."""
    beyond, back = _place(request.args.get("after"), 1), _place(request.args.get("before"), 1)

    def work(tx: Tx) -> Page:
        if back:
            return monitoring_lists.page(tx, parsed.wanted, limit=size(), before=int(back[0]))
        return monitoring_lists.page(tx, parsed.wanted, limit=size(), after=int(beyond[0]) if beyond else _END)

    page = read(work)
    rows = page.rows[::-1]
    place = beyond[1] if beyond else back[1] - len(rows) if back and back[1] is not None else None
    place = 0 if not beyond and not back else place
    ahead = () if place is None else (place + len(rows),)
    older = cursors.write(rows[-1].id, *ahead) if page.has_newer and rows else None
    has_before = page.has_older if back else bool(beyond)
    newer = cursors.write(rows[0].id, *(() if place is None else (place,))) if has_before and rows else None
    return Listed(rows, older, newer, page=page, place=place if place is None else max(0, int(place)))


def _counting() -> Counting:
    found: Counting = current_app.config["COUNTING"]
    return found


def _place(text: str | None, length: int) -> tuple[Any, ...] | None:
    """A place in a list, how many stand before it, and how many there are: None for what is not known of these."""
    for known in (2, 1, 0):
        found = cursors.read(text, length + known)
        if found is not None:
            return (*found, *[None] * (2 - known))
    return None


def _scheduled() -> Listed:
    """In the order they are due; a set has no way back but the first page."""
    found_at = _place(request.args.get("after"), 2)
    after = Place(float(found_at[0]), int(found_at[1])) if found_at else None
    found = read(lambda tx: monitoring_sets.page(tx, "schedule", limit=size(), after=after))
    place = found_at[2] if found_at else 0
    behind = () if place is None else (place + len(found.rows),)
    older = cursors.write(found.next.score, found.next.row, *behind) if found.next else None
    return Listed(found.rows, older, place=place)


def _total(listed: Listed, state: str, parsed: Parsed) -> str:
    """How many there are of what is listed, as people read it: `1,204`, `10,000+`; empty when nobody has counted."""
    cap = monitoring_lists.CAP
    if parsed.names or (parsed.wanted.terms and listed.count is None):
        return ""
    if listed.count is not None:
        is_least = listed.count > cap or (listed.page is not None and listed.page.is_least)
        return formats.number(min(cap, listed.count)) + ("+" if is_least else "")
    named = [n for n, (name, _label) in shell.STATES.items() if n == state or name in parsed.wanted.states]
    names = named or list(shell.STATES)
    counts = [shell.count(n) for n in names]
    if any(c is None for c in counts):
        return ""
    beyond = sum(map(shell.is_capped, names))
    return formats.number(sum(c or 0 for c in counts) - beyond) + ("+" if beyond else "")


def _usual(rows: tuple[Row, ...]) -> dict[str, float]:
    """How long jobs of these functions usually take, in ms."""
    names = {jobviews.function(row) for row in rows} - {""}
    return read(lambda tx: monitoring_usual.usual_ms(tx, names)) if names else {}


def _types() -> list[str]:
    """Names of functions to choose from, as a filter takes them."""
    return sorted({one.name.rpartition(":")[2] for one in jobviews.definitions().values() if not one.is_internal})[:100]


def _end_of(text: str) -> datetime | None:
    """When a day is over; None when it is none."""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time()) if text else None
    except (ValueError, OverflowError):
        return None


def _servers(state: str) -> dict[str, str]:
    """For running jobs: the stage of each server that is known."""
    found = shell.seen()
    if state != "processing" or found is None:
        return {}
    return {s.id: serverviews.view(s, found.snapshot.at).stage for s in read(server_rows.all_servers)}

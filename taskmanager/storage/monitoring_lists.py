"""Lists of jobs by a filter: keyset pages, capped counts, and never a long column.

State and id are served by an index. All else is looked for in the newest rows only: `floor` tells how far.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_filters import (
    DATA,
    KINDS,
    Shape,
    Wanted,
    by_key,
    by_parameter,
    by_state,
    by_tag,
    found_by,
    joined,
    led_by,
    needs_state,
    shape_of,
    values_of,
    where_of,
)
from taskmanager.storage.monitoring_reach import KEY, STATE, TAG, TOP, Search, Window, scan_floor
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

CAP = 10_000
_ARGUMENTS, _CALL = 240, 600
_SHOWN = ("RetryCount", "Progress", "RecurringJobId", "JobName", "TriggeredBy", "Continuations", "Tags")


class Row(NamedTuple):  # of which a list reads hundreds: it is made in a third of a dataclass's time
    """A job as a list shows it: long texts are cut. `since`: when it entered its state."""

    id: int
    state: str | None
    call: str
    arguments: str
    created_at: datetime
    expire_at: datetime | None
    queue: str | None
    reason: str | None
    since: datetime | None
    data: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `floor`: below this id nothing was looked at; None when all was, and on the way up.

    ceiling: the same above, on the way up. looked: so many jobs were looked at, where one of both is told.
    count: how many there are above the floor, of a page that was asked for it; at most CAP + 1. is_least: there may be
    more than that, the time for counting was up.
    """

    rows: tuple[Row, ...]
    has_older: bool
    has_newer: bool
    floor: int | None = None
    floor_at: datetime | None = None
    ceiling: int | None = None
    looked: int = 0
    count: int | None = None
    is_least: bool = False


def page(
    tx: Tx, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None, statements: int = 4,
) -> Page:  # fmt: skip
    """A page of at most `limit` rows: those next below `before`, or next above `after`, or the newest.

    statements: how many a search may run to find them.
    """
    return _page(tx, Search(wanted, before=before, after=after, statements=statements), limit, None)


def counted(tx: Tx, wanted: Wanted, *, limit: int, cap: int | None = None, is_fixed: bool = False) -> Page:
    """The newest page, with how many there are: it is counted on from the page's end, within the same budget.

    is_fixed: the same jobs are looked at each time, however long it takes.
    """
    search = Search(wanted, first=wanted.scanned if is_fixed else None)
    return _page(tx, search, limit, CAP if cap is None else cap)


def _page(tx: Tx, search: Search, limit: int, cap: int | None) -> Page:
    shape, up, found = shape_of(search.wanted), search.is_up, list[Row]()
    while len(found) <= limit and (window := search.next(tx)) is not None:
        given = _bounds(search, window) | {"edge": window.edge, "limit": limit + 1 - len(found)}
        rows = map(_row, tx.execute(_listing(shape, up, window.way), given))
        found += sorted(rows, key=lambda row: row.id, reverse=not up)
    more, rows_of_page = len(found) > limit, with_parameters(tx, found[:limit])
    count, is_least = None if cap is None else len(found), False
    if more and cap is not None and search.wanted.is_led_alone and not search.is_fixed:
        count, is_least = _count_led(tx, search, cap + 1)
    elif more and cap is not None:
        count = _count_on(tx, search, found[:limit], cap + 1)
    end, at = search.window.end, search.window.at
    if up:
        return Page(tuple(rows_of_page[::-1]), True, more or end is not None, None, None, None if more else end,
                    search.looked)  # fmt: skip
    return Page(tuple(rows_of_page), more, search.is_below, end, at, None, search.looked, count, is_least)


def _count_led(tx: Tx, search: Search, most: int) -> tuple[int, bool]:
    """How many have a tag, a few at first, then all where there is time; and whether there may be more than that."""
    build = _counting(shape_of(search.wanted), TAG)
    given = _bounds(search, search.window) | {"edge": TOP}
    few = min(search.few, most)
    known = int(tx.execute(build, given | {"limit": few}).scalar_one())
    if known < few or few == most:
        return known, False
    if not search.has_time(most // few):
        return known, True
    return int(tx.execute(build, given | {"limit": most}).scalar_one()), False


def _bounds(search: Search, window: Window) -> dict[str, Any]:
    """What is bound in the statements of a window. A walk up begins above its edge, also for SQLite."""
    floor, ceiling = (window.edge, window.end) if search.is_up else (window.end, None)
    return values_of(search.wanted) | {"floor": floor or 0, "ceiling": TOP if ceiling is None else ceiling}


def _count_on(tx: Tx, search: Search, rows: Sequence[Row], most: int) -> int:
    """How many there are, at most `most`: in the window in which the page ended, and in those that follow it."""
    known, edge, window = len(rows), rows[-1].id, search.window
    while True:
        given = _bounds(search, window) | {"edge": edge, "limit": max(0, most - known)}
        known += int(tx.execute(_counting(shape_of(search.wanted), window.way), given).scalar_one())
        following = search.next(tx) if known < most else None
        if following is None:
            return min(most, known)
        window, edge = following, following.edge


def newest(tx: Tx, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest jobs, without their parameters: one statement."""
    given = values_of(wanted) | {"edge": TOP, "limit": limit, "floor": 0}
    return [_row(r) for r in tx.execute(_listing(shape_of(wanted), False, STATE), given)]


def edge_of(tx: Tx, wanted: Wanted, start: int) -> int | None:
    """The id above which `start` jobs of the first state stand, for pages by number."""
    given = {"edge": TOP, "skip": start - 1}
    if len(wanted.states) == 1:
        row = tx.execute(scan_floor, given | {"state": wanted.states[0]}).first()
    else:
        row = tx.execute(place_of_all, given).first()
    return 0 if row is None else int(row[0])


def rows_of(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """These jobs, in this order; those that are gone are left out."""
    if not ids:
        return []
    found = {row.id: row for row in map(_row, tx.execute(rows_by_id, {"ids": list(ids)}))}
    return with_parameters(tx, [found[i] for i in ids if i in found])


def with_parameters(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """The rows with the few parameters a list shows."""
    if not rows:
        return []
    found: dict[int, dict[str, str]] = {}
    for job_id, name, value in tx.execute(shown_parameters, {"ids": [r.id for r in rows], "names": list(_SHOWN)}):
        found.setdefault(int(job_id), {})[str(name)] = value or ""
    return [row._replace(parameters=found[row.id]) if row.id in found else row for row in rows]


def count(tx: Tx, wanted: Wanted, *, cap: int | None = None) -> int:
    """How many there are, at most `cap` (else CAP) + 1; of a search, among the newest jobs, and each time these."""
    most, search = (CAP if cap is None else cap) + 1, Search(wanted, first=wanted.scanned)
    window = search.next(tx) or search.window
    given = _bounds(search, window) | {"edge": TOP, "limit": most}
    return int(tx.execute(_counting(shape_of(wanted), window.way), given).scalar_one())


def total(tx: Tx, wanted: Wanted, cap: int) -> int | None:
    """How many there are, the old ones too. For who waits in the background: it reads all jobs of the state.

    None where these are more than `cap`, or where it takes to read what their States say.
    """
    in_state, shape = count(tx, Wanted(wanted.states), cap=cap), shape_of(wanted)
    if in_state > cap or needs_state(shape):
        return None
    if wanted.is_indexed:
        return count(tx, wanted, cap=cap)
    given = values_of(wanted) | {"edge": TOP, "limit": cap, "floor": 0}
    return int(tx.execute(_counting(shape, STATE), given).scalar_one())


@statement
def rows_by_id(t: Tables, p: Product) -> Any:
    return _rows(t).select_from(joined(t)).where(t.job.c.Id.in_(bindparam("ids", expanding=True)))


@statement
def shown_parameters(t: Tables, p: Product) -> Any:
    """The short parameters of these jobs."""
    c = t.parameter.c
    names = c.Name.in_(bindparam("names", expanding=True))
    wanted = c.JobId.in_(bindparam("ids", expanding=True))
    return select(c.JobId, c.Name, func.substr(c.Value, 1, 700)).where(wanted, names)


@statement
def newest_in_state(t: Tables, p: Product) -> Any:
    """The first page of a state."""
    return _listing((("state", False, 1),), False, STATE)(t, p)


@statement
def newest_searched(t: Tables, p: Product) -> Any:
    """A page of a search, with a condition of every kind."""
    shape = tuple((kind, False, 2 if kind in ("tag", "key") else 1) for kind in KINDS)
    return _listing(shape, False, TAG)(t, p)


@statement
def newest_with_parameter(t: Tables, p: Product) -> Any:
    """A page of a search by a parameter, among jobs most of which are in the state."""
    return _listing((("state", False, 1), ("recurring", False, 1)), False, KEY)(t, p)


@statement
def newest_tagged(t: Tables, p: Product) -> Any:
    """A page of a search by a tag, among the jobs of a state."""
    return _listing((("state", False, 1), ("tag", False, 1)), False, TAG)(t, p)


@statement
def above_tagged(t: Tables, p: Product) -> Any:
    """The same, on the way up, by the index of the state: it has fewer jobs than the tag."""
    return _listing((("state", False, 1), ("tag", False, 1)), True, STATE)(t, p)


@statement
def place_of_all(t: Tables, p: Product) -> Any:
    """The id so many below the first, over all states."""
    c = t.job.c
    return select(c.Id).where(c.Id < bindparam("edge")).order_by(c.Id.desc()).limit(1).offset(bindparam("skip"))


@lru_cache(maxsize=256)
def _listing(shape: Shape, ascending: bool, way: str) -> Builder:
    """The statement of one kind of page, built once for each kind of filter; a search's rows come in any order."""

    def build(t: Tables, p: Product) -> Any:
        edge: Any = bindparam("edge")
        is_searched = any(kind not in ("state", "id") for kind, _, _ in shape)
        if is_searched:
            ids, number, where = searched(t, p, shape, way)
            where += [number <= bindparam("ceiling")] if ascending else []
        else:
            ids, number, where = _rows(t).select_from(joined(t)), t.job.c.Id, where_of(shape, t)
            ids = by_state(t, ids) if shape[:1] == (("state", False, 1),) else ids
        order = number.asc() if ascending else number.desc()
        ids = ids.where(number > edge if ascending else number < edge, *where).order_by(order).limit(bindparam("limit"))
        if not is_searched:
            return ids
        # Of what is only looked at no long text is read: that is a third of such a search.
        found = ids.subquery()
        return _rows(t).select_from(found.join(joined(t), t.job.c.Id == found.c.Id))

    return build


@lru_cache(maxsize=256)
def _counting(shape: Shape, way: str) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        ids, number, where = searched(t, p, shape, way)
        found = ids.where(number < bindparam("edge"), *where).limit(bindparam("limit")).subquery()
        return select(func.count()).select_from(found)

    return build


def searched(t: Tables, p: Product, shape: Shape, way: str) -> tuple[Any, Any, list[Any]]:
    """Ids from where they are found, the column that they are walked by, and the conditions."""
    source, lead = joined(t) if needs_state(shape) else t.job, led_by(shape)
    one_by_one = p.name == "postgresql"
    if way == TAG and lead is not None:
        return by_tag(t, source, shape, lead, one_by_one=one_by_one)
    place, of_state = found_by(shape), shape[:1] == (("state", False, 1),)
    if place is not None and (way == KEY or of_state):
        return by_parameter(t, source, shape, place, way == KEY, one_by_one=one_by_one)
    ids = select(t.job.c.Id)
    ids = by_key(t, ids) if way == KEY else by_state(t, ids) if of_state else ids
    return ids.select_from(source), t.job.c.Id, where_of(shape, t)


def _rows(t: Tables) -> Any:
    job, state = t.job.c, t.state.c
    return select(
        job.Id, job.StateName, func.substr(job.InvocationData, 1, _CALL), func.substr(job.Arguments, 1, _ARGUMENTS),
        job.CreatedAt, job.ExpireAt, job.Queue, state.Reason, state.CreatedAt, func.substr(state.Data, 1, DATA),
    )  # fmt: skip


def _row(r: Any) -> Row:
    return Row(
        int(r[0]), r[1], r[2] or "", r[3] or "", as_moment(r[4]), None if r[5] is None else as_moment(r[5]), r[6],
        r[7], None if r[8] is None else as_moment(r[8]), cut_object(r[9] or ""), {},
    )  # fmt: skip


_TEXTS = json.JSONDecoder(parse_int=str, parse_float=str)
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)("?)|([^,}"]+))', re.DOTALL)


def cut_object(text: str) -> dict[str, str]:
    """The members of a JSON object of texts, also when its end was cut off; the last value then ends with …."""
    try:
        whole, end = _TEXTS.raw_decode(text)
        whole = whole if end == len(text) else _TEXTS.decode(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and all([type(value) is str for value in whole.values()]):
        return whole
    found: dict[str, str] = {}
    for name, value, closed, plain in _MEMBER.findall(text):
        found[_unescaped(name)] = plain.strip() if plain else _unescaped(value) + ("" if closed else "…")
    return found


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    for cut in range(7):  # an escape may have been cut in its middle
        try:
            return str(json.loads(f'"{text[: len(text) - cut]}"'))
        except ValueError:
            continue
    return ""

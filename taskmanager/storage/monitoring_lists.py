"""Lists of jobs by a filter: keyset pages, capped counts, and never a long column.

State and id are served by an index. All else is looked for in the newest rows only: `floor` tells how far.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, func, select

from taskmanager.storage import job_tags
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
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

CAP = 10_000
#: Where at least one job in so many is in the wanted state, all are walked by their key: in its order lie the rows.
_DENSE = 3
_ARGUMENTS, _CALL = 240, 600
_SHOWN = ("RetryCount", "Progress", "RecurringJobId", "JobName", "TriggeredBy", "Continuations", "Tags")


@dataclass(frozen=True, slots=True)
class Row:
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
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `floor`: below this id nothing was looked at; None when all was.

    is_dense: many of the jobs above the floor are in a state that is wanted.
    """

    rows: tuple[Row, ...]
    has_older: bool
    has_newer: bool
    floor: int | None = None
    floor_at: datetime | None = None
    is_dense: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How far down a search looks, and whether it meets many jobs of another state on its way."""

    floor: int | None = None
    at: datetime | None = None
    is_dense: bool = False


def page(tx: Tx, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None) -> Page:
    """A page of at most `limit` rows: those next below `before`, or next above `after`, or the newest."""
    reach = Reach() if wanted.is_indexed else reach_of(tx, wanted, before)
    build = _listing(shape_of(wanted), after is not None, reach.is_dense)
    # A walk up begins at the floor: SQLite would begin at the edge, and look at each row below the floor.
    start = None if after is None else max(after, (reach.floor or 0) - 1)
    edge = {"edge": start if start is not None else before if before is not None else 1 << 62}
    given = values_of(wanted) | edge | {"limit": limit + 1, "floor": reach.floor or 0}
    found = sorted(map(_row, tx.execute(build, given)), key=lambda row: row.id, reverse=after is None)
    more = len(found) > limit
    rows = found[:limit] if after is None else found[:limit][::-1]
    newer, older = (before is not None, more) if after is None else (more, True)
    return Page(tuple(with_parameters(tx, rows)), older, newer, reach.floor, reach.at, reach.is_dense)


def newest(tx: Tx, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest jobs, without their parameters: one statement."""
    given = values_of(wanted) | {"edge": 1 << 62, "limit": limit, "floor": 0}
    return [_row(r) for r in tx.execute(_listing(shape_of(wanted), False, False), given)]


def edge_of(tx: Tx, wanted: Wanted, start: int) -> int | None:
    """The id above which `start` jobs of the first state stand, for pages by number."""
    given = {"edge": 1 << 62, "skip": start - 1}
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
    return [
        Row(r.id, r.state, r.call, r.arguments, r.created_at, r.expire_at, r.queue, r.reason, r.since, r.data,
            found.get(r.id, {}))
        for r in rows
    ]  # fmt: skip


def count(tx: Tx, wanted: Wanted, *, cap: int | None = None, first: Page | None = None) -> int:
    """How many there are, at most `cap` (else CAP) + 1; of a search, among the newest jobs only.

    first: the first page of them, where it has been read: it is counted on from its end.
    """
    if first is not None and not first.has_older:
        return len(first.rows)
    most, known, edge = (CAP if cap is None else cap) + 1, 0, 1 << 62
    if first is not None:
        reach, known, edge = Reach(first.floor, None, first.is_dense), len(first.rows), first.rows[-1].id
    else:
        reach = Reach() if wanted.is_indexed else reach_of(tx, wanted, None)
    given = values_of(wanted) | {"edge": edge, "limit": max(0, most - known), "floor": reach.floor or 0}
    return min(most, known + int(tx.execute(_counting(shape_of(wanted), reach.is_dense), given).scalar_one()))


def total(tx: Tx, wanted: Wanted, cap: int) -> int | None:
    """How many there are, the old ones too. For who waits in the background: it reads all jobs of the state.

    None where these are more than `cap`, or where it takes to read what their States say.
    """
    in_state, shape = count(tx, Wanted(wanted.states), cap=cap), shape_of(wanted)
    if in_state > cap or needs_state(shape):
        return None
    if wanted.is_indexed:
        return count(tx, wanted, cap=cap)
    given = values_of(wanted) | {"edge": 1 << 62, "limit": cap, "floor": 0}
    return int(tx.execute(_counting(shape, False), given).scalar_one())


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
    return _listing((("state", False, 1),), False, False)(t, p)


@statement
def newest_searched(t: Tables, p: Product) -> Any:
    """A page of a search, with a condition of every kind."""
    shape = tuple((kind, False, 2 if kind in ("tag", "key") else 1) for kind in KINDS)
    return _listing(shape, False, False)(t, p)


@statement
def newest_with_parameter(t: Tables, p: Product) -> Any:
    """A page of a search by a parameter, among jobs most of which are in the state."""
    return _listing((("state", False, 1), ("recurring", False, 1)), False, True)(t, p)


@statement
def newest_tagged(t: Tables, p: Product) -> Any:
    """A page of a search by a tag, among the jobs of a state."""
    return _listing((("state", False, 1), ("tag", False, 1)), False, False)(t, p)


@statement
def scan_floor(t: Tables, p: Product) -> Any:
    """The id at which a search over one state ends, read from the index alone; and the highest id of all."""
    c = t.job.c
    highest = select(func.max(c.Id)).where(c.Id < bindparam("edge")).scalar_subquery()
    ids = select(c.Id).where(c.StateName == bindparam("state"), c.Id < bindparam("edge"))
    return _with_moment(t, ids).add_columns(highest)


@statement
def place_of_all(t: Tables, p: Product) -> Any:
    """The same over all states."""
    return _with_moment(t, select(t.job.c.Id).where(t.job.c.Id < bindparam("edge")))


@statement
def scan_floor_of_all(t: Tables, p: Product) -> Any:
    """Where a search over all states ends: so many ids below the newest, found without walking there."""
    c = t.job.c
    newest = select(func.max(c.Id)).where(c.Id < bindparam("edge")).scalar_subquery()
    return select(c.Id, c.CreatedAt).where(c.Id <= newest - bindparam("skip")).order_by(c.Id.desc()).limit(1)


def _with_moment(t: Tables, ids: Any) -> Any:
    """The id so many below the first, and when that job was created."""
    place = ids.order_by(t.job.c.Id.desc()).limit(1).offset(bindparam("skip")).subquery()
    return select(t.job.c.Id, t.job.c.CreatedAt).select_from(place.join(t.job, t.job.c.Id == place.c.Id))


@lru_cache(maxsize=256)
def _listing(shape: Shape, ascending: bool, is_dense: bool) -> Builder:
    """The statement of one kind of page, built once for each kind of filter; a search's rows come in any order."""

    def build(t: Tables, p: Product) -> Any:
        edge: Any = bindparam("edge")
        is_searched = any(kind not in ("state", "id") for kind, _, _ in shape)
        if is_searched:
            ids, number, where = searched(t, shape, is_dense)
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
def _counting(shape: Shape, is_dense: bool) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        ids, number, where = searched(t, shape, is_dense)
        found = ids.where(number < bindparam("edge"), *where).limit(bindparam("limit")).subquery()
        return select(func.count()).select_from(found)

    return build


def searched(t: Tables, shape: Shape, is_dense: bool) -> tuple[Any, Any, list[Any]]:
    """Ids from where they are found, the column that they are walked by, and the conditions."""
    source = joined(t) if needs_state(shape) else t.job
    lead = led_by(shape)
    if lead is not None:
        return by_tag(t, source, shape, lead)
    place, of_state = found_by(shape), shape[:1] == (("state", False, 1),)
    if place is not None and (is_dense or of_state):
        return by_parameter(t, source, shape, place, is_dense)
    ids = select(t.job.c.Id)
    ids = by_key(t, ids) if is_dense else by_state(t, ids) if of_state else ids
    return ids.select_from(source), t.job.c.Id, where_of(shape, t)


def _rows(t: Tables) -> Any:
    job, state = t.job.c, t.state.c
    return select(
        job.Id, job.StateName, func.substr(job.InvocationData, 1, _CALL), func.substr(job.Arguments, 1, _ARGUMENTS),
        job.CreatedAt, job.ExpireAt, job.Queue, state.Reason, state.CreatedAt, func.substr(state.Data, 1, DATA),
    )  # fmt: skip


def reach_of(tx: Tx, wanted: Wanted, before: int | None) -> Reach:
    """How far down from `before` a search looks."""
    edge = {"edge": before if before is not None else 1 << 62, "skip": wanted.scanned - 1}
    if wanted.lead is not None:
        return _reach_of_tag(tx, wanted, edge)
    if len(wanted.states) != 1:
        row = tx.execute(scan_floor_of_all, edge).first()
        floor, at = (None, None) if row is None else (int(row[0]), as_moment(row[1]))
        return Reach(floor, at, not wanted.states)
    row = tx.execute(scan_floor, edge | {"state": wanted.states[0]}).first()
    if row is None:
        return Reach()
    floor, highest = int(row[0]), int(row[2])
    return Reach(floor, as_moment(row[1]), highest - floor < _DENSE * wanted.scanned)


def _reach_of_tag(tx: Tx, wanted: Wanted, edge: dict[str, int]) -> Reach:
    """As many of the newest jobs of a tag are looked at as else of a state; where nothing more is asked, all."""
    if wanted.lead is None or wanted.is_led_alone:
        return Reach()
    name, value = wanted.lead.values[0]
    row = tx.execute(job_tags.tag_floor, edge | {"name": name, "value": value}).first()
    return Reach() if row is None else Reach(int(row[0]), None if row[1] is None else as_moment(row[1]))


def _row(r: Any) -> Row:
    return Row(
        int(r[0]), r[1], r[2] or "", r[3] or "", as_moment(r[4]), None if r[5] is None else as_moment(r[5]), r[6],
        r[7], None if r[8] is None else as_moment(r[8]), cut_object(r[9] or ""),
    )  # fmt: skip


_TEXTS = json.JSONDecoder(parse_int=str, parse_float=str)
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)("?)|([^,}"]+))', re.DOTALL)


def cut_object(text: str) -> dict[str, str]:
    """The members of a JSON object of texts, also when its end was cut off; the last value then ends with …."""
    try:
        whole = _TEXTS.decode(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict) and all(type(value) is str for value in whole.values()):
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

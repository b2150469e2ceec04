"""Lists of jobs by a filter: keyset pages, capped counts, and never a long column.

State and id are served by an index. All else is looked for in the newest rows only: `floor` tells how far.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, exists, func, not_, or_, select

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: A filter that no index serves looks at so many of the newest jobs of the state, and the page says so.
SCANNED = 100_000
CAP = 10_000
_ARGUMENTS, _DATA, _CALL = 240, 1500, 600
_SHOWN = ("RetryCount", "Progress", "RecurringJobId", "JobName", "TriggeredBy", "Continuations")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any of the values, or none of them when negated."""

    kind: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs: in these states (all when empty), and all terms are met."""

    states: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def is_indexed(self) -> bool:
        """Whether an index finds them, so that nothing is searched."""
        return all(term.kind == "id" and not term.negated for term in self.terms) and len(self.states) < 2


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
    """Rows, newest first. `floor`: below this id nothing was looked at; None when all was."""

    rows: tuple[Row, ...]
    has_older: bool
    has_newer: bool
    floor: int | None = None
    floor_at: datetime | None = None


def page(tx: Tx, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None) -> Page:
    """A page of at most `limit` rows: those next below `before`, or next above `after`, or the newest."""
    floor, floor_at = (None, None) if wanted.is_indexed else _floor(tx, wanted, before)
    build = _listing(shape_of(wanted), after is not None)
    edge = {"edge": after if after is not None else before if before is not None else 1 << 62}
    given = values_of(wanted) | edge | {"limit": limit + 1, "floor": floor or 0}
    found = [_row(r) for r in tx.execute(build, given)]
    more = len(found) > limit
    rows = found[:limit] if after is None else found[:limit][::-1]
    newer, older = (before is not None, more) if after is None else (more, True)
    return Page(tuple(with_parameters(tx, rows)), older, newer, floor, floor_at)


def newest(tx: Tx, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest jobs, without their parameters: one statement."""
    given = values_of(wanted) | {"edge": 1 << 62, "limit": limit, "floor": 0}
    return [_row(r) for r in tx.execute(_listing(shape_of(wanted), False), given)]


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

    first: the first page of them, where it has been read: what it tells is not asked for again.
    """
    if first is not None and not first.has_older:
        return len(first.rows)
    floor = 0 if wanted.is_indexed else (first.floor if first else _floor(tx, wanted, None)[0]) or 0
    given = values_of(wanted) | {"edge": 1 << 62, "limit": (CAP if cap is None else cap) + 1, "floor": floor}
    return int(tx.execute(_counting(shape_of(wanted)), given).scalar_one())


@statement
def rows_by_id(t: Tables, p: Product) -> Any:
    return _rows(t).where(t.job.c.Id.in_(bindparam("ids", expanding=True)))


@statement
def shown_parameters(t: Tables, p: Product) -> Any:
    """The short parameters of these jobs."""
    c = t.parameter.c
    names = c.Name.in_(bindparam("names", expanding=True))
    wanted = c.JobId.in_(bindparam("ids", expanding=True))
    return select(c.JobId, c.Name, func.substr(c.Value, 1, 400)).where(wanted, names)


@statement
def newest_in_state(t: Tables, p: Product) -> Any:
    """The first page of a state."""
    return _listing((("state", False, 1),), False)(t, p)


@statement
def newest_searched(t: Tables, p: Product) -> Any:
    """A page of a search, with a condition of every kind."""
    shape = tuple((kind, False, 1) for kind in ("state", *_CONDITIONS, *_PARAMETERS))
    return _listing(shape, False)(t, p)


@statement
def scan_floor(t: Tables, p: Product) -> Any:
    """The id at which a search over one state ends: read from the index alone."""
    c = t.job.c
    return _with_moment(t, select(c.Id).where(c.StateName == bindparam("state"), c.Id < bindparam("edge")))


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


#: What tells one statement from another: kind, negation and number of values of each term.
Shape = tuple[tuple[str, bool, int], ...]


def shape_of(wanted: Wanted) -> Shape:
    states: Shape = (("state", False, len(wanted.states)),) if wanted.states else ()
    return states + tuple((term.kind, term.negated, len(term.values)) for term in wanted.terms)


def values_of(wanted: Wanted) -> dict[str, Any]:
    terms = ([Term("state", wanted.states)] if wanted.states else []) + list(wanted.terms)
    found: dict[str, Any] = {}
    for number, term in enumerate(terms):
        for place, value in enumerate(term.values):
            found |= _BINDING.get(term.kind, _plain)(f"v{number}_{place}", value)
    return found


@lru_cache(maxsize=256)
def _listing(shape: Shape, ascending: bool) -> Builder:
    """The statement of one kind of page, built once for each kind of filter."""

    def build(t: Tables, p: Product) -> Any:
        job = t.job.c
        edge = job.Id > bindparam("edge") if ascending else job.Id < bindparam("edge")
        order = job.Id.asc() if ascending else job.Id.desc()
        rows = by_state(t, _rows(t)) if shape and shape[0] == ("state", False, 1) else _rows(t)
        return rows.where(edge, *where_of(shape, t)).order_by(order).limit(bindparam("limit"))

    return build


@lru_cache(maxsize=256)
def _counting(shape: Shape) -> Builder:
    def build(t: Tables, p: Product) -> Any:
        job = t.job.c
        inner = select(job.Id).select_from(joined(t)) if needs_state(shape) else select(job.Id)
        rows = inner.where(job.Id < bindparam("edge"), *where_of(shape, t)).limit(bindparam("limit")).subquery()
        return select(func.count()).select_from(rows)

    return build


def _rows(t: Tables) -> Any:
    job, state = t.job.c, t.state.c
    return select(
        job.Id, job.StateName, func.substr(job.InvocationData, 1, _CALL), func.substr(job.Arguments, 1, _ARGUMENTS),
        job.CreatedAt, job.ExpireAt, job.Queue, state.Reason, state.CreatedAt, func.substr(state.Data, 1, _DATA),
    ).select_from(joined(t))  # fmt: skip


def by_state(t: Tables, rows: Any) -> Any:
    """MariaDB would walk the primary key for its order: 200 ms in the middle of 400,000 jobs, 5 ms by the index."""
    hint = f"FORCE INDEX (IX_{t.job.name}_StateName)"
    return rows.with_hint(t.job, hint, "mysql").with_hint(t.job, hint, "mariadb")


def joined(t: Tables) -> Any:
    return t.job.outerjoin(t.state, t.state.c.Id == t.job.c.StateId)


def needs_state(shape: Shape) -> bool:
    return any(kind in ("error", "server", "text") for kind, _, _ in shape)


def where_of(shape: Shape, t: Tables) -> list[Any]:
    clauses = [] if all(kind in ("state", "id") for kind, _, _ in shape) else [t.job.c.Id >= bindparam("floor")]
    for number, (kind, negated, size) in enumerate(shape):
        names = [f"v{number}_{place}" for place in range(size)]
        if kind in _PARAMETERS:
            either = _has_parameter(t, _PARAMETERS[kind], names)
        else:
            either = or_(*[_CONDITIONS.get(kind, _state)(t, name) for name in names])
        clauses.append(not_(func.coalesce(either, False)) if negated else either)
    return clauses


def _state(t: Tables, name: str) -> Any:
    return t.job.c.StateName == bindparam(name)


def _contains(column: Any, name: str) -> Any:
    return func.lower(column).like(bindparam(name), escape="!")


def _error(t: Tables, name: str) -> Any:
    """In what a failure is and says; not in its stack trace, which comes behind."""
    return _contains(func.substr(t.state.c.Data, 1, _DATA), name)


def _arguments(t: Tables, name: str) -> Any:
    return _contains(t.job.c.Arguments, name)


def _has_parameter(t: Tables, of: str, names: Sequence[str]) -> Any:
    """Whether a job's parameter has one of some values: one look-up a job, however many there are."""
    c = t.parameter.c
    value = c.Value.in_([bindparam(name) for name in names])
    return exists().where(c.JobId == t.job.c.Id, c.Name == of, value).correlate(t.job)


#: Kinds of terms that a parameter of the job answers.
_PARAMETERS = {"recurring": "RecurringJobId", "attempt": "RetryCount", "group": "FailureGroup"}

_CONDITIONS: dict[str, Callable[[Tables, str], Any]] = {
    "id": lambda t, name: t.job.c.Id == bindparam(name),
    "type": lambda t, name: _contains(t.job.c.InvocationData, name),
    "queue": lambda t, name: t.job.c.Queue == bindparam(name),
    "server": lambda t, name: _contains(t.state.c.Data, name),
    "error": _error,
    "arg": lambda t, name: or_(_arguments(t, name), _arguments(t, name + "t")),
    "since": lambda t, name: t.job.c.CreatedAt >= bindparam(name),
    "until": lambda t, name: t.job.c.CreatedAt < bindparam(name),
    "entered_since": lambda t, name: t.state.c.CreatedAt >= bindparam(name),
    "text": lambda t, name: or_(
        _contains(t.job.c.InvocationData, name),
        _arguments(t, name),
        _contains(func.substr(t.state.c.Data, 1, _DATA), name + "d"),
    ),
}


def _plain(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def _like(text: str) -> str:
    """A pattern for a text somewhere in another, in small letters."""
    return "%" + re.sub(r"([!%_])", r"!\1", text.lower()) + "%"


def _stored(text: str) -> str:
    """A text as it stands inside JSON."""
    return json.dumps(text)[1:-1]


#: How a value is bound: an argument stands twice escaped, as JSON text in a JSON array.
_BINDING: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "type": lambda name, value: {name: _like(_stored(value))},
    "error": lambda name, value: {name: _like(_stored(value))},
    "server": lambda name, value: {name: _like('"serverid": "' + _stored(value))},
    "recurring": lambda name, value: {name: json.dumps(value)},
    "attempt": lambda name, value: {name: str(value)},
    "arg": lambda name, value: {
        name: _like(json.dumps(value)), name + "t": _like(json.dumps(json.dumps(value))),
    },
    "text": lambda name, value: {name: _like(_stored(_stored(value))), name + "d": _like(_stored(value))},
}  # fmt: skip


def _floor(tx: Tx, wanted: Wanted, before: int | None) -> tuple[int | None, datetime | None]:
    edge = {"edge": before if before is not None else 1 << 62, "skip": SCANNED - 1}
    if len(wanted.states) == 1:
        row = tx.execute(scan_floor, edge | {"state": wanted.states[0]}).first()
    else:
        row = tx.execute(scan_floor_of_all, edge).first()
    return (None, None) if row is None else (int(row[0]), as_moment(row[1]))


def _row(r: Any) -> Row:
    return Row(
        int(r[0]), r[1], r[2] or "", r[3] or "", as_moment(r[4]), None if r[5] is None else as_moment(r[5]), r[6],
        r[7], None if r[8] is None else as_moment(r[8]), cut_object(r[9] or ""),
    )  # fmt: skip


_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*(?:"((?:[^"\\]|\\.)*)("?)|([^,}"]+))', re.DOTALL)


def cut_object(text: str) -> dict[str, str]:
    """The members of a JSON object of texts, also when its end was cut off; the last value then ends with …."""
    try:
        whole = json.loads(text, parse_int=str, parse_float=str)
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

"""The statements that read pages of c_LoggedJob: ids from one index each, then the rows of the few that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import Builder
from taskmanager.storage.tables import Tables

#: So many characters of how a run ended are shown in a list.
TEXT = 300
_LISTED = ("ID", "JobName", "JobId", "JobType", "StartedAt", "DurationMs", "Success", "ServerName", "TriggeredBy")

#: What tells one statement from another: by name, outcome, server, person, text.
Kind = tuple[bool, bool | None, bool, bool, bool]


@lru_cache(maxsize=128)
def listing(kind: Kind, ascending: bool) -> Builder:
    """A page of one kind, built once for each."""

    def build(t: Tables, p: Product) -> str:
        way = "ASC" if ascending else "DESC"
        ids = f"SELECT ID, StartedAt FROM ({branches(t, p, kind, ascending)}) u ORDER BY StartedAt {way}, ID {way}"
        return shown(t, p, f"{ids} LIMIT :limit", way)

    return build


def shown(t: Tables, p: Product, ids: str, way: str, more: str = "") -> str:
    """What a list shows of runs. ids: a SELECT of their ID and StartedAt, and of what else is told (`more`)."""
    q = p.quote
    columns = ", ".join(f"l.{q(c)}" for c in _LISTED)
    note = f"SUBSTR(COALESCE(l.{q('ErrorMessage')}, l.{q('ResultMessage')}), 1, {TEXT})"
    return (
        f"SELECT {columns}, {note}{more} FROM ({ids}) k JOIN {q(t.legacy.logged.name)} l "
        f"ON l.{q('ID')} = k.ID ORDER BY k.StartedAt {way}, k.ID {way}"
    )


@lru_cache(maxsize=64)
def counting(kind: Kind, most: int) -> Builder:
    """How many there are of what an index finds, at least `most` where there are more."""

    def build(t: Tables, p: Product) -> str:
        begins = firsts(p, kind)
        wheres = (f"{p.quote(t.legacy.logged.name)} WHERE {' AND '.join(period(p, first))}" for first in begins)
        return f"SELECT {p.count_up_to(most, *wheres, order=f'ORDER BY {_by_start(p, begins[0])}')}"

    return build


@lru_cache(maxsize=64)
def lowest(kind: Kind, ascending: bool = False) -> Builder:
    """Where a search ends: of each index read, the start of the row `skip` rows behind the edge, by the index alone.

    None is looked for in all of them together: the nearest such start has at least so many rows before it. Those of
    the edge's own moment are not counted: their ID stands in no index of PostgreSQL's.
    """

    def build(t: Tables, p: Product) -> str:
        at, (sign, way, nearest) = p.quote("StartedAt"), (">", "ASC", "MIN") if ascending else ("<", "DESC", "MAX")
        places = (
            p.bounded(
                f"SELECT {at} AS StartedAt FROM {p.quote(t.legacy.logged.name)} "
                f"WHERE {' AND '.join([*period(p, first), f'{_started(p, first)} {sign} :edge_at'])} "
                f"ORDER BY {_by_start(p, first, way)} LIMIT 1 OFFSET :skip",
                n,
            )
            for n, first in enumerate(firsts(p, kind))
        )
        return f"SELECT {nearest}(StartedAt) FROM ({' UNION ALL '.join(places)}) k"

    return build


def branches(t: Tables, p: Product, kind: Kind, ascending: bool, more: Sequence[str] = ()) -> str:
    """Ids and starts, from one index each: without a name that of Success is read once for each of its values.

    more: further columns.
    """
    parts = (_branch(t, p, first, n, kind, ascending, more) for n, first in enumerate(firsts(p, kind)))
    return " UNION ALL ".join(parts)


@dataclass(frozen=True, slots=True)
class First:
    """What an index begins with: the condition, columns to order by before the start, and whether all is read."""

    where: str
    order: tuple[str, ...] = ()
    is_rare: bool = False


def firsts(p: Product, kind: Kind) -> list[First]:
    """The first columns of the indexes that are read."""
    named, succeeded = kind[:2]
    success = p.quote("Success")
    if named:
        where, order = p.is_one(p.quote("JobName"), ":name")
        outcome = {None: "", True: f" AND {success} <> 0", False: f" AND {success} = 0"}[succeeded]
        return [First(where + outcome, order)]
    values = {None: ("1", "0"), True: ("1",), False: ("0",)}[succeeded]
    odd = [First(f"{success} > 1", (), True)] if succeeded is not False else []
    return [First(*p.is_one(success, value)) for value in values] + odd


def _by_start(p: Product, first: First, way: str = "DESC") -> str:
    """By their start, in the order of the index."""
    return ", ".join(f"{column} {way}" for column in (*first.order, p.quote("StartedAt")))


def period(p: Product, first: First) -> list[str]:
    """The conditions that an index serves, but for the edge of a page."""
    told = _started(p, first)
    return [first.where, f"{told} >= :since", f"{told} < :until"]


def within(p: Product, first: First, ascending: bool) -> list[str]:
    """The conditions that an index serves."""
    told, number, sign = _started(p, first), p.quote("ID"), ">" if ascending else "<"
    edge = [f"{told} {sign}= :edge_at", f"({told} {sign} :edge_at OR {number} {sign} :edge_id)"]
    return period(p, first) + edge


def _started(p: Product, first: First) -> str:
    # Of the few rows with an odd Success all are read: by StartedAt SQLite would skip through the whole index.
    at = p.quote("StartedAt")
    return f"COALESCE({at}, {at})" if first.is_rare else at


def searched(p: Product, kind: Kind) -> list[str]:
    """The conditions that no index serves."""
    server, by, text = kind[2:]
    columns = [name for name, asked in ((("ServerName", "server"), server), (("TriggeredBy", "by"), by)) if asked]
    found = [p.contains(p.quote(column), name) for column, name in columns]
    if text:
        parts = (p.contains(p.quote(column), "text") for column in ("JobName", "ErrorMessage", "ResultMessage"))
        found.append(f"({' OR '.join(parts)})")
    return found


def _branch(
    t: Tables, p: Product, first: First, n: int, kind: Kind, ascending: bool, more: Sequence[str]
) -> str:  # fmt: skip
    q, way = p.quote, "ASC" if ascending else "DESC"
    where, number = within(p, first, ascending) + searched(p, kind), q("ID")
    columns = ", ".join(f"{q(column)} AS {column}" for column in ("ID", "StartedAt", *more))
    return p.bounded(
        f"SELECT {columns} FROM {q(t.legacy.logged.name)} "
        f"WHERE {' AND '.join(where)} ORDER BY {_by_start(p, first, way)}, {number} {way} LIMIT :limit",
        n,
    )

"""How much waits in queues and since when: one statement for a dozen of them, by the index of the claim.

The latency of a queue is how long the job has waited that came first, whatever its priority. Within a priority that is
the first row of the index; so one row is looked at for each priority, and the oldest of these taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.storage.dialects import Product
from taskmanager.storage.holding import HELD
from taskmanager.storage.monitoring_snapshot import CAP
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Queues that one statement looks at: the fewest that will do, for each part is planned.
_SIZES = (1, 4, 12)
#: Of so many priorities, the most urgent first, the first row is looked at.
PRIORITIES = 100


@statement
def looks(t: Tables, p: Product) -> Any:
    """What waits in some queues, is in hand and is held, capped, and since when the job waits that came first."""
    return _looking(_SIZES[-1])(t, p)


@statement
def waits(t: Tables, p: Product) -> Any:
    """The last alone: a few look-ups for each queue."""
    return _waiting(_SIZES[-1])(t, p)


@dataclass(frozen=True, slots=True)
class Look:
    """How many jobs of a queue wait, are in hand and are held, at most CAP + 1; since when the one waits that came
    first."""

    waiting: int
    fetched: int
    held: int
    since: datetime | None


def look(tx: Tx, queues: Sequence[str]) -> dict[str, Look]:
    """How it is in each of some queues."""
    rows = list(_each(tx, _looking, queues))
    firsts = {str(row[0]): as_moment(row[4]) for row in rows if row[4] is not None}
    return {
        (name := str(row[0])): Look(int(row[1]), int(row[2]), int(row[3]), firsts.get(name))
        for row in rows
        if row[1] is not None
    }


def since(tx: Tx, queues: Sequence[str]) -> dict[str, datetime]:
    """Since when the job waits that came first, of the queues in which one waits."""
    return {str(name): as_moment(at) for name, at in _each(tx, _waiting, queues) if at is not None}


def _each(tx: Tx, builder: Any, queues: Sequence[str]) -> Iterator[Any]:
    for start in range(0, len(queues), _SIZES[-1]):
        some = queues[start : start + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(some))
        given = {f"q{n}": some[n] if n < len(some) else "" for n in range(size)}
        yield from (row for row in tx.execute(builder(size), given) if row[0] in some)


@lru_cache(maxsize=8)
def _looking(size: int) -> Builder:
    def build(t: Tables, p: Product) -> str:
        # Of a queue whose name is not known beforehand PostgreSQL would count by reading the whole table.
        names = [f"q{n}" for n in range(size)]
        waits = p.for_each(names, ["NULL", "NULL", "NULL", f"({_since(t, p)})"])
        return " UNION ALL ".join((waits, *(f"SELECT {_counts(t, p, name)}, NULL" for name in names)))

    return build


def _counts(t: Tables, p: Product, name: str) -> str:
    table, of, fetched = p.quote(t.queue.name), f"{p.quote('Queue')} = :{name}", p.quote("FetchedAt")
    each = "IS NULL", f"< '{HELD}'", f"= '{HELD}'"
    counts = (p.count_up_to(CAP + 1, f"{table} WHERE {of} AND {fetched} {one}") for one in each)
    return ", ".join((p.text_parameter(name), *counts))


@lru_cache(maxsize=8)
def _waiting(size: int) -> Builder:
    def build(t: Tables, p: Product) -> str:
        return p.for_each([f"q{n}" for n in range(size)], [f"({_since(t, p)})"])

    return build


def _since(t: Tables, p: Product) -> str:
    q, index = p.quote, f"IX_{t.queue.name}_Claim"
    fixed = f"{q('Queue')} = {{each}} AND {q('FetchedAt')} IS NULL"
    steps = p.distinct_within(t.queue.name, index, fixed, ("Queue", "FetchedAt", "Priority"), PRIORITIES)
    order = ", ".join(map(q, p.claim_order))
    first = (
        f"SELECT {q('Id')} FROM {q(t.queue.name)}{p.by_index(index)} "
        f"WHERE {fixed} AND {q('Priority')} = x.step ORDER BY {order} LIMIT 1"
    )
    return (
        f"SELECT s.{q('CreatedAt')} FROM {q(t.queue.name)} w JOIN {q(t.job.name)} j ON j.{q('Id')} = w.{q('JobId')} "
        f"JOIN {q(t.state.name)} s ON s.{q('Id')} = j.{q('StateId')} "
        f"WHERE w.{q('Id')} = (SELECT MIN(({first})) FROM ({steps}) x)"
    )

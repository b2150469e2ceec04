"""What a dashboard of some queues counts. The queue of a job stands in its row, and in no index: so of each state the
newest jobs are looked at, and where there are more, what was counted is the least that there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from taskmanager.domain.rollups import DAY, QUEUE
from taskmanager.storage import monitoring_snapshot, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_snapshot import CAP, Snapshot
from taskmanager.storage.recurring import HASH, SET
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: So many of the newest jobs of a state, of retries and of recurring jobs are looked at.
LOOKED = 10_000
_STATES = ("Scheduled", "Processing", "Failed", "Awaiting", "Deleted")
#: The queue of a recurring job that names none, and of every row of c_Job.
USUAL = "default"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Counts by name, of some queues. more: the names of those that are the least there is."""

    counts: dict[str, int]
    more: frozenset[str]


def take(
    tx: Tx, before: Snapshot | None, queues: Sequence[str], *, figures: bool
) -> tuple[Snapshot, Narrowed]:  # fmt: skip
    """The counts of everything, and those of these queues, by one statement.

    figures: runs of queues are kept, and tell how many succeeded.
    """
    build = _counts(len(queues), figures, USUAL in queues)
    snapshot, found = monitoring_snapshot.take_with(tx, before, build, bound(queues))
    counts = {name: number // 2 for name, number in found.items()} | {"queues": len(queues)}
    return snapshot, Narrowed(counts, frozenset(name for name, number in found.items() if number % 2))


def queues_of_recurring(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """The queues of those of these recurring jobs that there are; rows of c_Job are not among them."""
    found = structures.fields_of(tx, [HASH + one for one in ids])
    return {one: found[HASH + one].get("Queue") or USUAL for one in ids if HASH + one in found}


def bound(queues: Sequence[str]) -> dict[str, Any]:
    """The names of queues as statements of a fixed length take them."""
    return {f"q{n}": name for n, name in enumerate(queues)}


def listed(size: int) -> str:
    """The same in their text."""
    return ", ".join(f":q{n}" for n in range(size))


def queue_of_hash(p: Product, alias: str) -> str:
    """The queue of a recurring job, by field Queue of its hash."""
    return f"COALESCE(NULLIF({alias}.{p.quote('Value')}, ''), '{USUAL}')"


@statement
def counts_of_queues(t: Tables, p: Product) -> str:
    """Of two queues, the usual one among them, where runs are counted."""
    return str(_counts(2, True, True)(t, p))


@statement
def counts_of_a_queue(t: Tables, p: Product) -> str:
    """Of one queue, where they are not."""
    return str(_counts(1, False, False)(t, p))


@lru_cache(maxsize=8)
def _counts(size: int, figures: bool, has_rows: bool) -> Builder:
    """What counts everything, and for each name twice the number, and one more where it is the least there is."""

    def build(t: Tables, p: Product) -> str:
        parts = [_waiting(t, p, size), _retries(t, p, size), _recurring(t, p, size, has_rows)]
        parts += [_in_state(t, p, size, state) for state in _STATES]
        parts.append(_succeeded(t, p, size) if figures else _in_state(t, p, size, "Succeeded"))
        return " UNION ALL ".join([str(monitoring_snapshot.counts(t, p)), *parts])

    return build


def _waiting(t: Tables, p: Product, size: int) -> str:
    q = p.quote
    parts = [f"{q(t.queue.name)} WHERE {q('Queue')} = :q{n} AND {q('FetchedAt')} IS NULL" for n in range(size)]
    number = f"CASE WHEN w.n > {CAP} THEN {2 * CAP + 1} ELSE 2 * w.n END"
    return f"SELECT '~enqueued', {number} FROM (SELECT {p.count_up_to(CAP + 1, *parts)} AS n) w"


def newest_in_state(t: Tables, p: Product, state: str, looked: int) -> str:
    """The newest jobs of a state, as a table of id and queue."""
    q, index = p.quote, p.by_index(f"IX_{t.job.name}_StateName")
    return (
        f"(SELECT {q('Id')} AS id, {q('Queue')} AS queue FROM {q(t.job.name)}{index} "
        f"WHERE {q('StateName')} = '{state}' ORDER BY {q('Id')} DESC LIMIT {looked})"
    )


def _in_state(t: Tables, p: Product, size: int, state: str) -> str:
    jobs = newest_in_state(t, p, state, LOOKED + 1)
    return f"SELECT '~{state.lower()}', {_those(size, 'x.queue')} FROM {jobs} x"


def _retries(t: Tables, p: Product, size: int) -> str:
    q, member = p.quote, f"s.{p.quote('Value')}"
    if p.name == "postgresql":  # it takes no text for a number that is none
        member = f"CASE WHEN {member} ~ '^[0-9]{{1,18}}$' THEN {member} END"
    kind = "SIGNED" if p.name in ("mysql", "mariadb") else "BIGINT"
    return (
        f"SELECT '~retries', {_those(size, 'j.' + q('Queue'))} FROM (SELECT {q('Value')} FROM {q(t.set.name)} "
        f"WHERE {q('Key')} = 'retries' ORDER BY {q('Score')} LIMIT {LOOKED + 1}) s "
        f"LEFT JOIN {q(t.job.name)} j ON j.{q('Id')} = CAST({member} AS {kind})"
    )


def _recurring(t: Tables, p: Product, size: int, has_rows: bool) -> str:
    q = p.quote
    key = p.concat(f"'{HASH}'", f"s.{q('Value')}")
    rows = f" + 2 * (SELECT COUNT(*) FROM {q(t.legacy.job.name)})" if has_rows else ""
    return (
        f"SELECT '~recurring', {_those(size, queue_of_hash(p, 'h'))}{rows} "
        f"FROM (SELECT {q('Value')} FROM {q(t.set.name)} WHERE {q('Key')} = '{SET}' LIMIT {LOOKED + 1}) s "
        f"LEFT JOIN {q(t.hash.name)} h ON h.{q('Key')} = {key} AND h.{q('Field')} = 'Queue'"
    )


def _succeeded(t: Tables, p: Product, size: int) -> str:
    """By the days for which figures of queues are kept."""
    q = p.quote
    return (
        f"SELECT '~succeeded', 2 * COALESCE(SUM({q('Count')} - {q('Failed')}), 0) FROM {q(t.rollup.name)} "
        f"WHERE {q('Span')} = {DAY} AND {q('Kind')} = '{QUEUE}' AND {q('Key')} IN ({listed(size)})"
    )


def _those(size: int, column: str) -> str:
    """Twice the number of the rows that are of these queues, and one where more rows are than were to be looked at."""
    looked = f"CASE WHEN COUNT(*) > {LOOKED} THEN 1 ELSE 0 END"
    return f"2 * COUNT(CASE WHEN {column} IN ({listed(size)}) THEN 1 END) + {looked}"

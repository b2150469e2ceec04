"""Reads for dashboards and the command line. Counts are capped or come from counters, never over millions of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from taskmanager.domain.records import JobRecord, ServerRecord
from taskmanager.storage import jobs, queues, recurring, structures
from taskmanager.storage import servers as server_rows
from taskmanager.storage.dialects import Product
from taskmanager.storage.holding import HELD
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Counting stops here: "10000" then means "10000 or more".
COUNT_CAP = 10_000
_COUNTED = ("Enqueued", "Scheduled", "Processing", "Awaiting", "Failed")


@dataclass(frozen=True, slots=True)
class QueueLength:
    """How much waits in a queue, is in workers' hands, and is held as it is paused by type or tag."""

    name: str
    waiting: int
    fetched: int
    paused: bool
    held: int = 0


@statement
def count_state(t: Tables, p: Product) -> Any:
    rows = select(t.job.c.Id).where(t.job.c.StateName == bindparam("state")).limit(bindparam("cap")).subquery()
    return select(func.count()).select_from(rows)


@statement
def ids_in_state(t: Tables, p: Product) -> Any:
    j = t.job.c
    return (
        select(j.Id)
        .where(j.StateName == bindparam("state"), j.Id < bindparam("before"))
        .order_by(j.Id.desc())
        .limit(bindparam("limit"))
    )


@statement
def newest_ids(t: Tables, p: Product) -> Any:
    j = t.job.c
    return select(j.Id).where(j.Id < bindparam("before")).order_by(j.Id.desc()).limit(bindparam("limit"))


@statement
def calls_in_state(t: Tables, p: Product) -> Any:
    """What is needed to pick jobs by what they call, without their arguments where those are kept apart."""
    j = t.job.c
    return (
        select(j.Id, j.InvocationData, j.Queue)
        .where(j.StateName == bindparam("state"), j.Id < bindparam("before"))
        .order_by(j.Id.desc())
        .limit(bindparam("limit"))
    )


@statement
def newest_calls(t: Tables, p: Product) -> Any:
    j = t.job.c
    return (
        select(j.Id, j.InvocationData, j.Queue)
        .where(j.Id < bindparam("before"))
        .order_by(j.Id.desc())
        .limit(bindparam("limit"))
    )


@statement
def queue_names(t: Tables, p: Product) -> str:
    return p.distinct(t.queue.name, "Queue", 1_000)


@statement
def count_waiting(t: Tables, p: Product) -> Any:
    q = t.queue.c
    rows = select(q.Id).where(q.Queue == bindparam("queue"), q.FetchedAt.is_(None)).limit(bindparam("cap")).subquery()
    return select(func.count()).select_from(rows)


@statement
def count_fetched(t: Tables, p: Product) -> Any:
    q = t.queue.c
    claimed = q.Queue == bindparam("queue"), q.FetchedAt < literal_column(f"'{HELD}'")
    rows = select(q.Id).where(*claimed).limit(bindparam("cap")).subquery()
    return select(func.count()).select_from(rows)


@statement
def count_held(t: Tables, p: Product) -> Any:
    q = t.queue.c
    held = q.Queue == bindparam("queue"), q.FetchedAt == literal_column(f"'{HELD}'")
    rows = select(q.Id).where(*held).limit(bindparam("cap")).subquery()
    return select(func.count()).select_from(rows)


def statistics(tx: Tx) -> dict[str, int]:
    """Counts for the overview; those of unfinished states are capped."""
    found = {
        state.lower(): int(tx.execute(count_state, {"state": state, "cap": COUNT_CAP}).scalar_one())
        for state in _COUNTED
    }
    counters = structures.counts_of(tx, ["stats:succeeded", "stats:deleted"])
    found |= {key.partition(":")[2]: max(0, value) for key, value in counters.items()}
    found["servers"] = len(server_rows.all_servers(tx))
    found["recurring"] = structures.count(tx, recurring.SET)
    found["queues"] = len(queue_lengths(tx))
    return found


def jobs_in(tx: Tx, state: str | None, *, limit: int = 20, before_id: int | None = None) -> list[JobRecord]:
    """Jobs of a state or all, newest first, a page at a time: `before_id` is the last id of the page before."""
    found_ids = tx.execute(*_newest(newest_ids, ids_in_state, state, limit, before_id))
    ids = [int(r[0]) for r in found_ids]
    found = {record.id: record for record in jobs.read_many(tx, ids)} if ids else {}
    return [found[i] for i in ids if i in found]


def calls(tx: Tx, state: str | None, *, limit: int, before_id: int | None = None) -> list[tuple[int, str, str | None]]:
    """Id, InvocationData and queue of jobs of a state or all, newest first, a page at a time."""
    rows = tx.execute(*_newest(newest_calls, calls_in_state, state, limit, before_id))
    return [(int(r[0]), r[1], r[2]) for r in rows]


def _newest(
    of_all: Builder, of_state: Builder, state: str | None, limit: int, before_id: int | None
) -> tuple[Builder, dict[str, Any]]:
    given = {"before": before_id if before_id is not None else 1 << 62, "limit": limit}
    return (of_all, given) if state is None else (of_state, given | {"state": state})


def queue_lengths(tx: Tx) -> list[QueueLength]:
    """Queues in which something is, or that are paused."""
    paused = set(structures.members(tx, queues.PAUSED))
    names = {str(r[0]) for r in tx.execute(queue_names)} | paused
    return [
        QueueLength(
            name,
            int(tx.execute(count_waiting, {"queue": name, "cap": COUNT_CAP}).scalar_one()),
            int(tx.execute(count_fetched, {"queue": name, "cap": COUNT_CAP}).scalar_one()),
            name in paused,
            int(tx.execute(count_held, {"queue": name, "cap": COUNT_CAP}).scalar_one()),
        )
        for name in sorted(names)
    ]


def servers(tx: Tx) -> list[ServerRecord]:
    """All servers that announced themselves."""
    return server_rows.all_servers(tx)

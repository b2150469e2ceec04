"""Old rows go, in bounded batches by primary key; counter rows are rolled up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, select

from taskmanager.storage import jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each


def _expired(table: Table, *more: Any) -> Any:
    c = table.c
    return (
        select(c.Id, *more)
        .where(c.ExpireAt < bindparam("now"))
        .order_by(c.ExpireAt)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


@statement
def expired_jobs(t: Tables, p: Product) -> Any:
    return _expired(t.job, t.job.c.StateName)


@statement
def expired_sets(t: Tables, p: Product) -> Any:
    return _expired(t.set)


@statement
def expired_hashes(t: Tables, p: Product) -> Any:
    return _expired(t.hash)


@statement
def expired_lists(t: Tables, p: Product) -> Any:
    return _expired(t.list)


@statement
def expired_counters(t: Tables, p: Product) -> Any:
    return _expired(t.aggregated)


@statement
def delete_jobs(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.job.name)


@statement
def delete_job_states(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.state.name, key="JobId")


@statement
def delete_job_parameters(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.parameter.name, key="JobId")


@statement
def delete_job_logs(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.log.name, key="JobId")


@statement
def delete_job_tags(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.tag.name, key="JobId")


@statement
def delete_job_queue(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.queue.name, key="JobId")


@statement
def delete_sets(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.set.name)


@statement
def delete_hashes(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.hash.name)


@statement
def delete_lists(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.list.name)


@statement
def delete_counters(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.aggregated.name)


@statement
def lock_counter_rows(t: Tables, p: Product) -> Any:
    c = t.counter.c
    return (
        select(c.Id, c.Key, c.Value, c.ExpireAt)
        .order_by(c.Id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


@statement
def delete_counter_rows(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.counter.name)


@statement
def upsert_aggregated(t: Tables, p: Product) -> str:
    return p.upsert(t.aggregated, ("Key",), {"Value": "{old} + {new}", "ExpireAt": "{new}"})


_SMALL = (
    (expired_sets, delete_sets),
    (expired_hashes, delete_hashes),
    (expired_lists, delete_lists),
    (expired_counters, delete_counters),
)
#: What belongs to a job, the job itself last.
_PARTS = (
    delete_job_queue, delete_job_logs, delete_job_tags, delete_job_parameters, delete_job_states, delete_jobs,
)  # fmt: skip


def lock_expired(tx: Tx, limit: int) -> dict[int, str | None]:
    """Jobs past their ExpireAt with their states, locked, the oldest first; what others hold is passed by."""
    return {int(r[0]): r[1] for r in tx.execute(expired_jobs, {"now": tx.now(), "limit": limit})}


def remove_jobs(tx: Tx, ids: Iterable[int]) -> None:
    """Delete jobs with all that belongs to them."""
    text = jobs.ids_json(ids)
    if text != "[]":
        for build in _PARTS:
            tx.execute(build, {"ids": text})


def expire_structures(tx: Tx, limit: int) -> int:
    """Delete expired rows of Set, Hash, List and AggregatedCounter; returns how many."""
    total = 0
    for find, drop in _SMALL:
        found = [r[0] for r in tx.execute(find, {"now": tx.now(), "limit": limit})]
        if found:
            tx.execute(drop, {"ids": jobs.ids_json(found)})
        total += len(found)
    return total


def roll_up(tx: Tx, limit: int) -> int:
    """Fold up to `limit` Counter rows into AggregatedCounter; returns how many.

    The very rows that were read and locked are deleted, so that none is lost or counted twice.
    """
    rows = tx.execute(lock_counter_rows, {"limit": limit}).all()
    if not rows:
        return 0
    sums: dict[str, int] = defaultdict(int)
    expires: dict[str, datetime | None] = {}
    for _, key, value, expire in rows:
        sums[key] += value
        expires[key] = max(filter(None, (expires.get(key), expire)), default=None)
    folded = [{"Key": k, "Value": v, "ExpireAt": tx.bind_moment(expires[k])} for k, v in sorted(sums.items())]
    insert_each(tx, upsert_aggregated, folded)
    tx.execute(delete_counter_rows, {"ids": jobs.ids_json(r[0] for r in rows)})
    return len(rows)

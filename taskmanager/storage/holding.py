"""Queue rows that are held: their jobs are paused by type or tag. A held row is in no worker's hand, and not claimed.

It is put aside where a claim meets it: its FetchedAt is a moment that never comes, so that nobody takes it, whoever
shares the tables; it has no token. Queue, priority and number stay, and so its place in the order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from taskmanager.domain.paused import PausedJobs, paused_of
from taskmanager.storage import jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: FetchedAt of a row that is held.
HELD = "9999-12-31 00:00:00.000000"
#: The set whose members are the types and tags of which nothing is claimed: `type:shop.jobs:send`, `tag:spring`.
PAUSED_JOBS = "paused-jobs"


@statement
def hold_rows(t: Tables, p: Product) -> str:
    return p.update_by_ids(t.queue.name, {"FetchedAt": f"'{HELD}'", "FetchToken": "NULL"})


@statement
def lock_paused(t: Tables, p: Product) -> str:
    """What is paused, and stays so until the end of the transaction: what it holds is seen by who resumes it."""
    q = p.quote
    return f"SELECT {q('Value')} FROM {q(t.set.name)} WHERE {q('Key')} = '{PAUSED_JOBS}'{p.for_share}"


def is_held(fetched_at: Any) -> bool:
    """Whether a row's FetchedAt, as any driver reads it, says that it is held."""
    return str(fetched_at)[:4] == HELD[:4]


def is_free(fetched_at: Any) -> bool:
    """Whether it says that no worker has the row in hand."""
    return fetched_at is None or is_held(fetched_at)


def still_paused(tx: Tx) -> PausedJobs:
    """What is paused; nobody resumes any of it before the end of the transaction."""
    return paused_of(str(r[0]) for r in tx.execute(lock_paused))


def hold(tx: Tx, queue_ids: Iterable[int]) -> None:
    """Put rows aside that this transaction has locked."""
    text = jobs.ids_json(queue_ids)
    if text != "[]":
        tx.send(hold_rows, {"ids": text})

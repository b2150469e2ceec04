"""One cheap look that tells a worker process all it has to know: work, what is due and when, what it is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Product
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.recurring import PAUSED as PAUSED_RECURRING
from taskmanager.storage.recurring import SET as RECURRING
from taskmanager.storage.servers import QUIET
from taskmanager.storage.stacks import WANTED
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import as_moment


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is: waiting jobs, and the earliest unix second of a delayed and of a recurring job (or of
    the end of the pause of one).

    quiet: this server is asked to take no jobs. stacks: somebody asks where running jobs stand.
    """

    now: datetime
    waiting: bool
    scheduled: float | None
    recurring: float | None
    quiet: bool = False
    stacks: bool = False


def _waiting(t: Tables, p: Product) -> str:
    """Whether a queue has a row that may be claimed; one that is paused has none."""
    q = p.quote
    return (
        f"(EXISTS (SELECT 1 FROM {q(t.queue.name)} r WHERE r.{q('Queue')} = :queue AND r.{q('FetchedAt')} IS NULL) "
        f"AND NOT EXISTS (SELECT 1 FROM {q(t.set.name)} s WHERE s.{q('Key')} = '{PAUSED}' "
        f"AND s.{q('Value')} = :queue))"
    )


@statement
def glance(t: Tables, p: Product) -> str:
    """A few index reads in one round trip; nothing is locked. This is for one queue; others are asked for beside it."""
    q = p.quote
    score, key, name = q("Score"), q("Key"), q(t.set.name)
    asked = f"EXISTS (SELECT 1 FROM {name} WHERE {key} = "
    return (
        f"SELECT {p.utc_now}, {p.local_offset}, CASE WHEN {_waiting(t, p)} THEN 1 END, "
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = 'schedule' AND {score} >= 0), "
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{RECURRING}' AND {score} >= 0), "
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{PAUSED_RECURRING}' AND {score} > 0), "
        f"CASE WHEN {asked}'{QUIET}' AND {q('Value')} = :server) THEN 1 END, "
        f"CASE WHEN {asked}'{WANTED}') THEN 1 END"
    )


class Watcher:
    """Keeps one connection in autocommit, and looks through it; every look sets the database's clock."""

    def __init__(self, database: Database, queues: Sequence[str], server_id: str) -> None:
        self._database = database
        self._queues = list(queues)
        self._connection: Connection | None = None
        one = _waiting(database.tables, database.product)
        each = " OR ".join(one.replace(":queue", f":q{i}") for i in range(len(self._queues)))
        self._statement = text(glance(database.tables, database.product).replace(one, each))
        self._parameters = {f"q{i}": name for i, name in enumerate(self._queues)} | {"server": server_id}

    def look(self) -> Glance:
        """Look once. Raises what the driver raises; the next look connects anew."""
        try:
            connection = self._open()
            asked = time.monotonic()
            row = connection.execute(self._statement, self._parameters).one()
        except Exception:
            self.close()
            raise
        found = tuple(row)
        now = as_moment(found[0])
        self._database.clock.set(now, float(found[1]), asked=asked)
        recurring = min((score for score in found[4:6] if score is not None), default=None)
        return Glance(now, found[2] is not None, found[3], recurring, found[6] is not None, found[7] is not None)

    def version(self) -> int:
        """SQLite: a number that changes when another connection wrote; costs a read of shared memory."""
        return int(self._open().exec_driver_sql("PRAGMA data_version").scalar_one())

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.looking.connect()
        return self._connection

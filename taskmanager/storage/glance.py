"""One cheap look that tells a worker process all it has to know: work, what is due and when, what it is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Product
from taskmanager.storage.holding import PAUSED_JOBS
from taskmanager.storage.queues import PAUSED
from taskmanager.storage.recurring import PAUSED as PAUSED_RECURRING
from taskmanager.storage.recurring import SET as RECURRING
from taskmanager.storage.servers import QUIET, STOPS
from taskmanager.storage.stacks import WANTED
from taskmanager.storage.statements import PlainText, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

_COLUMNS = 10
_VERSION = PlainText("PRAGMA data_version")


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is: waiting jobs, and the earliest unix second of a delayed and of a recurring job (or of
    the end of the pause of one, of a queue, or of a type or tag).

    quiet: this server is asked to take no jobs; stopping: and to end when those at hand have. stacks: somebody asks
    where running jobs stand.
    """

    now: datetime
    waiting: bool
    scheduled: float | None
    recurring: float | None
    quiet: bool = False
    stopping: bool = False
    stacks: bool = False


def _waiting(t: Tables, p: Product) -> str:
    """Whether a queue has a row that may be claimed; one that is paused has none."""
    q = p.quote
    free = f"r.{q('Queue')} = :queue AND r.{q('FetchedAt')} IS NULL"
    return (
        f"({p.any_row(t.queue.name, free, ('Queue', *p.claim_order))} "
        f"AND NOT EXISTS (SELECT 1 FROM {q(t.set.name)} s WHERE s.{q('Key')} = '{PAUSED}' "
        f"AND s.{q('Value')} = :queue))"
    )


@statement
def glance(t: Tables, p: Product) -> str:
    """A few index reads in one round trip; nothing is locked. This is for one queue; others are asked for beside it."""
    q = p.quote
    score, key, name = q("Score"), q("Key"), q(t.set.name)
    asked = f"EXISTS (SELECT 1 FROM {name} WHERE {key} = "
    columns = (
        p.utc_now, p.local_offset, f"CASE WHEN {_waiting(t, p)} THEN 1 END",
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = 'schedule' AND {score} >= 0)",
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{RECURRING}' AND {score} >= 0)",
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{PAUSED_RECURRING}' AND {score} > 0)",
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{PAUSED}' AND {score} > 0)",
        f"(SELECT MIN({score}) FROM {name} WHERE {key} = '{PAUSED_JOBS}' AND {score} > 0)",
        f"(SELECT MAX({score}) FROM {name} WHERE {key} = '{QUIET}' AND {q('Value')} = :server)",
        f"CASE WHEN {asked}'{WANTED}') THEN 1 END",
    )  # fmt: skip
    assert len(columns) == _COLUMNS
    return f"SELECT {p.narrow(columns)}"


class Watcher:
    """Keeps one connection in autocommit, and looks through it; every look sets the database's clock."""

    def __init__(self, database: Database, queues: Sequence[str], server_id: str) -> None:
        self._database = database
        self._queues = list(queues)
        self._connection: Connection | None = None
        self._tx: Tx | None = None
        one = _waiting(database.tables, database.product)
        each = " OR ".join(one.replace(":queue", f":q{i}") for i in range(len(self._queues)))
        self._statement = database.prepared.plain(glance(database.tables, database.product).replace(one, each))
        self._parameters = {f"q{i}": name for i, name in enumerate(self._queues)} | {"server": server_id}

    def look(self) -> Glance:
        """Look once. Raises what the driver raises; the next look connects anew."""
        try:
            tx = self._open()
            asked = time.monotonic()
            (row,) = tx.run(self._statement, self._parameters)
        except Exception:
            self.close()
            raise
        found = self._database.product.wide(row, _COLUMNS)
        now = as_moment(found[0])
        self._database.clock.set(now, float(found[1]), asked=asked)
        scheduled, *recurring = (None if score is None else float(score) for score in found[3:8])
        first = min((score for score in recurring if score is not None), default=None)
        quiet = None if found[8] is None else float(found[8])
        return Glance(
            now, found[2] is not None, scheduled, first, quiet=quiet is not None,
            stopping=quiet is not None and quiet >= STOPS, stacks=found[9] is not None,
        )  # fmt: skip

    def version(self) -> int:
        """SQLite: a number that changes when another connection wrote; costs a read of shared memory."""
        return int(self._open().run(_VERSION).scalar_one())

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            connection, self._connection, self._tx = self._connection, None, None
            connection.invalidate()
            connection.close()

    def _open(self) -> Tx:
        if self._connection is None or self._tx is None:
            self._connection = self._database.looking.connect()
            self._tx = Tx(self._database.prepared, self._database.clock, self._connection)
        return self._tx

"""The denominator: loops on a bare driver that write the same rows, with no engine, no SQLAlchemy and no threads.

python -m benchmarks.limit drain URL      (waits for a line on stdin, then drains what is queued)
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from taskmanager import TaskManager
from taskmanager.storage import jobs, queues, structures
from taskmanager.storage.arrays import arrays_of
from taskmanager.storage.dialects.product import InsertText
from taskmanager.storage.row_values import statements_of
from taskmanager.storage.statements import Builder, render

BATCH = 100


class Bare:
    """One connection of the driver itself, and our statements as plain text in its manner."""

    def __init__(self, tm: TaskManager) -> None:
        self._database = tm.database
        self._tables, self._product = tm.database.tables, tm.database.product
        self._held = tm.database.raw()
        connection: Any = self._held.connection.driver_connection
        self.connection = connection
        self._cursor = connection.cursor()
        self._texts: dict[Builder, str] = {}
        #: Of statements that have one: the form for many rows at once, a parameter for each column.
        self._many: dict[Builder, str] = {}
        #: Of others the columns, where a statement takes many rows of values.
        self._columns: dict[Builder, tuple[str, ...]] = {}
        if self._product.name in ("mysql", "mariadb"):
            self._cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        self.begin()

    def text(self, build: Builder) -> str:
        """A named statement as this driver wants it."""
        if build not in self._texts:
            dialect: Any = self._database.engine.dialect
            if self._database.is_embedded:
                dialect = type(dialect)(paramstyle="named")
            made = build(self._tables, self._product)
            if isinstance(made, InsertText):
                self._columns[build] = made.columns
                if made.many is not None:
                    self._many[build] = self.styled(made.many)
            sql = str(made) if isinstance(made, str) else render(build, self._tables, self._product, dialect)
            self._texts[build] = self.styled(sql)
        return self._texts[build]

    def styled(self, sql: str) -> str:
        """`:name` as this driver writes it."""
        return sql if self._database.is_embedded else re.sub(r"(?<![:\w]):(\w+)", r"%(\1)s", sql)

    def run(self, build: Builder | str, parameters: Any) -> list[Any]:
        """One statement; a list of parameters is sent as the engine does, or by the driver's own executemany."""
        sql = build if isinstance(build, str) else self.text(build)
        if isinstance(parameters, list):
            arrays = arrays_of(parameters) if not isinstance(build, str) and build in self._many else None
            if arrays is not None:
                self._cursor.execute(self._many[build], arrays)  # type: ignore[index]
                return []
            columns = self._columns.get(build) if not isinstance(build, str) else None
            if columns:
                for several, values in statements_of(sql, columns, parameters):
                    self._cursor.execute(several, values)
                return []
            self._cursor.executemany(sql, parameters)
            return []
        self._cursor.execute(sql, parameters)
        return list(self._cursor.fetchall()) if self._cursor.description else []

    @property
    def last_id(self) -> int:
        """The id that the last INSERT made."""
        return int(self._cursor.lastrowid)

    def begin(self) -> None:
        """SQLite alone has to be told."""
        if self._database.is_embedded:
            self._cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """COMMIT, and the next transaction begins."""
        self.connection.commit()
        self.begin()

    def moment(self, ahead: timedelta = timedelta(0)) -> Any:
        """Now, as a bind value."""
        now = self._database.clock.now() + ahead
        return now.isoformat(" ", "microseconds") if self._database.is_embedded else now

    def close(self) -> None:
        """Drop the connection."""
        if self._database.is_embedded:
            self.connection.rollback()
        self._held.close()


def claim(bare: Bare, token: str, most: int = BATCH) -> list[Any]:
    """Claim what waits, at most so many, and COMMIT; the rows of the queue."""
    rows = bare.run(queues.claimable, {"queue": "default", "limit": most})
    if rows:
        bare.run(queues.take, {"ids": jobs.ids_json(r[0] for r in rows), "now": bare.moment(), "token": token})
        for row in bare.run(queues.read_taken, {"ids": jobs.ids_json(r[1] for r in rows)}):
            json.loads(row[3])
            json.loads(row[4])
    bare.commit()
    return rows


def drain(bare: Bare, guid: str) -> int:
    """Claim 100, COMMIT; write Processing and Succeeded for all of them, COMMIT; until nothing is left."""
    done = number = 0
    while True:
        number += 1
        rows = claim(bare, f"{guid}.{number}")
        if not rows:
            return done
        ids = [int(r[1]) for r in rows]
        _write_back(bare, ids, jobs.ids_json(r[0] for r in rows), jobs.ids_json(ids))
        done += len(rows)


def _write_back(bare: Bare, ids: Sequence[int], queue_ids: str, job_ids: str) -> None:
    now = bare.moment()
    bare.run(jobs.lock_jobs, {"ids": job_ids})
    bare.run(queues.lock_rows, {"ids": queue_ids})
    processing = json.dumps({"StartedAt": "2026-01-01T00:00:00.000000Z", "ServerId": "x" * 50, "WorkerId": "y" * 36})
    succeeded = json.dumps({"SucceededAt": "2026-01-01T00:00:00.000000Z", "PerformanceDuration": "0", "Latency": "0"})
    states = [
        {"JobId": i, "Name": name, "Reason": None, "CreatedAt": now, "Data": data}
        for i in ids
        for name, data in (("Processing", processing), ("Succeeded", succeeded))
    ]
    bare.run(jobs.insert_state, states)
    expire = bare.moment(timedelta(days=1))
    bare.run(jobs.enter_state, {"ids": job_ids, "name": "Succeeded", "expire": expire})
    bare.run(queues.delete_rows, {"ids": queue_ids})
    bare.run(structures.insert_counter, [{"Key": "stats:succeeded", "Value": len(ids), "ExpireAt": None}])
    bare.commit()


def main() -> None:
    """Say that we are ready, wait for the word, drain, and say how many."""
    tm = TaskManager(database_url=sys.argv[2], doorbell=False)
    tm.database.read(lambda tx: None)
    bare = Bare(tm)
    bare.commit()
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    print(json.dumps({"done": drain(bare, f"bare{time.time_ns()}"), "seconds": time.perf_counter() - started}))
    bare.close()
    tm.close()


if __name__ == "__main__":
    main()

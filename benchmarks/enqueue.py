"""Enqueue one by one, in transactions of the caller and many at once, beside a loop on the bare driver that writes the
same rows.

python -m benchmarks.enqueue mysql://test:test@127.0.0.1/bench
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine

from benchmarks import noop
from benchmarks.fill import fresh
from benchmarks.limit import Bare
from taskmanager import TaskManager
from taskmanager.engine.client import new_key
from taskmanager.storage import jobs, queues

_COLUMNS = ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey")
_MANY = 1000


class Rows:
    """The rows of an enqueue, written by the bare driver."""

    def __init__(self, tm: TaskManager) -> None:
        self.bare = Bare(tm)
        product, tables = tm.database.product, tm.database.tables
        self._returning = product.name == "postgresql"
        sql = product.insert_text(tables.job, _COLUMNS)
        q = product.quote
        self._insert = self.bare.styled(sql + (f" RETURNING {q('Id')}" if self._returning else ""))
        self._insert_many = self.bare.styled(sql)
        self._point = self.bare.styled(
            f"UPDATE {q(tables.job.name)} SET {q('StateId')} = :state WHERE {q('Id')} = :job"
        )
        self._state = self.bare.text(jobs.insert_state) + (f" RETURNING {q('Id')}" if self._returning else "")
        self._data = noop.noop.definition.invocation((), {}).to_json("[]")

    def _job(self, key: str) -> dict[str, Any]:
        values = ("Enqueued", self._data, "[]", self.bare.moment(), "default", 0, key)
        return dict(zip(_COLUMNS, values, strict=True))

    def _enqueued(self, job_id: int) -> dict[str, Any]:
        data = '{"EnqueuedAt": "2026-01-01T00:00:00.000000Z", "Queue": "default"}'
        return {"JobId": job_id, "Name": "Enqueued", "Reason": None, "CreatedAt": self.bare.moment(), "Data": data}

    def one(self) -> None:
        """One job in one transaction."""
        found = self.bare.run(self._insert, self._job(new_key()))
        job_id = found[0][0] if self._returning else self.bare.last_id
        found = self.bare.run(self._state, self._enqueued(job_id))
        state_id = found[0][0] if self._returning else self.bare.last_id
        self.bare.run(self._point, {"state": state_id, "job": job_id})
        self.bare.run(queues.push_row, {"JobId": job_id, "Queue": "default", "Priority": 0})
        self.bare.commit()

    def many(self, count: int) -> None:
        """Many jobs in one transaction, a few statements."""
        key = new_key()
        self.bare.run(self._insert_many, [self._job(f"{key}-{n:06x}") for n in range(count)])
        ids = [int(r[0]) for r in self.bare.run(self.bare.text(jobs.jobs_by_key), _range(key, self.bare))]
        self.bare.run(jobs.insert_state, [self._enqueued(i) for i in ids])
        self.bare.run(jobs.enter_state, {"ids": jobs.ids_json(ids), "name": "Enqueued", "expire": None})
        self.bare.run(queues.push_row, [{"JobId": i, "Queue": "default", "Priority": 0} for i in ids])
        self.bare.commit()


def _range(key: str, bare: Bare) -> Any:
    return {"low": f"{key}-", "high": f"{key}."}


def rate(count: int, action: Callable[[], object], *, times: int | None = None) -> float:
    """How many a second, when the action is done so many times (once for each, when None)."""
    started = time.perf_counter()
    for _ in range(count if times is None else times):
        action()
    return count / (time.perf_counter() - started)


def rate_in_callers(tm: TaskManager, count: int) -> float:
    """How many a second, each in a transaction of the caller's own connection, which he commits; on SQLite he waits for
    the disk, as is its default."""
    callers = create_engine(tm.database.url.difference_update_query(["synchronous"]))

    def one() -> None:
        with callers.begin() as connection:
            tm.enqueue(noop.noop, session=connection)

    one()
    found = rate(count, one)
    callers.dispose()
    return found


def measure(url: str, singles: int = 2000, many: int = 20_000) -> dict[str, Any]:
    """Rates, and their ratios to the bare driver's."""
    tm = fresh(url)
    rows = Rows(tm)
    raw_one = rate(singles, rows.one)
    raw_many = rate(many, lambda: rows.many(_MANY), times=many // _MANY)
    rows.bare.close()
    tm.enqueue(noop.noop)
    one = rate(singles, lambda: tm.enqueue(noop.noop))
    in_callers = rate_in_callers(tm, singles)
    lots = rate(many, lambda: tm.enqueue_many(noop.noop, [()] * many, batch=_MANY), times=1)
    tm.close()
    return {
        "bare_one_per_second": round(raw_one), "enqueue_per_second": round(one), "ratio": round(one / raw_one, 2),
        "in_callers_per_second": round(in_callers), "ratio_in_callers": round(in_callers / raw_one, 2),
        "bare_many_per_second": round(raw_many), "enqueue_many_per_second": round(lots),
        "ratio_many": round(lots / raw_many, 2),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))

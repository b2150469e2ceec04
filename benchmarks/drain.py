"""Drain no-op jobs with full history, and a raw loop that writes the same rows in batches of 100, in one run.

python -m benchmarks.drain mysql://test:test@127.0.0.1/bench 20000
"""

from __future__ import annotations

import functools
import json
import sys
import time
from typing import Any

from sqlalchemy import func, select

from benchmarks import noop
from taskmanager import TaskManager
from taskmanager.storage import jobs, queues, structures
from taskmanager.storage.database import Tx

_BATCH = 100


def raw_batch(tx: Tx, number: int) -> int:
    """Claim, and write Processing and Succeeded, for a batch: the same statements without an engine."""
    claims = queues.claim(tx, "default", _BATCH, f"raw.{number}")
    if not claims:
        return 0
    now = tx.bind_moment(tx.now())
    data = json.dumps({"SucceededAt": "x", "PerformanceDuration": "0", "Latency": "0"})
    rows = [
        {"JobId": c.job_id, "Name": name, "Reason": None, "CreatedAt": now, "Data": data}
        for c in claims
        for name in ("Processing", "Succeeded")
    ]
    jobs.add_states(tx, rows)
    jobs.enter(tx, [c.job_id for c in claims], "Succeeded", tx.now())
    queues.acknowledge(tx, [c.queue_id for c in claims])
    structures.add_counts(tx, {("stats:succeeded", None): len(claims)})
    return len(claims)


def left(tm: TaskManager) -> int:
    """Queue rows that are left."""
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(tm.database.tables.queue)).scalar_one())


def raw(tm: TaskManager) -> int:
    """Drain by the raw loop; the number of batches."""
    number = 0
    done = -1
    while done:
        number += 1
        done = tm.database.run(functools.partial(raw_batch, number=number))
    return number


def measure(url: str, count: int, *, history_table: bool = False) -> dict[str, Any]:
    """Jobs a second by the raw loop and by a worker."""
    tm = TaskManager(database_url=url, discover="benchmarks", log_to_database=history_table, doorbell=False)
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    tm.enqueue_many(noop.noop, [()] * count)
    started = time.perf_counter()
    raw(tm)
    raw_rate = count / (time.perf_counter() - started)
    started = time.perf_counter()
    tm.enqueue_many(noop.noop, [()] * count)
    enqueue_rate = count / (time.perf_counter() - started)
    server = tm.server()
    started = time.perf_counter()
    server.start()
    while left(tm):
        time.sleep(0.05)
    rate = count / (time.perf_counter() - started)
    server.stop()
    tm.close()
    return {
        "jobs": count, "raw_per_second": round(raw_rate), "drain_per_second": round(rate),
        "ratio": round(rate / raw_rate, 2), "enqueue_many_per_second": round(enqueue_rate),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)))

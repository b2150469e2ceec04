"""From enqueue to start on an idle system: the time a job's own start lies after its creation, at one job at a time.

python -m benchmarks.latency mysql://test:test@127.0.0.1/bench 100 [--polling] [--deep]

Jobs come 0.2 to 0.4 s apart; --deep: 1.5 to 3 s, so that the worker has fallen asleep before each.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from typing import Any

from benchmarks import noop
from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.domain.times import parse


def measure(url: str, count: int, *, doorbell: bool, deep: bool = False) -> dict[str, Any]:
    """Milliseconds from enqueue to start, with a worker in another process."""
    tm = TaskManager(database_url=url, doorbell=doorbell)
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    switch = [] if doorbell else ["--no-doorbell"]
    worker = started(url, *switch)
    tm.wait(tm.enqueue(noop.noop), 30)
    time.sleep(2)
    ids = []
    for _ in range(count):
        ids.append(tm.enqueue(noop.noop))
        time.sleep(random.uniform(1.5, 3.0) if deep else random.uniform(0.2, 0.4))
    tm.wait(ids[-1], 10)
    ended(worker)
    waits = []
    for job_id in ids:
        record = tm.get(job_id)
        begun = parse(next(s.data["StartedAt"] for s in record.history if s.name == "Processing"))
        assert begun is not None
        waits.append((begun - record.created_at).total_seconds() * 1000)
    tm.close()
    cuts = statistics.quantiles(waits, n=100)
    return {
        "doorbell": doorbell,
        "deep_idle": deep,
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
    }


if __name__ == "__main__":
    doorbell, deep = "--polling" not in sys.argv, "--deep" in sys.argv
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), doorbell=doorbell, deep=deep)))

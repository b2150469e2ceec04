"""Whether what is in the tables slows a drain: of the tables that benchmarks.pages filled, and of empty ones, in turn.

python -m benchmarks.beside mysql://test:test@127.0.0.1/filled mysql://test:test@127.0.0.1/empty [--rounds 3]

Both are on one server. The filled tables keep what they hold, and gain the jobs of each round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any

from sqlalchemy import select

from benchmarks.fill import analyze, fill, fresh
from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.storage import servers

#: A queue of its own, since what waits in the filled tables is not to be run.
QUEUE = "beside"


def is_drained(tm: TaskManager) -> bool:
    """Whether nothing waits in the queue any more."""
    queue = tm.database.tables.queue
    with tm.database.engine.connect() as connection:
        waiting = select(queue.c.Id).where(queue.c.Queue == QUEUE)
        # In the order of the index: to PostgreSQL a scan over the rows of other queues seems as cheap.
        by = (queue.c.Queue, queue.c.FetchedAt, queue.c.Priority, queue.c.Id)
        return connection.execute(waiting.order_by(*by).limit(1)).first() is None


def per_second(tm: TaskManager, jobs: int, processes: int = 1) -> float:
    """Jobs a second of worker processes that wait at the paused queue when the clock starts."""
    fill(tm, jobs, QUEUE)
    analyze(tm)
    tm.pause_queue(QUEUE)
    before = len(tm.database.run(servers.all_servers))
    only = {"TASKMANAGER_QUEUES": QUEUE, "TASKMANAGER_LOG_TO_DATABASE": "false"}
    workers = [started(tm.settings.database_url, "--no-doorbell", **only) for _ in range(processes)]
    while len(tm.database.run(servers.all_servers)) < before + processes:
        time.sleep(0.1)
    time.sleep(1.5)
    begun = time.perf_counter()
    tm.resume_queue(QUEUE)
    while not is_drained(tm):
        time.sleep(0.05)
    taken = time.perf_counter() - begun
    ended(*workers)
    return jobs / taken


def measure(filled: str, empty: str, *, jobs: int, rounds: int, processes: int = 1) -> dict[str, Any]:
    """Both rates of each round, and the median of their ratios."""
    pairs = []
    for _ in range(rounds):
        bare, full = fresh(empty), TaskManager(database_url=filled, doorbell=False, discover="benchmarks")
        pairs.append((per_second(bare, jobs, processes), per_second(full, jobs, processes)))
        bare.close()
        full.close()
    ratios = [full / bare for bare, full in pairs]
    return {
        "jobs": jobs, "processes": processes, "empty_per_second": [round(bare) for bare, _ in pairs],
        "beside_per_second": [round(full) for _, full in pairs], "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }  # fmt: skip


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filled")
    parser.add_argument("empty")
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    print(
        json.dumps(measure(given.filled, given.empty, jobs=given.jobs, rounds=given.rounds, processes=given.processes))
    )


if __name__ == "__main__":
    main()

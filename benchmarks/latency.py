"""From enqueue to start on an idle system: from before the call to the job's own first line, at one job at a time.

python -m benchmarks.latency mysql://test:test@127.0.0.1/bench 100 [--polling] [--deep] [--rate 20]

Jobs come 0.2 to 0.4 s apart; --deep: 1.5 to 3 s, so that the worker has fallen asleep before each; --rate: so many a
second at even moments, or as many as one client can enqueue (what it was is told).

Both by the system's monotonic clock. The moments of a job's history are by the database's, which each process knows to
half of the time that an answer takes: they were up to 4 ms apart.

bare_ms is the bound: an enqueue and a claim with their two COMMITs, by one connection of the bare driver in one thread,
so that nobody has to be woken.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from typing import Any

from benchmarks import limit, noop
from benchmarks.enqueue import Rows
from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.storage import jobs, queues

#: Jobs of the bound.
_BARE = 40


def bare_ms(tm: TaskManager, rounds: int = _BARE) -> float:
    """The median of an enqueue and a claim, one after the other on the bare driver; the queue is empty after it."""
    rows, taken = Rows(tm), []
    for number in range(rounds):
        time.sleep(0.02)  # as on an idle system: nothing is in the caches
        began = time.perf_counter()
        rows.one()
        (row,) = limit.claim(rows.bare, f"bare.{number}", 1)
        taken.append((time.perf_counter() - began) * 1000)
        rows.bare.run(queues.delete_rows, {"ids": jobs.ids_json([row[0]])})
        rows.bare.commit()
    rows.bare.close()
    return statistics.median(taken)


def measure(
    url: str, count: int, *, doorbell: bool = True, deep: bool = False, per_second: float | None = None
) -> dict[str, Any]:
    """Milliseconds from enqueue to start, with a worker in another process."""
    tm = TaskManager(database_url=url, doorbell=doorbell)
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    bound = bare_ms(tm)
    switch = [] if doorbell else ["--no-doorbell"]
    worker = started(url, *switch)
    tm.wait(tm.enqueue(noop.noop), 30)
    time.sleep(2)
    sent_at: dict[int, float] = {}
    began = time.monotonic()
    for number in range(count):
        asked = time.monotonic()
        sent_at[tm.enqueue(noop.moment)] = asked
        if per_second is None:
            time.sleep(random.uniform(1.5, 3.0) if deep else random.uniform(0.2, 0.4))
        else:
            time.sleep(max(0.0, began + (number + 1) / per_second - time.monotonic()))
    sent = count / (time.monotonic() - began)
    waits = [(tm.wait(job_id, 10) - asked) * 1000 for job_id, asked in sent_at.items()]
    ended(worker)
    tm.close()
    cuts = statistics.quantiles(waits, n=100)
    return {
        "doorbell": doorbell,
        "deep_idle": deep,
        "per_second": round(sent, 1),
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
        "bare_ms": round(bound, 1),
    }


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("--polling", action="store_true", help="without a doorbell")
    parser.add_argument("--deep", action="store_true", help="the worker has fallen asleep before each job")
    parser.add_argument("--rate", type=float, help="jobs a second")
    given = parser.parse_args()
    found = measure(given.url, given.count, doorbell=not given.polling, deep=given.deep, per_second=given.rate)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""Whether what a claim, an enqueue, a write-back, a read of the pages and an expiry cost grows with what waits.

python -m benchmarks.scale mysql://test:test@127.0.0.1/bench 1000 10000 100000 1000000

Ten million take long to fill in: --fill N only does that, and --filled measures what was filled in before.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from benchmarks import noop
from benchmarks.fill import analyze, fill, fresh
from taskmanager import TaskManager
from taskmanager.domain.states import STARTABLE, Succeeded
from taskmanager.engine.expiring import expire_jobs
from taskmanager.engine.transitions import Change
from taskmanager.storage import claiming, monitoring

_BATCH = 20
_ROUNDS = 60
#: Jobs that all claims of one measurement take.
ROWS = _BATCH * _ROUNDS


def claim_and_write_back(tm: TaskManager) -> tuple[float, float]:
    """Median milliseconds of a claim of 20 jobs, and of writing their outcomes."""
    claims_ms, writes_ms = [], []
    for number in range(_ROUNDS):
        started = time.perf_counter()
        claims = tm.database.run(lambda tx, n=number: claiming.take_next(tx, "default", _BATCH, f"bench.{n}").claims)  # type: ignore[misc]
        claims_ms.append((time.perf_counter() - started) * 1000)
        changes = [Change(c.job_id, Succeeded(duration_ms=0, latency_ms=0, result=None), STARTABLE, c) for c in claims]
        started = time.perf_counter()
        tm.database.run(lambda tx, c=changes: tm.transitions.apply(tx, c))  # type: ignore[misc]
        writes_ms.append((time.perf_counter() - started) * 1000)
    return statistics.median(claims_ms), statistics.median(writes_ms)


def median_ms(action: Callable[[], Any], rounds: int = _ROUNDS) -> float:
    """The median time of an action."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def expire(tm: TaskManager) -> float:
    """Median milliseconds of removing 100 finished jobs with all their rows: of those that were written back."""
    job = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        past = tm.database.clock.now() - timedelta(hours=1)
        connection.execute(update(job).where(job.c.StateName == "Succeeded").values(ExpireAt=past))
    return median_ms(lambda: tm.database.run(lambda tx: expire_jobs(tx, tm.transitions, 100)), ROWS // 100)


def filled(url: str, waiting: int) -> TaskManager:
    """New tables with so many jobs that wait, and those that one measurement takes."""
    tm = fresh(url)
    fill(tm, waiting + ROWS)
    analyze(tm)
    return tm


def figures(tm: TaskManager, waiting: int) -> dict[str, Any]:
    """What each step costs with so many jobs waiting. Takes `ROWS` of them."""
    claim, write = claim_and_write_back(tm)
    enqueue = median_ms(lambda: tm.enqueue(noop.noop))
    counts = median_ms(lambda: tm.database.read(monitoring.statistics), 20)
    page = median_ms(lambda: tm.database.read(lambda tx: monitoring.jobs_in(tx, "Enqueued")), 20)
    return {
        "waiting": waiting, "claim_20_ms": round(claim, 2), "write_back_20_ms": round(write, 2),
        "enqueue_ms": round(enqueue, 2), "counts_ms": round(counts, 2), "page_of_20_ms": round(page, 2),
        "expire_100_ms": round(expire(tm), 2),
    }  # fmt: skip


def measure(url: str, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One row of figures for each number of waiting jobs."""
    rows = []
    for size in sizes:
        tm = filled(url, size)
        time.sleep(min(15.0, size / 50_000))  # the server writes out what was filled in
        rows.append(figures(tm, size))
        tm.close()
    return rows


def main() -> None:
    """A line of JSON for each number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--fill", type=int, help="fill new tables with so many waiting jobs, and end")
    parser.add_argument("--filled", type=int, help="measure tables in which about so many jobs wait already")
    given = parser.parse_args()
    if given.fill:
        filled(given.url, given.fill).close()
    elif given.filled:
        tm = TaskManager(database_url=given.url, doorbell=False, discover="benchmarks")
        print(json.dumps(figures(tm, given.filled)))
        tm.close()
    else:
        for row in measure(given.url, given.sizes):
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

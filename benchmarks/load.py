"""Drains of all sizes: worker processes, threads, and jobs that take 0, 1 or 20 ms; what each job costs the database.

python -m benchmarks.load mysql://test:test@127.0.0.1/bench [--jobs 3000]

Statements are counted at the workers' drivers. On PostgreSQL what is sent together counts as one; SQLite tells each row
of a statement with many, so its number says nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import noop
from benchmarks.drain import is_empty
from benchmarks.fill import analyze, fresh
from benchmarks.idle import counted
from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.storage import servers

PROCESSES, THREADS = (1, 2, 4), (5, 20, 50)
#: How long a job waits, in seconds: nothing, 1 ms, or a mixture of all three.
MIXTURES: dict[str, tuple[float, ...]] = {"0": (0.0,), "1 ms": (0.001,), "0, 1, 20 ms": (0.0, 0.001, 0.02)}


def filled(url: str, count: int, waits: tuple[float, ...]) -> TaskManager:
    """New tables with so many jobs, whose durations are drawn by a fixed seed."""
    tm, dice = fresh(url), random.Random(1)
    if waits == (0.0,):
        tm.enqueue_many(noop.noop, [()] * count)
    else:
        tm.enqueue_many(noop.wait, [(dice.choice(waits),) for _ in range(count)])
    analyze(tm)
    return tm


def drain(url: str, count: int, *, processes: int, threads: int, waits: tuple[float, ...]) -> dict[str, Any]:
    """Jobs a second, and statements and COMMITs for each. Workers wait at a paused queue when the clock starts."""
    tm = filled(url, count, waits)
    tm.pause_queue("default")
    size = {"TASKMANAGER_THREADS": str(threads)}
    workers = [started(url, "--count", "--no-doorbell", **size) for _ in range(processes)]
    try:
        while len(tm.database.run(servers.all_servers)) < processes:
            time.sleep(0.1)
        time.sleep(1.5)
        before = [counted(worker) for worker in workers]
        begun = time.perf_counter()
        tm.resume_queue("default")
        while not is_empty(tm):
            time.sleep(0.02)
        taken = time.perf_counter() - begun
        after = [counted(worker) for worker in workers]
    finally:
        ended(*workers)
        tm.close()
    sent, commits = (sum(a[n] - b[n] for a, b in zip(after, before, strict=True)) for n in (1, 2))
    return {
        "jobs": count, "processes": processes, "threads": threads, "per_second": round(count / taken),
        "statements_per_job": round(sent / count, 3), "commits_per_job": round(commits / count, 3),
    }  # fmt: skip


def measure(url: str, count: int) -> Iterator[dict[str, Any]]:
    """All sizes, one after another; SQLite with one process only, since its writers take turns."""
    for processes in PROCESSES[:1] if url.startswith("sqlite") else PROCESSES:
        for threads in THREADS:
            for name, waits in MIXTURES.items():
                yield {"a job takes": name} | drain(url, count, processes=processes, threads=threads, waits=waits)


def main() -> None:
    """A line of JSON for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--jobs", type=int, default=3000)
    given = parser.parse_args()
    for found in measure(given.url, given.jobs):
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

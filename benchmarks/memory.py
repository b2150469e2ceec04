"""Resident memory of one worker process with 20 threads: idle, and over 100,000 jobs.

python -m benchmarks.memory mysql://test:test@127.0.0.1/bench 100000
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import psutil

from benchmarks.drain import is_empty
from benchmarks.fill import fill, fresh
from benchmarks.worker import ended, started


def measure(url: str, count: int) -> dict[str, Any]:
    """Megabytes: idle after the first 2,000 jobs, then after each tenth of the jobs."""
    tm = fresh(url)
    worker = started(url, "--no-doorbell")
    process = psutil.Process(worker.pid)
    readings = []
    time.sleep(4)
    idle = process.memory_info().rss / 1024**2
    for step in [2000, *[count // 10] * 10]:
        fill(tm, step)
        while not is_empty(tm):
            time.sleep(0.1)
        time.sleep(0.5)
        readings.append(round(process.memory_info().rss / 1024**2, 1))
    ended(worker)
    tm.close()
    return {
        "idle_mb": round(idle, 1), "after_2000_jobs_mb": readings[0], "after_each_tenth_mb": readings[1:], "jobs": count
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)))

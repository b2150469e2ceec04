"""What idle worker processes cost: statements a second, counted at their drivers, processor time and memory.

python -m benchmarks.idle mysql://test:test@127.0.0.1/bench [--processes 20] [--polling]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from typing import Any

import psutil

from benchmarks.fill import fresh
from benchmarks.processes import cpu_seconds, server_of
from benchmarks.worker import ended, started


def counted(worker: subprocess.Popen[str]) -> tuple[int, int, int]:
    """What a worker has sent: statements, round trips, COMMITs."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    sent, trips, ends = worker.stdout.readline().split()
    return int(sent), int(trips), int(ends)


def statements(worker: subprocess.Popen[str]) -> int:
    """How many statements a worker has sent."""
    return counted(worker)[0]


def measure(url: str, *, processes: int = 1, polling: bool = False, seconds: float = 20.0) -> dict[str, Any]:
    """Statements and processor time of worker processes with nothing to do, and the memory of the largest."""
    fresh(url).close()
    workers = [started(url, "--count", *(["--no-doorbell"] if polling else [])) for _ in range(processes)]
    for worker in workers:
        statements(worker)
    time.sleep(4 + processes / 2)
    ours, theirs = [psutil.Process(worker.pid) for worker in workers], server_of(url)
    sent, used = sum(map(statements, workers)), sum(map(cpu_seconds, ours))
    served = cpu_seconds(theirs) if theirs else 0.0
    time.sleep(seconds)
    sent, used = sum(map(statements, workers)) - sent, sum(map(cpu_seconds, ours)) - used
    served = cpu_seconds(theirs) - served if theirs else 0.0
    resident = max(process.memory_info().rss for process in ours) / 1024**2
    ended(*workers)
    return {
        "processes": processes, "doorbell": not polling,
        "statements_per_second_each": round(sent / seconds / processes, 1),
        "cpu_percent_each": round(100 * used / seconds / processes, 2),
        "server_cpu_percent": round(100 * served / seconds, 2) if theirs else None,
        "resident_mb": round(resident, 1),
    }  # fmt: skip


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--polling", action="store_true", help="without a doorbell")
    given = parser.parse_args()
    print(json.dumps(measure(given.url, processes=given.processes, polling=given.polling)))


if __name__ == "__main__":
    main()

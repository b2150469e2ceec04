"""Drain no-op jobs with full history by worker processes, and the same rows by as many loops on the bare driver.

python -m benchmarks.drain mysql://test:test@127.0.0.1/bench 20000 --processes 2 [--history]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from sqlalchemy import select

from benchmarks.fill import analyze, fill, fresh
from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.storage import servers


def is_empty(tm: TaskManager) -> bool:
    """Whether no queue row is left."""
    with tm.database.engine.connect() as connection:
        return connection.execute(select(tm.database.tables.queue.c.Id).limit(1)).first() is None


def bare(tm: TaskManager, processes: int) -> float:
    """Seconds in which loops on the bare driver drain what is queued."""
    command = [sys.executable, "-m", "benchmarks.limit", "drain", tm.settings.database_url]
    loops = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for loop in loops:
        assert loop.stdout is not None
        loop.stdout.readline()
    started = time.perf_counter()
    for loop in loops:
        loop.communicate("go\n")
    return time.perf_counter() - started


def engine(tm: TaskManager, processes: int, *, history: bool) -> float:
    """Seconds in which worker processes drain it. They are up, and wait at a paused queue, when the clock starts."""
    tm.pause_queue("default")
    logs = {"TASKMANAGER_LOG_TO_DATABASE": str(history)}
    workers = [started(tm.settings.database_url, "--no-doorbell", **logs) for _ in range(processes)]
    while len(tm.database.run(servers.all_servers)) < processes:
        time.sleep(0.1)
    time.sleep(1.5)
    begun = time.perf_counter()
    tm.resume_queue("default")
    while not is_empty(tm):
        time.sleep(0.02)
    taken = time.perf_counter() - begun
    ended(*workers)
    return taken


def filled(url: str, count: int) -> TaskManager:
    """New tables with so many queued jobs."""
    tm = fresh(url)
    fill(tm, count)
    analyze(tm)
    return tm


def compare_history(url: str, count: int, *, processes: int = 1) -> dict[str, Any]:
    """Jobs a second without and with a row of c_LoggedJob for each, and their ratio."""
    rates = []
    for history in (False, True):
        tm = filled(url, count)
        rates.append(count / engine(tm, processes, history=history))
        tm.close()
    return {
        "jobs": count, "processes": processes, "without_per_second": round(rates[0]),
        "with_per_second": round(rates[1]), "ratio": round(rates[1] / rates[0], 2),
    }  # fmt: skip


def measure(url: str, count: int, *, processes: int = 1, history: bool = False) -> dict[str, Any]:
    """Jobs a second by the bare loops and by workers, and their ratio."""
    tm = filled(url, count)
    raw = count / bare(tm, processes)
    tm.close()
    tm = filled(url, count)
    ours = count / engine(tm, processes, history=history)
    tm.close()
    return {
        "jobs": count, "processes": processes, "history_table": history, "bare_per_second": round(raw),
        "drain_per_second": round(ours), "ratio": round(ours / raw, 2),
    }  # fmt: skip


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--history", action="store_true", help="write c_LoggedJob rows as well")
    given = parser.parse_args()
    print(json.dumps(measure(given.url, given.count, processes=given.processes, history=given.history)))


if __name__ == "__main__":
    main()

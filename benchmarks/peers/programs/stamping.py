"""What all programs in Python have in common: the job's line, the numbers, and the order of the commands.

program prepare           empty tables and queues; prints versions as JSON
program enqueue N         jobs 0 to N-1, one call each; prints {"seconds": …, "timed": …}
program many FROM TO      the jobs between, the quickest way there is
program ping N            one job at a time on an idle system; prints `number nanoseconds` of each
program clear             leaves nothing behind
program work              the worker, where the system has no command for it
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

_FILE = -1


def stamp(number: int) -> None:
    """The whole work of a job: one line, appended by one write."""
    global _FILE
    if _FILE < 0:
        _FILE = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_APPEND)
    os.write(_FILE, b"%d %d %s\n" % (time.monotonic_ns(), number, os.environ.get("BENCH_WORKER", "0").encode()))


def versions(*packages: str) -> None:
    """Print which releases are measured; what is not installed is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    print(json.dumps(found))


def ran(number: int) -> bool:
    """Whether the job of a number has written its line."""
    with open(os.environ["BENCH_STAMPS"], encoding="ascii") as file:
        return any(line.split()[1] == str(number) for line in file)


def ping(count: int, enqueue: Callable[[int], Any], patience: float = 30.0) -> None:
    """One job at a time: the next when the last has run, and after a pause in which everybody falls asleep."""
    for number in range(count):
        time.sleep(random.uniform(0.3, 0.8))
        print(number, time.monotonic_ns())
        enqueue(number)
        deadline = time.monotonic() + patience
        while not ran(number):
            if time.monotonic() > deadline:
                raise SystemExit(f"job {number} has not run in {patience:.0f} s")
            time.sleep(0.005)


def main(
    *, prepare: Callable[[], Any], enqueue: Callable[[int], Any], many: Callable[[range], Any],
    clear: Callable[[], Any], work: Callable[[], Any] | None = None,
) -> None:  # fmt: skip
    """Do what the command line says."""
    command, *numbers = sys.argv[1:]
    if command == "prepare":
        prepare()
    elif command == "enqueue":
        enqueue(0)  # connections are opened before the clock starts
        began = time.perf_counter()
        for number in range(1, int(numbers[0])):
            enqueue(number)
        print(json.dumps({"seconds": time.perf_counter() - began, "timed": int(numbers[0]) - 1}))
    elif command == "many":
        many(range(int(numbers[0]), int(numbers[1])))
    elif command == "ping":
        ping(int(numbers[0]), enqueue)
    elif command == "clear":
        clear()
    elif command == "work" and work is not None:
        work()
    else:
        raise SystemExit(f"unknown command: {command}")

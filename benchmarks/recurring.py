"""What firing costs: recurring jobs due over an hour by a moved clock, and many due in the same second.

python -m benchmarks.recurring mysql://test:test@127.0.0.1/bench [--over-an-hour 10000] [--at-once 1000]
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from benchmarks import noop
from benchmarks.fill import fresh
from taskmanager import TaskManager


def _fired(tm: TaskManager) -> int:
    """How many jobs there are."""
    with tm.database.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(tm.database.tables.job)).scalar_one())


def _fire_all(tm: TaskManager) -> float:
    """Fire all that is due; the seconds it took."""
    began = time.perf_counter()
    while tm.recurring_jobs.fire_due():
        continue
    return time.perf_counter() - began


def over_an_hour(url: str, count: int) -> dict[str, Any]:
    """Hourly jobs, spread over the minutes, while the clock moves an hour and a minute, minute by minute."""
    tm = fresh(url)
    began = time.perf_counter()
    for number in range(count):
        tm.recurring(f"bench-{number}", noop.noop, cron=f"{number % 60} * * * *")
    made = time.perf_counter() - began
    minutes = []
    for _ in range(60):
        tm.database.clock.shift(timedelta(minutes=1))
        minutes.append(_fire_all(tm))
    jobs = _fired(tm)
    tm.close()
    return {
        "recurring": count, "made_ms_each": round(1000 * made / count, 2), "jobs": jobs,
        "fired_ms_each": round(1000 * sum(minutes) / max(1, jobs), 2), "slowest_minute_ms": round(1000 * max(minutes)),
    }  # fmt: skip


def at_once(url: str, count: int) -> dict[str, Any]:
    """Jobs of one minute: from the second in which all are due until all are queued."""
    tm = fresh(url)
    for number in range(count):
        tm.recurring(f"bench-{number}", noop.noop, cron="0 0 1 1 *")
    tm.database.clock.shift(timedelta(days=367))
    taken = _fire_all(tm)
    jobs = _fired(tm)
    tm.close()
    return {"recurring": count, "jobs": jobs, "all_queued_ms": round(1000 * taken)}


def measure(url: str, hourly: int = 10_000, together: int = 1_000) -> dict[str, Any]:
    """Both."""
    return {"over_an_hour": over_an_hour(url, hourly), "at_once": at_once(url, together)}


def main() -> None:
    """One line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--over-an-hour", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=1_000)
    given = parser.parse_args()
    print(json.dumps(measure(given.url, given.over_an_hour, given.at_once)))


if __name__ == "__main__":
    main()

"""What rows of c_Job cost: 1,000 that are not due, 500 that are forced at once, and one row of history at its worst.

python -m benchmarks.legacy mysql://test:test@127.0.0.1/bench
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from typing import Any

import psutil
from sqlalchemy import text

from benchmarks.worker import ended, started
from taskmanager import TaskManager
from taskmanager.domain.times import parse
from taskmanager.storage import logged

#: The longest texts that are kept of a run: result, error and stack trace of 64 KB each.
_LONGEST = "é" * (32 * 1024)


def measure(url: str) -> dict[str, Any]:
    """All three figures, on MySQL or MariaDB."""
    tm = TaskManager(database_url=url)
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    run(tm, "DROP PROCEDURE IF EXISTS SP_Bench", "CREATE PROCEDURE SP_Bench() SELECT 1")
    fill(tm, 1000)
    worker = started(url)
    settle(tm)
    found = {"cpu_percent_of_1000_rows": idle(worker.pid)}
    run(tm, "DELETE FROM c_Job WHERE ID > 500")
    time.sleep(2)
    found |= forced(tm, 500)
    ended(worker)
    found |= history(tm)
    tm.close()
    return found


def settle(tm: TaskManager, seconds: float = 60.0) -> None:
    """Wait until the worker has planned all rows: on a busy machine its start takes longer than it looks."""
    deadline = time.monotonic() + seconds
    with tm.database.engine.connect() as connection:
        while connection.execute(text("SELECT COUNT(*) FROM c_Job WHERE NextRun IS NULL")).scalar_one():
            if time.monotonic() > deadline:
                raise SystemExit("the worker has not planned the rows")
            connection.rollback()
            time.sleep(0.2)
    time.sleep(5)


def run(tm: TaskManager, *statements: str) -> None:
    """Plain SQL, as its users send it."""
    with tm.database.engine.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def fill(tm: TaskManager, count: int) -> None:
    """Active rows that are due once a year."""
    rows = [{"JobName": f"row {n}", "CronExpression": "0 2 31 12 *", "StoredProcName": "SP_Bench", "IsActive": 1}
            for n in range(count)]  # fmt: skip
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.legacy.job.insert(), rows)


def idle(pid: int, seconds: float = 15.0) -> float:
    """Percent of one core that the worker takes."""
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return round(100 * (sum(process.cpu_times()[:2]) - before) / seconds, 2)


def forced(tm: TaskManager, count: int, patience: float = 60.0) -> dict[str, Any]:
    """Seconds from the UPDATE until the last of the rows has started, and until all have ended."""
    began = tm.database.clock.now()
    run(tm, "UPDATE c_Job SET NextRun = NOW()")
    deadline = time.monotonic() + patience
    ended = 0
    while ended < count and time.monotonic() < deadline:
        time.sleep(0.1)
        with tm.database.engine.connect() as connection:
            ended = int(connection.execute(text("SELECT COUNT(*) FROM c_LoggedJob")).scalar_one())
    waited = (tm.database.clock.now() - began).total_seconds()
    return {
        "forced_ended": ended,
        "last_start_seconds": round(last_start(tm, began), 2),
        "all_seconds": round(waited, 2),
    }


def last_start(tm: TaskManager, began: datetime) -> float:
    """When the last run started, by its Processing state, in seconds after `began`."""
    state = tm.database.tables.state.name
    with tm.database.engine.connect() as connection:
        found = connection.execute(
            text(f"SELECT MAX(JSON_UNQUOTE(JSON_EXTRACT(Data, '$.StartedAt'))) FROM {state} WHERE Name = 'Processing'")
        ).scalar_one()
    started = parse(found)
    if started is None:
        raise RuntimeError(f"no run has started: {found!r}")
    return (started - began).total_seconds()


def history(tm: TaskManager, count: int = 200) -> dict[str, Any]:
    """Milliseconds for one row of history with the longest texts, each in a transaction of its own."""
    now, took = tm.database.clock.now(), list[float]()
    for _ in range(count):
        row = {
            "JobName": "row", "JobId": "1", "JobType": "Recurring", "StartedAt": now, "CompletedAt": now,
            "DurationMs": 1, "Success": 0, "ResultMessage": _LONGEST, "ErrorMessage": _LONGEST,
            "StackTrace": _LONGEST, "ServerName": "host", "TriggeredBy": "System", "MemoryUsedMB": 1, "CpuTimeMs": 1,
        }  # fmt: skip
        began = time.perf_counter()
        tm.database.run(lambda tx, row=row: logged.add(tx, [row]))  # type: ignore[misc]
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {"log_row_p50_ms": round(took[count // 2], 1), "log_row_worst_ms": round(took[-1], 1)}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))

"""SQL beside busy workers: nothing deadlocks, nothing is lost, nothing runs twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager

pytestmark = pytest.mark.timeout(120)
HERE = __name__
PRODUCERS, EACH = 4, 60

ran: Counter[int] = Counter()
_lock = threading.Lock()


def tick(number: int) -> None:
    with _lock:
        ran[number] += 1


def test_calls_beside_busy_workers_meet_no_deadlock(tm: TaskManager, connect: Any) -> None:
    """Enqueued, and then some requeued or deleted while they are claimed, performed and written back."""
    ran.clear()
    tm.job(tick)
    errors: list[BaseException] = []
    kept: list[int] = []
    server = tm.server()
    server.start()

    def produce(producer: int) -> None:
        try:
            sql = connect()
            for number in range(producer * EACH, (producer + 1) * EACH):
                if number % 3 == 0:
                    sql.run("BEGIN")
                job_id = sql.enqueue(f"{HERE}:tick", f"[{number}]")
                if number % 5 == 0:
                    sql.requeue(job_id, "once more")
                elif number % 7 == 0:
                    sql.delete(job_id)
                else:
                    kept.append(number)
                if number % 3 == 0:
                    sql.run("COMMIT")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(PRODUCERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    quote = tm.database.product.quote
    left = text(f"SELECT COUNT(*) FROM {quote('HangfireJobQueue')}")
    deadline = time.monotonic() + 60
    with tm.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.execute(left).scalar():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    server.stop(grace=5)
    assert {number: ran[number] for number in kept} == dict.fromkeys(kept, 1)
    with tm.database.engine.connect() as connection:
        job = tm.database.tables.job
        states = Counter(row.StateName for row in connection.execute(job.select()))
    assert set(states) <= {"Succeeded", "Deleted"}
    assert sum(states.values()) == PRODUCERS * EACH

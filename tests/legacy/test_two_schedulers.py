"""Two schedulers look without pause while people edit rows at random: no run is doubled, none is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import RecurringJobNotFound
from tests.legacy.operator import Console

_ROWS = 12
_SECONDS = 4.0
_CRONS = ("0 3 * * *", "every day", "", "* * * * * *", "0 0 31 2 *")


def edit(sql: Console, chosen: random.Random) -> None:
    row, what = chosen.randint(1, _ROWS), chosen.random()
    if what < 0.45:
        sql.force(row)
    elif what < 0.55:
        sql.run("UPDATE c_Job SET IsActive = 1 - IsActive WHERE ID = %s", row)
    elif what < 0.7:
        sql.run("UPDATE c_Job SET CronExpression = %s WHERE ID = %s", chosen.choice(_CRONS), row)
    elif what < 0.8:
        sql.run("UPDATE c_Job SET NextRun = NULL WHERE ID = %s", row)
    elif what < 0.9:
        sql.run("UPDATE c_Job SET IsActive = 1, NextRun = NOW() WHERE ID = %s", row)
    else:
        sql.run("DELETE FROM c_Job WHERE ID = %s", row)
        sql.insert(f"another {chosen.random()}", "0 4 * * *", "SP_Other", 1, ID=row)


def doubled(sql: Console) -> list[Any]:
    """Rows with two runs that have not ended and do not wait for each other."""
    return sql.rows(
        "SELECT p.Value, COUNT(*) FROM HangfireJob j JOIN HangfireJobParameter p ON p.JobId = j.Id "
        "AND p.Name = 'RecurringJobId' WHERE j.StateName = 'Enqueued' GROUP BY p.Value HAVING COUNT(*) > 1"
    )


def test_random_edits_beside_two_schedulers_double_no_run_and_lose_none(url: str, engine_name: str) -> None:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("people with an SQL console of MySQL's")
    chosen, errors, overlaps, stop = random.Random(5), list[BaseException](), list[Any](), threading.Event()
    calm = threading.Event()
    managers = [TaskManager(database_url=url, doorbell=False) for _ in range(2)]
    sql = Console(url)
    sql.run("ALTER TABLE c_Job AUTO_INCREMENT = 1")
    for number in range(1, _ROWS + 1):
        sql.insert(f"job {number}", "0 2 * * *", "SP_X", 1, ID=number)

    def loop(once: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            while not stop.is_set():
                try:
                    once()
                except BaseException as error:
                    errors.append(error)
                time.sleep(0.005)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    worker = Console(url)

    def work() -> None:
        overlaps.extend(doubled(worker))
        for job in worker.rows("SELECT Id FROM HangfireJob WHERE StateName = 'Enqueued' ORDER BY RAND() LIMIT 3"):
            worker.run(
                "UPDATE HangfireJob SET StateName = 'Succeeded' WHERE Id = %s AND StateName = 'Enqueued'", job["Id"]
            )

    def trigger() -> None:
        time.sleep(0.2)
        if calm.is_set():
            return
        try:
            managers[0].trigger(f"c_job:{random.randint(1, _ROWS)}")
        except RecurringJobNotFound:
            return  # it is being replaced at this moment

    looks = [m.legacy_jobs.fire_due for m in managers if m.legacy_jobs is not None]
    threads = [loop(one) for one in (*looks, work, trigger)]
    try:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            edit(sql, chosen)
            time.sleep(chosen.random() * 0.01)
        calm.set()
        sql.run("UPDATE c_Job SET IsActive = 1, CronExpression = '0 5 * * *', NextRun = NULL")
        time.sleep(1.5)
        last = sql.value("SELECT MAX(Id) FROM HangfireJob")
        sql.run("UPDATE c_Job SET NextRun = NOW()")
        settled = "SELECT COUNT(*) FROM c_Job WHERE HOUR(NextRun) = 5 AND MINUTE(NextRun) = 0 AND NextRun > NOW()"
        until = time.monotonic() + 10
        while sql.value(settled) != _ROWS:
            assert time.monotonic() < until, sql.rows("SELECT * FROM c_Job")
            time.sleep(0.05)
        made = sql.rows(
            "SELECT Value, COUNT(*) AS Runs FROM HangfireJobParameter WHERE JobId > %s AND Name = 'RecurringJobId' "
            "GROUP BY Value", last,
        )  # fmt: skip
        assert [row["Runs"] for row in made] == [1] * _ROWS
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for manager in managers:
            manager.close()
    assert (overlaps, errors) == ([], [])
    worker.close()
    sql.close()

"""A server whose wall clock is not UTC, and a worker's host whose clock is minutes off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import new_database, own_server
from tests.faults.test_kill import end, start_worker
from tests.legacy.operator import Console, Quiet, Script, play
from tests.servers import local

#: Imported by each Python that starts in the folder: the host's clock is three minutes ahead.
SKEWED = """
from datetime import timedelta
from taskmanager.domain import times
host = times.utcnow
times.utcnow = lambda: host() + timedelta(minutes=3)
"""


@pytest.fixture(params=["mariadb", "mysql"])
def east(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    """A server of our own in India."""
    with own_server(request, request.param, durable=False) as server:
        yield server


def test_the_schedule_is_in_the_servers_zone_and_due_by_its_clock(east: local.Server, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SKEWED)
    sql = Console(new_database(east))
    sql.run("SET GLOBAL time_zone = '+05:30'")
    sql.close()
    sql = Console(sql.url)
    started = sql.now()
    worker = start_worker(sql.url, tmp_path, "--migrate", environment={"TASKMANAGER_DISCOVER": ""})

    def script(sql: Console) -> Script:
        yield Quiet(1)
        while not sql.rows("SHOW TABLES LIKE 'c_LoggedJob'"):
            yield Quiet(0.3)
        sql.run("CREATE TABLE Calls (ID INT AUTO_INCREMENT PRIMARY KEY, Name VARCHAR(64), Begun DATETIME(3), "
                "Ended DATETIME(3))")  # fmt: skip
        daily = sql.insert("daily", "0 2 * * *", sql.procedure("SP_Zone", "SELECT NOW()"))
        second = sql.insert("second", "* * * * * *", sql.procedure("SP_Second", "SELECT 1"))
        yield sql.planned(daily, 20)
        found = sql.job(daily)["NextRun"]
        assert (found.hour, found.minute) == (2, 0)
        assert timedelta(0) < found - sql.now() <= timedelta(days=1)
        sql.force(daily)
        yield sql.runs("daily", 1)
        run, row = sql.history("daily")[0], sql.job(daily)
        assert run["TriggeredBy"] == "SQL"
        assert started <= run["StartedAt"] <= sql.now() + timedelta(seconds=1)
        assert row["LastRun"] == run["StartedAt"]
        assert abs(datetime.fromisoformat(row["LastResult"]) - run["StartedAt"]) <= timedelta(seconds=2)
        assert row["NextRun"] == found
        yield sql.runs("second", 3, 10)
        sql.run("UPDATE c_Job SET IsActive = 0 WHERE ID = %s", second)
        for one in sql.rows("SELECT Begun, NOW(3) AS Now FROM Calls"):
            assert started <= one["Begun"] <= one["Now"]

    try:
        for error in play({"it": script(sql)}).values():
            raise error
        assert "Traceback" not in "".join(path.read_text() for path in tmp_path.glob("worker-*.log"))
    finally:
        end(worker)
        sql.close()

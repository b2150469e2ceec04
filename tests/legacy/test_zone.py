"""A server whose wall clock is not UTC, by an offset or by a named zone, and a worker's host whose clock is off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from taskmanager import TaskManager
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


ZONE = "Europe/Prague"


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    """A server for the tests of this file alone, which may set its zone: to make one takes longer than they do."""
    with own_server(request, request.param, durable=False) as made:
        yield made


def test_the_schedule_is_in_the_servers_zone_and_due_by_its_clock(server: local.Server, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SKEWED)
    sql = Console(new_database(server))
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


def transitions(first: int, last: int) -> list[tuple[int, int, bool]]:
    """When the clock changes: unix seconds, offset in seconds from then on, whether that is summer time."""
    zone, at, end = ZoneInfo(ZONE), datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    found, before = list[tuple[int, int, bool]](), None
    while at < end:
        local_time = at.astimezone(zone)
        offset = local_time.utcoffset() or timedelta()
        if offset != before:
            found.append((int(at.timestamp()), int(offset.total_seconds()), bool(local_time.dst())))
            before = offset
        at += timedelta(hours=1)
    return found


def learn_zone(server: local.Server) -> None:
    """Write the zone into the server's tables, and let the server keep it."""
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        run("INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (77, 'N')")
        run(f"INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('{ZONE}', 77)")
        for kind, (offset, summer, name) in enumerate([(3600, 0, "CET"), (7200, 1, "CEST")]):
            run("INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, "
                f"Abbreviation) VALUES (77, {kind}, {offset}, {summer}, '{name}')")  # fmt: skip
        for at, _, is_summer in transitions(2000, 2037):
            run("INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) "
                f"VALUES (77, {at}, {int(is_summer)})")  # fmt: skip
        run(f"SET GLOBAL time_zone = '{ZONE}'")
    engine.dispose()


def test_rows_of_summer_and_winter_are_due_when_the_server_says_so(server: local.Server) -> None:
    learn_zone(server)
    tm = TaskManager(database_url=new_database(server), doorbell=False)
    tm.database.create_tables()
    crons = {"summer": "0 9 1 7 *", "winter": "0 9 1 1 *", "skipped": "30 2 28 3 *"}
    with tm.database.engine.begin() as connection:
        rows = [{"JobName": n, "CronExpression": c, "StoredProcName": "SP_X", "IsActive": 1} for n, c in crons.items()]
        connection.execute(tm.database.tables.legacy.job.insert(), rows)
    assert tm.legacy_jobs.fire_due() == 0
    planned = {record.name: record.next_execution for record in tm.recurring_list()}
    with tm.database.engine.connect() as connection:
        found = connection.execute(text(f"SELECT JobName, NextRun, CONVERT_TZ(NextRun, '{ZONE}', '+00:00') FROM c_Job"))
        told = {name: (shown, moment) for name, shown, moment in found}
    tm.close()
    assert {name: moment for name, (_, moment) in told.items()} == planned, "the server's own rules say the same"
    assert {n: (at.hour, at.minute) for n, (at, _) in told.items() if n != "skipped"} == {
        "summer": (9, 0), "winter": (9, 0),
    }  # fmt: skip
    assert {n: at.hour for n, at in planned.items() if at is not None and n != "skipped"} == {"summer": 7, "winter": 8}

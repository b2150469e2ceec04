"""A server that keeps a named zone: crons go by its rules on both sides of a change of clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from taskmanager import TaskManager
from tests.conftest import new_database, own_server
from tests.servers import local

ZONE = "Europe/Prague"


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


@pytest.fixture(params=["mariadb", "mysql"])
def prague(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    """A server of our own whose tables of zones have this one, and that keeps it."""
    with own_server(request, request.param, durable=False) as server:
        learn_zone(server)
        yield server


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


def test_rows_of_summer_and_winter_are_due_when_the_server_says_so(prague: local.Server) -> None:
    tm = TaskManager(database_url=new_database(prague), doorbell=False)
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

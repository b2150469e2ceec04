"""Rows of c_Job through weeks of virtual time: crons, daylight saving, what is missed, ticked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from taskmanager.domain.wallclock import WallClock, wall_clock
from taskmanager.storage import legacy_marks

PRAGUE = ZoneInfo("Europe/Prague")


class Rows:
    """c_Job with a clock that is moved; runs end at once."""

    def __init__(self, tm: TaskManager, zone: str = "Europe/Prague", wall: Any = PRAGUE) -> None:
        self.tm, self.table = tm, tm.database.tables.legacy.job
        self.clock = WallClock(zone, wall)
        assert tm.legacy_jobs is not None
        self.legacy = tm.legacy_jobs
        self.legacy.schedule.wall_clock = lambda glance: self.clock  # type: ignore[method-assign]
        tm.database.read(lambda tx: None)

    def at(self, shown: str, fold: int = 0) -> None:
        """Put the clock to a time as Prague's clocks show it."""
        wanted = datetime.fromisoformat(shown).replace(tzinfo=PRAGUE, fold=fold).astimezone(UTC).replace(tzinfo=None)
        clock = self.tm.database.clock
        clock.shift(wanted - clock.now() + timedelta(milliseconds=100))

    def add(self, cron: str | None, **more: Any) -> int:
        values = {"JobName": f"job {cron}", "CronExpression": cron, "StoredProcName": "SP_X", "IsActive": 1} | more
        with self.tm.database.engine.begin() as connection:
            key = connection.execute(self.table.insert().values(values)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def change(self, row_id: int, **values: Any) -> None:
        with self.tm.database.engine.begin() as connection:
            connection.execute(self.table.update().where(row_id == self.table.c.ID).values(values))

    def get(self, row_id: int) -> dict[str, Any]:
        with self.tm.database.engine.connect() as connection:
            found = connection.execute(self.table.select().where(row_id == self.table.c.ID)).mappings().one()
        return dict(found)

    def next_run(self, row_id: int) -> str:
        return str(self.get(row_id)["NextRun"])

    def look(self, *, end: bool = True) -> int:
        fired = self.legacy.fire_due()
        if end:
            self.end_runs()
        return fired

    def end_runs(self) -> None:
        job, queue = self.tm.database.tables.job, self.tm.database.tables.queue
        with self.tm.database.engine.begin() as connection:
            connection.execute(job.update().where(job.c.StateName == "Enqueued").values(StateName="Succeeded"))
            connection.execute(queue.delete())

    def fires(self, row_id: int) -> list[str]:
        """When the runs of a row were made, as Prague's clocks showed it, with the offset."""
        job, parameter = self.tm.database.tables.job, self.tm.database.tables.parameter
        wanted = (
            select(job.c.CreatedAt)
            .join(parameter, parameter.c.JobId == job.c.Id)
            .where(parameter.c.Name == "RecurringJobId", parameter.c.Value == f'"c_job:{row_id}"')
            .order_by(job.c.Id)
        )
        with self.tm.database.engine.connect() as connection:
            moments = [row[0] for row in connection.execute(wanted)]
        return [m.replace(tzinfo=UTC).astimezone(PRAGUE).strftime("%d %H:%M%z") for m in moments]

    def triggers(self, row_id: int) -> list[str]:
        record = self.tm.database.read(lambda tx: legacy_marks.load(tx, [row_id]))[row_id]
        return list(record.runs.values())


@pytest.fixture
def rows(tm: TaskManager) -> Rows:
    return Rows(tm)


@pytest.fixture
def sqlite(engine_name: str) -> None:
    """For what does not depend on the product, and takes long."""
    if engine_name != "sqlite":
        pytest.skip("the same on every product")


def through(rows: Rows, days: float, step: timedelta = timedelta(minutes=15)) -> None:
    for _ in range(round(timedelta(days=days) / step)):
        rows.tm.database.clock.shift(step)
        rows.look()


@pytest.mark.parametrize(
    ("begin", "nightly_times", "intervals"),
    [
        ("2027-03-24 12:00", ["02:30+0100"] * 4 + ["02:30+0200"] * 3, 24 * 7 * 2),
        ("2027-10-28 12:00", ["02:30+0200"] * 3 + ["02:30+0100"] * 4, 24 * 7 * 2),
        ("2027-06-01 12:00", ["02:30+0200"] * 7, 24 * 7 * 2),
    ],
)
def test_a_week_of_crons_passes_as_it_should(
    rows: Rows, begin: str, nightly_times: list[str], intervals: int, sqlite: None
) -> None:
    rows.at(begin)
    nightly, half_hourly, working_days = rows.add("30 2 * * *"), rows.add("*/30 * * * *"), rows.add("0 9 * * 1-5")
    never, monthly = rows.add("0 0 31 2 *"), rows.add("0 0 29 2 *")
    rows.look()
    through(rows, 7)
    found = [fire[3:] for fire in rows.fires(nightly)]
    if begin.startswith("2027-03"):
        nightly_times = [*nightly_times[:3], "03:00+0200", *nightly_times[4:]]  # the night without half past two
    assert found == nightly_times
    assert len(rows.fires(half_hourly)) == intervals
    assert len(set(rows.fires(half_hourly))) == intervals
    assert [fire[3:8] for fire in rows.fires(working_days)] == ["09:00"] * 5
    assert (rows.fires(never), rows.fires(monthly)) == ([], [])
    assert rows.get(never)["NextRun"] is None
    assert rows.next_run(monthly) == "2028-02-29 00:00:00"


def test_in_the_repeated_hour_next_run_may_lie_behind_the_wall_clock_and_is_not_due(rows: Rows) -> None:
    rows.at("2027-10-31 02:35", fold=0)
    every = rows.add("*/30 * * * *")
    rows.look()
    assert rows.next_run(every) == "2027-10-31 02:00:00", "the second time that the clock shows it"
    assert rows.look() == 0
    rows.at("2027-10-31 02:00", fold=1)
    rows.look()
    assert rows.fires(every) == ["31 02:00+0100"]
    assert rows.next_run(every) == "2027-10-31 02:30:00"


def test_what_was_missed_before_the_clock_was_put_back_is_made_up_for_at_once(rows: Rows) -> None:
    rows.at("2027-10-31 02:50", fold=0)
    row = rows.add("59 2 * * *")
    rows.look()
    assert rows.next_run(row) == "2027-10-31 02:59:00"
    rows.at("2027-10-31 02:05", fold=1)
    assert rows.look() == 1, "not at 02:59 by the clock, an hour late"
    assert rows.next_run(row) == "2027-11-01 02:59:00"


def test_the_zone_of_the_crons_may_be_another_than_that_of_the_columns(tm: TaskManager) -> None:
    rows = Rows(tm, "Asia/Jerusalem", ZoneInfo("UTC"))
    rows.at("2027-06-01 12:00")
    row = rows.add("0 9 * * *")
    rows.look()
    assert rows.next_run(row) == "2027-06-02 06:00:00"
    rows.clock = WallClock("Europe/Prague", ZoneInfo("UTC"))
    rows.look()
    assert rows.next_run(row) == "2027-06-02 07:00:00", "another zone is another schedule"
    rows.at("2027-06-02 09:00")
    assert rows.look() == 1


def test_a_row_that_nobody_served_for_ten_days_runs_once(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    row = rows.add("0 * * * *")
    rows.look()
    rows.at("2027-06-11 12:30")
    assert rows.look(end=False) == 1
    assert rows.triggers(row) == ["System"]
    assert rows.next_run(row) == "2027-06-11 13:00:00"
    assert rows.look() == 0


def test_a_due_row_waits_for_its_own_run_and_then_runs_once(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    row = rows.add("*/5 * * * *")
    rows.look()
    rows.at("2027-06-01 12:05")
    assert rows.look(end=False) == 1
    for minute in (10, 15, 20):
        rows.at(f"2027-06-01 12:{minute}")
        assert rows.look(end=False) == 0
    rows.end_runs()
    assert rows.look() == 1
    assert rows.look() == 0
    assert rows.next_run(row) == "2027-06-01 12:25:00"


def test_what_people_edit_between_two_looks_counts_as_a_whole(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    row = rows.add("0 2 * * *")
    rows.look()
    planned = rows.get(row)["NextRun"]
    rows.change(row, NextRun=None)
    rows.look()
    assert rows.get(row)["NextRun"] == planned
    rows.change(row, CronExpression="0 4 * * *")
    assert rows.look() == 0
    assert rows.next_run(row) == "2027-06-02 04:00:00"
    rows.change(row, CronExpression="0 5 * * *", NextRun=datetime(2027, 6, 1, 18, 0))
    assert rows.look() == 0
    assert rows.next_run(row) == "2027-06-01 18:00:00", "what was typed beside the cron counts"
    rows.at("2027-06-01 18:00")
    assert rows.look(end=False) == 1
    assert rows.triggers(row) == ["SQL"]
    assert rows.next_run(row) == "2027-06-02 05:00:00"


def test_a_cron_changed_while_its_time_has_come_does_not_run_at_the_old_time(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    row = rows.add("5 12 * * *")
    rows.look()
    rows.change(row, CronExpression="0 4 * * *")
    rows.at("2027-06-01 12:06")
    assert rows.look() == 0
    assert rows.next_run(row) == "2027-06-02 04:00:00"


def test_an_inactive_row_keeps_no_next_run_and_comes_back_without_one(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    row = rows.add("0 2 * * *", IsActive=0, NextRun=datetime(2027, 6, 1, 11, 0))
    assert rows.look() == 0
    assert rows.get(row)["NextRun"] is None
    rows.change(row, IsActive=1)
    assert rows.look() == 0
    assert rows.next_run(row) == "2027-06-02 02:00:00"
    rows.change(row, IsActive=0)
    rows.look()
    rows.change(row, IsActive=1, NextRun=datetime(2027, 6, 1, 12, 0))
    assert rows.look() == 1
    assert rows.look() == 0


def test_runs_that_have_not_begun_are_taken_back_from_a_row_that_is_stopped_or_deleted(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    stopped, deleted = rows.add("0 2 * * *"), rows.add("0 3 * * *")
    rows.look()
    for row in (stopped, deleted):
        rows.change(row, NextRun=datetime(2027, 6, 1, 12, 0))
    assert rows.look(end=False) == 2
    rows.change(stopped, IsActive=0)
    with rows.tm.database.engine.begin() as connection:
        connection.execute(rows.table.delete().where(deleted == rows.table.c.ID))
    rows.look(end=False)
    job = rows.tm.database.tables.job
    with rows.tm.database.engine.connect() as connection:
        assert [name for (name,) in connection.execute(select(job.c.StateName))] == ["Deleted", "Deleted"]


def test_what_is_remembered_is_forgotten_with_the_row_and_heals_when_it_is_damaged(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    gone, damaged = rows.add("0 2 * * *"), rows.add("0 3 * * *")
    rows.look()
    table = rows.tm.database.tables.hash
    with rows.tm.database.engine.begin() as connection:
        connection.execute(rows.table.delete().where(gone == rows.table.c.ID))
        connection.execute(table.update().where(table.c.Field == str(damaged)).values(Value="{not JSON"))
    rows.look()
    rows.look()
    known = rows.tm.database.read(legacy_marks.load)
    assert list(known) == [damaged]
    assert rows.next_run(damaged) == "2027-06-02 03:00:00"


def test_an_empty_cron_is_nothing_wrong_and_never_due(rows: Rows) -> None:
    rows.at("2027-06-01 12:00")
    ids = [rows.add(None), rows.add(""), rows.add("  ")]
    assert rows.look() == 0
    for row in ids:
        assert (rows.get(row)["NextRun"], rows.get(row)["LastResult"]) == (None, None)
        rows.change(row, NextRun=datetime(2027, 6, 1, 12, 0))
    assert rows.look() == 3
    assert rows.look() == 0
    assert [rows.get(row)["NextRun"] for row in ids] == [None] * 3


@pytest.mark.parametrize("cron", ["61 * * * *", "every day", "* * * *", "1 2 3 4 5 6 7", "60 * * * *", "R * * * *"])
def test_an_invalid_cron_is_told_once_and_heals(rows: Rows, cron: str) -> None:
    rows.at("2027-06-01 12:00")
    row, other = rows.add(cron), rows.add("0 2 * * *")
    rows.look()
    assert cron in rows.get(row)["LastResult"]
    assert rows.get(row)["FailureCount"] is None
    assert rows.next_run(other) == "2027-06-02 02:00:00"
    rows.change(row, LastResult=None)
    rows.look()
    assert rows.get(row)["LastResult"] is None, "once for each text"
    rows.change(row, NextRun=datetime(2027, 6, 1, 12, 0))
    assert rows.look() == 1, "it can still be forced"
    assert rows.get(row)["NextRun"] is None
    rows.change(row, CronExpression="0 4 * * *")
    rows.look()
    assert rows.next_run(row) == "2027-06-02 04:00:00"


def test_what_is_no_moment_or_no_flag_stops_nothing(rows: Rows, engine_name: str) -> None:
    if engine_name != "sqlite":
        pytest.skip("only SQLite takes any text in any column")
    rows.at("2027-06-01 12:00")
    row, other = rows.add("0 2 * * *"), rows.add("0 3 * * *")
    rows.look()
    with rows.tm.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE c_Job SET NextRun = 'soon', IsActive = 'yes' WHERE ID = {row}")
    rows.look()
    assert (rows.next_run(row), rows.next_run(other)) == ("2027-06-02 02:00:00", "2027-06-02 03:00:00")


@pytest.mark.parametrize(
    ("setting", "server", "hours", "schedule", "known"),
    [
        (None, "SYSTEM UTC", 0, "UTC", True),
        (None, "SYSTEM CET", 1, "+01:00", False),
        ("Europe/Prague", "SYSTEM CET", 1, "Europe/Prague", True),
        ("Asia/Jerusalem", "SYSTEM UTC", 0, "Asia/Jerusalem", True),
        (None, "Europe/Prague", 1, "Europe/Prague", True),
        (None, "+05:30", 5.5, "+05:30", True),
        (None, "Mars/Olympus", -3.5, "-03:30", True),
        (None, "SYSTEM", 0, "+00:00", False),
    ],
)
def test_the_zone_is_the_setting_or_the_servers_or_an_offset(
    setting: str | None, server: str, hours: float, schedule: str, known: bool
) -> None:
    now = datetime(2027, 1, 10, 12, 0)
    clock = wall_clock(setting, server, timedelta(hours=hours), now)
    assert (clock.schedule, clock.knows_rules) == (schedule, known)
    assert clock.local(now) == now + timedelta(hours=hours)
    assert clock.utc(clock.local(now)) == now


def test_a_server_that_keeps_the_settings_zone_is_taken_to_keep_its_rules() -> None:
    winter = wall_clock("Europe/Prague", "SYSTEM CET", timedelta(hours=1), datetime(2027, 1, 10))
    assert winter.local(datetime(2027, 7, 1, 12)) == datetime(2027, 7, 1, 14)

"""Rows of the older c_Job that want nothing are looked at by one statement, which notices whatever people write."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table

from benchmarks.wire import listening
from taskmanager import TaskManager
from taskmanager.storage import schema, targcc_glance
from taskmanager.storage.database import Database
from tests.targcc.test_outcomes import rows
from tests.targcc.test_shapes import OLDER_JOB, OLDER_LOGGED

_JOB = Table(
    "c_Job", MetaData(), Column("ID", Integer, primary_key=True), Column("lkpJob", String(50)),
    Column("lkpJobRunner", String(50)), Column("enmJobType", String(50)), Column("WhenToRun", DateTime),
    Column("CyclicCount", Integer), Column("TimeOutSec", Integer), Column("Active", Boolean),
    Column("IsManaged", Boolean), Column("NextRunTime", DateTime), Column("LastRunTime", DateTime),
    Column("LastRunBy", String(50)),
    Column("enmJobStatus", String(50)), Column("WarningMailSent", Boolean),
)  # fmt: skip
_ROW = {
    "lkpJob": "mnTM_X", "lkpJobRunner": "Day", "enmJobType": "Daily", "WhenToRun": datetime(2020, 1, 1, 2),
    "CyclicCount": 5, "TimeOutSec": 10, "Active": True, "IsManaged": True, "NextRunTime": datetime(2030, 1, 1, 2),
    "LastRunTime": datetime(2025, 1, 1), "enmJobStatus": "Success", "WarningMailSent": False,
}  # fmt: skip
_EDITS = {
    "lkpJob": "mnTM_Y", "lkpJobRunner": "Night", "enmJobType": "Weekly", "WhenToRun": datetime(2020, 1, 1, 3),
    "CyclicCount": 6, "TimeOutSec": 11, "Active": False, "IsManaged": False, "NextRunTime": datetime(2030, 1, 2, 2),
    "LastRunTime": datetime(2025, 1, 2), "enmJobStatus": "InProcess", "WarningMailSent": True,
}  # fmt: skip


def test_an_edit_of_each_column_that_decides_is_seen_at_a_glance(database_url: str) -> None:
    database = Database(database_url)
    _JOB.metadata.create_all(database.engine)
    seen = [database.read(targcc_glance.digest)]

    def write(statement: Any) -> None:
        with database.engine.begin() as connection:
            connection.execute(statement)
        seen.append(database.read(targcc_glance.digest))

    write(_JOB.insert().values(ID=1, **_ROW))
    write(_JOB.insert().values(ID=2, **_ROW))
    for column, value in _EDITS.items():
        write(_JOB.update().where(_JOB.c.ID == 1).values({column: value}))
        write(_JOB.update().where(_JOB.c.ID == 1).values({column: None}))
    write(_JOB.delete().where(_JOB.c.ID == 2))
    assert len(set(seen)) == len(seen)
    write(_JOB.update().values(LastRunBy="nobody"))
    assert seen[-1] == seen[-2]
    database.dispose()


@pytest.fixture
def wire_and_tm(tmp_path: Path) -> Any:
    with listening(tmp_path) as wire:
        tm = TaskManager(database_url=f"sqlite:///{tmp_path}/older.db", doorbell=False)
        for name, columns in (("c_Job", OLDER_JOB), ("c_LoggedJob", OLDER_LOGGED)):
            rows(tm, f'CREATE TABLE "{name}" ("ID" integer primary key, {columns})')
        schema.upgrade(tm.database.engine, "Hangfire")
        rows(
            tm,
            'INSERT INTO "c_Job" ("lkpJob", "enmJobType", "WhenToRun", "Active", "IsManaged") '
            "VALUES ('mnTM_X', 'Daily', '2000-01-01 02:00:00', 1, 1)",
        )
        yield wire, tm
        tm.close()


def test_rows_that_want_nothing_cost_one_statement_a_look(wire_and_tm: Any) -> None:
    wire, tm = wire_and_tm
    tm.legacy_jobs.look()  # plans the row
    tm.legacy_jobs.look()  # finds nothing to do
    before = len(wire.sent())
    rests = [tm.legacy_jobs.look() for _ in range(4)]
    assert len(wire.sent()) - before == 4
    assert all(0.5 < rest <= 1 for rest in rests)


def test_a_time_that_comes_while_nothing_is_written_is_not_missed(wire_and_tm: Any) -> None:
    _, tm = wire_and_tm
    tm.legacy_jobs.fire_due()
    assert tm.legacy_jobs.fire_due() == 0
    assert tm.legacy_jobs.fire_due() == 0
    tm.database.clock.shift(timedelta(days=1, seconds=1))
    assert tm.legacy_jobs.fire_due() == 1


def test_an_edit_is_dealt_with_at_the_next_look(wire_and_tm: Any) -> None:
    _, tm = wire_and_tm
    tm.legacy_jobs.fire_due()
    assert tm.legacy_jobs.fire_due() == 0
    rows(tm, 'UPDATE "c_Job" SET "NextRunTime" = \'2001-01-01 00:00:00\'')
    assert tm.legacy_jobs.fire_due() == 1

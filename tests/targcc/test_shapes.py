"""Which c_Job and c_LoggedJob a database has is read; what is of no known shape is named, and all else runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.domain.errors import RecurringJobNotFound
from taskmanager.storage import doctor, legacy_shape, logged, schema
from taskmanager.storage.legacy_shape import Shape
from tests.conftest import Hands

OLDER_JOB = ", ".join(f'"{c}" text' for c in legacy_shape._TARGCC[1:])
OLDER_LOGGED = ", ".join(f'"{c}" text' for c in legacy_shape._TARGCC_LOGGED[1:])


def made(tmp_path: Path, **tables: str) -> TaskManager:
    """A TaskManager on an upgraded database that had these tables before."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/shapes.db", doorbell=False)
    with tm.database.engine.begin() as connection:
        for name, columns in tables.items():
            connection.execute(text(f'CREATE TABLE "{name}" ("ID" integer primary key, {columns})'))
    schema.upgrade(tm.database.engine, "Hangfire")
    return tm


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    managers: list[TaskManager] = []

    def one(**tables: str) -> TaskManager:
        managers.append(made(tmp_path, **tables))
        return managers[-1]

    yield one
    for tm in managers:
        tm.close()


def shapes(tm: TaskManager) -> legacy_shape.Recognised:
    return tm.database.read(legacy_shape.of)


def runs(tm: TaskManager, tmp_path: Path) -> str | None:
    """The state of a job that is none of c_Job's."""
    job_id = tm.enqueue("tests.targcc.test_shapes:plain")
    hands = Hands(tm, tmp_path)
    hands.work()
    hands.close()
    return tm.get(job_id).state


def plain() -> str:
    return "done"


def test_the_tables_that_the_upgrade_makes_are_the_specifications(make: Any) -> None:
    assert shapes(make()) == legacy_shape.Recognised(Shape.SPECIFICATION, Shape.SPECIFICATION)


def test_the_older_tables_are_recognised(make: Any) -> None:
    tm = make(c_Job=OLDER_JOB, c_LoggedJob=OLDER_LOGGED, c_User='"Email" text')
    assert shapes(tm) == legacy_shape.Recognised(Shape.TARGCC, Shape.TARGCC, (), True)
    assert tm.recurring_list() == []


def test_a_c_Job_of_no_shape_names_the_missing_columns_and_everything_else_runs(
    make: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tm = make(c_Job='"JobName" text, "CronExpression" text, "IsActive" integer')
    tm.registry.packages = ("tests.targcc",)
    with caplog.at_level(logging.ERROR, "taskmanager.legacy"):
        assert tm.legacy_jobs.fire_due() == 0
        assert tm.legacy_jobs.fire_due() == 0
    (told,) = (r.getMessage() for r in caplog.records)
    assert told.startswith("c_Job has not the columns of the specification's table: StoredProcName, LastRun, NextRun")
    assert told.endswith("missing. Its rows are not served; everything else runs")
    assert tm.recurring_list() == []
    with pytest.raises(RecurringJobNotFound, match="c_Job has not the columns"):
        tm.trigger("c_job:1")
    assert runs(tm, tmp_path) == "Succeeded"
    assert len(tm.database.read(lambda tx: logged.history(tx, name=None, limit=9))) == 1
    findings = doctor.examine(tm.database)
    assert [f.level for f in findings if "StoredProcName" in f.text] == ["warn"]


def test_an_older_c_Job_that_lacks_a_column_is_told_which_one(make: Any) -> None:
    tm = make(c_Job=OLDER_JOB.replace('"IsManaged" text, ', ""))
    (fault,) = shapes(tm).faults
    assert fault.startswith("c_Job has not the columns of the older TARGCC table: IsManaged missing.")


def test_a_c_LoggedJob_of_another_shape_costs_its_history_and_nothing_else(make: Any, tmp_path: Path) -> None:
    tm = make(c_LoggedJob='"RunDate" text, "Success" integer')
    tm.registry.packages = ("tests.targcc",)
    assert shapes(tm).logged is Shape.UNKNOWN
    assert "No history is written to it" in shapes(tm).faults[0]
    assert runs(tm, tmp_path) == "Succeeded"
    assert tm.database.read(lambda tx: logged.history(tx, name=None, limit=9)) == []
    assert tm.database.read(lambda tx: logged.statistics(tx, days=1)) == []


def test_a_table_that_was_mended_is_served_without_a_restart(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tm = make(c_Job='"JobName" text, "CronExpression" text, "IsActive" integer')
    assert shapes(tm).job is Shape.UNKNOWN
    with tm.database.engine.begin() as connection:
        for name in ("StoredProcName", "LastRun", "NextRun", "LastResult", "FailureCount", "EmailOnFailure"):
            connection.execute(text(f'ALTER TABLE "c_Job" ADD COLUMN "{name}" text'))
    assert shapes(tm).job is Shape.UNKNOWN
    monkeypatch.setattr(legacy_shape, "RECHECK_SECONDS", 0.0)
    assert shapes(tm) == legacy_shape.Recognised(Shape.SPECIFICATION, Shape.SPECIFICATION)


def test_rows_of_other_runners_are_left_alone(make: Any, tmp_path: Path) -> None:
    make(c_Job=OLDER_JOB, c_LoggedJob=OLDER_LOGGED).close()
    url = f"sqlite:///{tmp_path}/shapes.db"
    tm = TaskManager(database_url=url, doorbell=False, legacy_runner=" Night , other")
    with tm.database.engine.begin() as connection:
        for runner in ("'night'", "' NIGHT '", "'Day'", "NULL", "''"):
            connection.execute(text(
                'INSERT INTO "c_Job" ("lkpJob", "lkpJobRunner", "enmJobType", "WhenToRun", "Active", "IsManaged") '
                f"VALUES ('mnTM_X', {runner}, 'Daily', '2000-01-01 02:00:00', 1, 1)"
            ))  # fmt: skip
    tm.legacy_jobs.fire_due()
    with tm.database.engine.connect() as connection:
        planned = connection.execute(text('SELECT "NextRunTime" IS NOT NULL FROM "c_Job" ORDER BY "ID"')).scalars()
        assert list(planned) == [1, 1, 0, 0, 0]
    errors = [record.error for record in tm.recurring_list()]
    assert errors[:2] == [None, None]
    assert errors[2] == "lkpJobRunner 'Day' is not among legacy_runner"
    tm.close()

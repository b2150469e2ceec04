"""A c_Job row written by plain SQL runs on its cron, on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from taskmanager import TaskManager
from tests.conftest import history


def sql(tm: TaskManager, *statements: str) -> None:
    with tm.database.engine.begin() as connection:
        for one in statements:
            connection.execute(text(one))


def insert(tm: TaskManager, cron: str, procedure: str, name: str = "Daily Sales Report") -> None:
    names = ", ".join(tm.database.product.quote(n) for n in ("JobName", "CronExpression", "StoredProcName", "IsActive"))
    table = tm.database.product.quote("c_Job")
    sql(tm, f"INSERT INTO {table} ({names}) VALUES ('{name}', '{cron}', '{procedure}', 1)")


def row(tm: TaskManager) -> dict[str, Any]:
    with tm.database.engine.connect() as connection:
        return dict(connection.execute(tm.database.tables.legacy.job.select()).mappings().one())


def make_procedures(tm: TaskManager) -> None:
    product = tm.database.product.name
    if product == "sqlite":
        tm.procedure("SP_Report")(lambda: "12 rows")
    elif product == "postgresql":
        parameters = "INOUT r text DEFAULT '12 rows'"
        body = f'CREATE OR REPLACE PROCEDURE "SP_Report"({parameters}) LANGUAGE plpgsql AS $$ BEGIN END $$'
        sql(tm, body)
    else:
        sql(tm, "DROP PROCEDURE IF EXISTS SP_Report", "CREATE PROCEDURE SP_Report() SELECT '12 rows'")
        sql(tm, "DROP PROCEDURE IF EXISTS SP_Late")
        late = "CREATE PROCEDURE SP_Late() BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too late'; END"
        sql(tm, late)


def test_a_row_is_planned_then_run_when_due_and_told_its_outcome(tm: TaskManager, hands: Any) -> None:
    make_procedures(tm)
    insert(tm, "0 2 * * *", "SP_Report()")
    assert tm.legacy_jobs.fire_due() == 0, "a new row is planned, not run"
    planned = row(tm)["NextRun"]
    assert (planned.hour, planned.minute) == (2, 0)
    tm.database.clock.shift(timedelta(days=1))
    assert tm.legacy_jobs.fire_due() == 1
    worker = hands()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    worker.completer.flush()
    after = row(tm)
    assert history(tm, claim.job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert (after["LastResult"], after["FailureCount"]) == ("12 rows", 0)
    assert after["LastRun"] is not None
    assert after["NextRun"] > planned
    assert tm.get(claim.job_id).parameters["RecurringJobId"] == f'"c_job:{after["ID"]}"'


def test_an_invalid_cron_is_told_in_the_row_and_stops_nothing(tm: TaskManager, hands: Any) -> None:
    make_procedures(tm)
    insert(tm, "every day", "SP_Report")
    assert tm.legacy_jobs.fire_due() == 0
    assert "every day" in row(tm)["LastResult"]


def test_a_failure_is_counted_and_its_text_kept(tm: TaskManager, hands: Any) -> None:
    make_procedures(tm)
    signals = tm.database.product.name in ("mysql", "mariadb")
    insert(tm, "0 2 * * *", "SP_Late" if signals else "SP_Missing")
    tm.legacy_jobs.fire_due()
    tm.database.clock.shift(timedelta(days=1))
    tm.legacy_jobs.fire_due()
    hands().work()
    after = row(tm)
    assert after["FailureCount"] == 1
    assert ("too late" if signals else "SP_Missing") in after["LastResult"]

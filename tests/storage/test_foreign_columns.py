"""Tables of the specification's names that somebody else made: BIT where ours are TINYINT, and a table of users."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import alerts, logged, monitoring_logged
from taskmanager.storage.monitoring_logged import WantedRuns
from tests.walks.test_legacy import make_procedures, sql

FLAGS = {
    "c_Job": ("IsActive", "EmailOnFailure"), "c_LoggedJob": ("Success",),
    "c_JobAlert": ("AlertOnFailure", "AlertOnSuccess"),
}  # fmt: skip


@pytest.fixture
def bits(tm: TaskManager, engine_name: str) -> TaskManager:
    """The flags of the c_ tables are BIT, as a tool makes them of SQL Server's."""
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("BIT is a type of MySQL and MariaDB")
    for table, columns in FLAGS.items():
        for column in columns:
            null = "NULL" if table == "c_Job" else "NOT NULL"
            sql(tm, f"ALTER TABLE {table} MODIFY COLUMN {column} BIT(1) {null}")
    return tm


def test_rows_with_bits_run_mail_and_are_told_as_others_are(bits: TaskManager, hands: Any) -> None:
    make_procedures(bits)
    sql(bits, "INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive, EmailOnFailure, NextRun) VALUES "
        "('good', '0 2 * * *', 'SP_Report', 1, b'0', NOW()), ('bad', '0 2 * * *', 'SP_Late', b'1', b'1', NOW()), "
        "('off', '0 2 * * *', 'SP_Report', b'0', NULL, NOW())")  # fmt: skip
    sql(bits, "INSERT INTO c_JobAlert (JobName, AlertOnFailure, AlertOnSuccess, EmailRecipients) VALUES "
        "('good', b'0', b'1', 'a@b.c')")  # fmt: skip
    assert bits.legacy_jobs.fire_due() == 2
    worker = hands()
    while worker.work():
        pass
    read = bits.database.read
    found = {r["JobName"]: r["Success"] for r in read(lambda tx: logged.history(tx, name=None, limit=9))}
    assert found == {"good": 1, "bad": 0}
    page = read(lambda tx: monitoring_logged.page(tx, WantedRuns(), limit=9))
    assert {run.name: run.succeeded for run in page.rows} == {"good": True, "bad": False}
    assert read(lambda tx: alerts.mailing(tx, [1, 2, 3])) == {2}
    (rule,) = read(alerts.load_all)
    assert sorted(map(str, rule.rule.on)) == ["success"]
    assert {r.name: r.paused for r in bits.recurring_list()} == {"good": False, "bad": False, "off": True}
    bits.pause("c_job:1")
    assert {r.name: r.paused for r in bits.recurring_list()}["good"]


def test_recipients_named_by_their_user_are_mailed_at_the_users_address(tm: TaskManager, url: str) -> None:
    quote = tm.database.product.quote
    with tm.database.engine.begin() as connection:
        connection.execute(text(
            f"CREATE TABLE {quote('c_User')} ({quote('ID')} INT PRIMARY KEY, {quote('Email')} VARCHAR(100))"
        ))  # fmt: skip
        connection.execute(text(f"INSERT INTO {quote('c_User')} VALUES (7, 'ops@example.com'), (8, 'no address')"))
        legacy = tm.database.tables.legacy
        connection.execute(legacy.job.insert().values(ID=1, JobName="x", EmailOnFailure=1))
        for user, kind, override, name in (
            (7, "email", None, None), (8, "email", None, None), (7, "SMS", None, None),
            (None, "email", "dana@example.com", None), (7, "EMAIL", "oren@example.com", "Oren"),
        ):  # fmt: skip
            connection.execute(legacy.recipient.insert().values(
                c_JobID=1, c_UserID=user, enmJobAlertType=kind, OverrideEmailOrPhone=override, OverrideName=name,
            ))  # fmt: skip
    fresh = TaskManager(database_url=url, doorbell=False)
    found = fresh.database.read(lambda tx: alerts.recipients(tx, 1))
    fresh.close()
    assert found == ("ops@example.com", "dana@example.com", "oren@example.com")

"""Tables of the specification's names that somebody else made: BIT where ours are TINYINT, and a table of users."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import alerts, doctor, legacy_shape, logged, monitoring_logged
from taskmanager.storage.legacy_texts import Fit
from taskmanager.storage.monitoring_logged import WantedRuns
from tests.conftest import Hands
from tests.walks.test_legacy import make_procedures, sql

FLAGS = {
    "c_Job": ("IsActive", "EmailOnFailure"), "c_LoggedJob": ("Success",),
    "c_JobAlert": ("AlertOnFailure", "AlertOnSuccess"),
}  # fmt: skip


def work(tm: TaskManager, folder: Path) -> None:
    """Perform what waits."""
    worker = Hands(tm, folder)
    while worker.work():
        pass
    worker.close()


@pytest.fixture
def foreign(database_url: str, engine_name: str) -> Iterator[TaskManager]:
    """A database of this test's own, whose tables may be changed; before its columns are looked at."""
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("types of MySQL and MariaDB")
    made = TaskManager(database_url=database_url, doorbell=False)
    made.database.create_tables()
    yield made
    made.close()


@pytest.fixture
def bits(foreign: TaskManager) -> TaskManager:
    """The flags of the c_ tables are BIT, as a tool makes them of SQL Server's."""
    for table, columns in FLAGS.items():
        for column in columns:
            null = "NULL" if table == "c_Job" else "NOT NULL"
            sql(foreign, f"ALTER TABLE {table} MODIFY COLUMN {column} BIT(1) {null}")
    return foreign


def test_rows_with_bits_run_mail_and_are_told_as_others_are(bits: TaskManager, tmp_path: Path) -> None:
    make_procedures(bits)
    sql(bits, "INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive, EmailOnFailure, NextRun) VALUES "
        "('good', '0 2 * * *', 'SP_Report', 1, b'0', NOW()), ('bad', '0 2 * * *', 'SP_Late', b'1', b'1', NOW()), "
        "('off', '0 2 * * *', 'SP_Report', b'0', NULL, NOW())")  # fmt: skip
    sql(bits, "INSERT INTO c_JobAlert (JobName, AlertOnFailure, AlertOnSuccess, EmailRecipients) VALUES "
        "('good', b'0', b'1', 'a@b.c')")  # fmt: skip
    assert bits.legacy_jobs.fire_due() == 2
    work(bits, tmp_path)
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


def test_recipients_named_by_their_user_are_mailed_at_the_users_address(database_url: str) -> None:
    tm = TaskManager(database_url=database_url, doorbell=False)
    tm.database.create_tables()
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
    found = tm.database.read(lambda tx: alerts.recipients(tx, 1))
    tm.close()
    assert found == ("ops@example.com", "dana@example.com", "oren@example.com")


@pytest.fixture
def narrow(foreign: TaskManager) -> TaskManager:
    """Texts of the c_ tables are of 64 KB and latin1, as a server makes them whose default that is."""
    texts = {"c_Job": ("LastResult",), "c_LoggedJob": ("ResultMessage", "ErrorMessage", "StackTrace")}
    for table, columns in texts.items():
        for column in columns:
            sql(foreign, f"ALTER TABLE {table} MODIFY COLUMN {column} TEXT CHARACTER SET latin1")
    return foreign


def test_results_that_a_column_cannot_hold_are_cut_and_cost_no_outcome(narrow: TaskManager, tmp_path: Path) -> None:
    bodies = {
        "odd": "SELECT 'é שלום 😀'", "long": "SELECT REPEAT('é', 100000)",
        "bad": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'é שלום'",
    }  # fmt: skip
    for name, body in bodies.items():
        sql(narrow, f"CREATE PROCEDURE SP_{name}() {body}")
        row = f"('{name}', 'SP_{name}', 1, NOW())"
        sql(narrow, f"INSERT INTO c_Job (JobName, StoredProcName, IsActive, NextRun) VALUES {row}")
    assert narrow.legacy_jobs.fire_due() == 3
    told = [f.text for f in doctor.examine(narrow.database, recurring=list) if f.subject == "legacy"]
    assert [text.partition(" cannot hold")[0] for text in told] == [
        "LastResult of c_Job", "ErrorMessage, ResultMessage, StackTrace of c_LoggedJob",
    ]  # fmt: skip
    work(narrow, tmp_path)
    with narrow.database.engine.connect() as connection:
        rows = {
            r[0]: (r[1], r[2]) for r in connection.execute(text("SELECT JobName, LastResult, FailureCount FROM c_Job"))
        }
    assert rows["odd"] == ("é ???? ?", 0)
    assert rows["bad"] == ("é ????", 1)
    long, failures = rows["long"]
    assert failures == 0
    assert (len(long.encode("cp1252")), long.endswith("[truncated]")) == (min(65_535, len(long)), True)
    runs = {r["JobName"]: r for r in narrow.database.read(lambda tx: logged.history(tx, name=None, limit=9))}
    assert {name: run["Success"] for name, run in runs.items()} == {"odd": 1, "long": 1, "bad": 0}
    assert (runs["odd"]["ResultMessage"], runs["bad"]["ErrorMessage"]) == ("é ???? ?", "é ????")
    assert narrow.get(int(runs["odd"]["JobId"])).result == "é שלום 😀", "the whole stands with the job"


@pytest.mark.parametrize(
    ("fit", "given", "kept"),
    [
        (Fit(None, None, "cp1252"), "é שלום", "é ????"),
        (Fit(None, None, is_narrow=True), "ש 😀", "ש ?"),
        (Fit(None, None, "iso8859-8"), "שלום é", "שלום ?"),
        (Fit(20, None), "x" * 21, "xxxxx ...[truncated]"),
        (Fit(None, 20), "שש" * 10, "שש ...[truncated]"),
        (Fit(5, 5), "abcdef", " ...["),
        (Fit(20, 80), "x" * 20, "x" * 20),
        (Fit(None, 10, "ascii"), "é" * 10, "?" * 10),
    ],
)
def test_a_text_is_made_to_fit(fit: Fit, given: str, kept: str) -> None:
    assert fit(given) == kept


def test_of_our_own_columns_nothing_needs_to_be_made_to_fit(tm: TaskManager) -> None:
    assert tm.database.read(legacy_shape.of).texts == {}

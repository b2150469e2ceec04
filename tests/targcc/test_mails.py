"""What is mailed of rows of the older c_Job, decided on SQLite with a mail server that is real."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from taskmanager import JobContext, JobResult, TaskManager
from taskmanager.cli import main
from taskmanager.domain.targcc import Rule, following
from taskmanager.storage import schema
from tests.alerts import receivers
from tests.alerts.receivers import Mailbox, body_of
from tests.targcc.test_shapes import OLDER_JOB, OLDER_LOGGED


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = receivers.start_mail()
    yield box
    box.stop()


class Post:
    """The older tables, with somebody who is mailed by default."""

    def __init__(self, folder: Path, mailbox: Mailbox, **settings: Any) -> None:
        self.mailbox = mailbox
        self.tm = TaskManager(
            database_url=f"sqlite:///{folder}/older.db", doorbell=False, smtp_host="127.0.0.1", smtp_port=mailbox.port,
            smtp_tls="off", **{"alert_recipients": "ops@example.com"} | settings,
        )  # fmt: skip
        tables = {
            "c_Job": OLDER_JOB, "c_LoggedJob": OLDER_LOGGED,
            "c_SystemDefault": '"Group" text, "SettingName" text, "spt_SettingValue" text',
        }  # fmt: skip
        for name, columns in tables.items():
            self.sql(f'CREATE TABLE "{name}" ("ID" integer primary key, {columns})')
        schema.upgrade(self.tm.database.engine, "Hangfire")

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.tm.database.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def row(self, code: str, **columns: Any) -> int:
        given = {
            "lkpJob": code, "lkpJobRunner": "night", "enmJobType": "Daily", "WhenToRun": "2000-01-01 02:00:00",
            "Active": 1, "IsManaged": 1,
        } | columns  # fmt: skip
        names = ", ".join(f'"{n}"' for n in given)
        self.sql(f'INSERT INTO "c_Job" ({names}) VALUES ({", ".join(f":{n}" for n in given)})', **given)
        return int(self.sql('SELECT MAX("ID") FROM "c_Job"')[0][0])

    def ago(self, seconds: float) -> str:
        now: datetime = self.tm.database.read(lambda tx: tx.clock.local_now())
        return str((now - timedelta(seconds=seconds)).replace(microsecond=0))

    def look(self) -> None:
        self.tm.legacy_jobs.fire_due()

    def drain(self) -> None:
        self.tm.alerts.book._read_at = 0.0
        self.tm.testing.drain()

    @property
    def subjects(self) -> list[str]:
        return list(self.mailbox.subjects)


@pytest.fixture
def post(tmp_path: Path, mailbox: Mailbox) -> Iterator[Post]:
    made = Post(tmp_path, mailbox)
    yield made
    made.tm.close()


def rule(post: Post, **columns: Any) -> None:
    """Write a row of c_JobAlert."""
    with post.tm.database.engine.begin() as connection:
        connection.execute(post.tm.database.tables.legacy.alert.insert().values(**columns))


def test_a_row_that_is_late_by_more_than_all_rows_of_its_runner_may_take_is_mailed_once_and_run(post: Post) -> None:
    post.tm.job(display_name="report", retries=0)(lambda: "done")
    post.row("other", TimeOutSec=500, NextRunTime="2999-01-01 00:00:00")
    row_id = post.row("report", TimeOutSec=100, NextRunTime=post.ago(650))
    early = post.row("in time", TimeOutSec=100, NextRunTime=post.ago(650), lkpJobRunner="day", Active=0)
    post.look()
    warned = 'SELECT "WarningMailSent", "enmJobStatus" FROM "c_Job" WHERE "ID" = :id'
    assert post.sql(warned, id=row_id) == [("1", "InProcess")]
    post.drain()
    assert post.subjects == ["MISSED: report"]
    told = body_of(post.mailbox.mails[0][2])
    assert "not started within 600 s of its time" in told, "the sum of the night's rows"
    assert "Late by: 0:1" in told
    assert post.sql(warned, id=row_id) == [("0", "Success")], "the run's end forgets it"
    assert post.sql(warned, id=early)[0][0] is None


@pytest.mark.parametrize(("late", "mails"), [(55, 0), (75, 1)])
def test_a_row_is_not_missed_for_a_minute_however_little_its_runner_may_take(post: Post, late: int, mails: int) -> None:
    post.tm.job(display_name="report", retries=0)(lambda: "done")
    post.row("report", NextRunTime=post.ago(late))
    post.look()
    post.drain()
    assert len(post.subjects) == mails


def test_a_row_that_waits_for_a_free_worker_for_too_long_was_missed_too(post: Post) -> None:
    post.tm.job(display_name="report", retries=0)(lambda: "done")
    post.row("report", NextRunTime=post.ago(0))
    post.look()
    assert post.subjects == []
    post.sql("""UPDATE "HangfireHash" SET "Value" = replace("Value", '"claimed": "2', '"claimed": "1')""")
    post.look()
    post.look()
    post.drain()
    assert post.subjects == ["MISSED: report"]


def test_nobody_to_be_mailed_leaves_the_row_alone(tmp_path: Path, mailbox: Mailbox) -> None:
    post = Post(tmp_path, mailbox, alert_recipients="")
    row_id = post.row("theirs", IsManaged=0, LastRunTime="2001-01-01 00:00:00")
    for _ in range(3):
        post.look()
    assert post.sql('SELECT "WarningMailSent" FROM "c_Job" WHERE "ID" = :id', id=row_id) == [(None,)]
    assert not post.tm.database.read(lambda tx: tx.connection.execute(text('SELECT * FROM "HangfireJob"')).all())
    post.sql(
        'INSERT INTO "c_SystemDefault" ("Group", "SettingName", "spt_SettingValue") '
        "VALUES ('Config', 'ProblemMailTo', 'a@b.c; d@e.f')"
    )
    told = CliRunner().invoke(main, ["--database-url", str(post.tm.database.url), "alerts", "list", "--json"])
    (rule,) = json.loads(told.stdout)
    assert (rule["source"], rule["on"], rule["to"]) == ("c_SystemDefault", "failure, missed, warning", "a@b.c, d@e.f")
    post.sql('UPDATE "c_Job" SET "LastRunTime" = \'2002-01-01 00:00:00\'')
    post.look()
    post.drain()
    assert [to for _, to, _ in mailbox.mails] == [["a@b.c", "d@e.f"]]
    post.tm.close()


def test_the_same_failure_is_mailed_once_an_hour_and_another_at_once(post: Post) -> None:
    words = ["no paper", "no paper", "no paper", "no ink", "no paper"]

    def fails(ctx: JobContext) -> None:
        raise ValueError(words.pop(0))

    post.tm.job(display_name="printer", retries=0)(fails)
    post.row("printer", NextRunTime=post.ago(0))
    for _ in range(5):
        post.sql('UPDATE "c_Job" SET "NextRunTime" = :at', at=post.ago(1))
        post.look()
        post.drain()
    assert words == []
    assert post.subjects == ["FAILED: printer"] * 3
    texts = [body_of(mail) for _, _, mail in post.mailbox.mails]
    assert ["no paper" in texts[0], "no ink" in texts[1], "no paper" in texts[2]] == [True] * 3
    assert "(2 alerts suppressed)" in texts[1]


def test_a_failure_that_only_the_scheduler_sees_is_mailed(post: Post) -> None:
    post.row("theirs", IsManaged=0, enmJobStatus="InProcess", LastRunTime="2001-01-01 00:00:00", TimeOutSec=10)
    post.look()
    post.drain()
    assert post.subjects[:1] == ["FAILED: theirs"]
    assert "was not reported within 10 s" in body_of(post.mailbox.mails[0][2])


def test_a_warning_tells_how_many_items_failed(post: Post) -> None:
    def partly() -> JobResult:
        return JobResult.ok("9 of 12").with_metadata("SuccessCount", 9).with_metadata("FailureCount", 3)

    post.tm.job(display_name="partly", retries=0)(partly)
    post.row("partly", NextRunTime=post.ago(0))
    post.look()
    post.drain()
    assert post.subjects == ["WARNING: partly"]
    told = body_of(post.mailbox.mails[0][2])
    assert "Items done: 9" in told
    assert "Items failed: 3" in told
    assert "9 of 12" in told


def test_a_success_that_a_rule_and_the_row_tell_of_is_one_mail_to_all(post: Post) -> None:
    post.tm.job(display_name="report", retries=0)(lambda: "12 orders")
    post.row("report", NextRunTime=post.ago(0), SendNotificationOnSuccess=1)
    rule(post, JobName="Report", AlertOnSuccess=1, EmailRecipients="boss@example.com")
    for _ in range(2):
        post.sql('UPDATE "c_Job" SET "NextRunTime" = :at', at=post.ago(1))
        post.look()
        post.drain()
    assert post.subjects == ["Succeeded: report"] * 2
    assert [sorted(to) for _, to, _ in post.mailbox.mails] == [
        ["boss@example.com", "ops@example.com"],
        ["boss@example.com"],
    ]


def test_a_rule_hears_of_a_success_of_which_the_row_tells_nobody(post: Post) -> None:
    def partly() -> JobResult:
        return JobResult.ok("9 of 12").with_metadata("FailureCount", 3)

    options = {"to": "dev@example.com", "on": ["success"]}
    post.tm.job(display_name="report", retries=0, alerts=options)(lambda: "done")
    post.tm.job(display_name="partly", retries=0, alerts=options)(partly)
    post.row("report", NextRunTime=post.ago(0))
    post.row("partly", NextRunTime=post.ago(0))
    post.look()
    post.drain()
    told = sorted((subject, sorted(to)) for subject, (_, to, _) in zip(post.subjects, post.mailbox.mails, strict=True))
    assert told == [
        ("Succeeded: report", ["dev@example.com"]), ("WARNING: partly", ["dev@example.com", "ops@example.com"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "hears"),
    [
        ({"AlertOnFailure": 0, "AlertOnSuccess": 1}, True), ({"AlertOnFailure": 1}, True),
        ({"AlertOnFailure": 0, "AlertOnDurationExceeds": 0}, True), ({"AlertOnFailure": 0}, False),
    ],
)  # fmt: skip
def test_a_warning_is_one_mail_to_the_row_and_to_rules_of_successes_failures_and_long_runs(
    post: Post, columns: dict[str, int], hears: bool
) -> None:
    outcomes = [None, 3, 0]

    def moody(ctx: JobContext) -> JobResult:
        time.sleep(0.002)
        failed = outcomes.pop(0)
        if failed is None:
            raise ValueError("no paper")
        return JobResult.ok("done").with_metadata("FailureCount", failed)

    post.tm.job(display_name="report", retries=0)(moody)
    post.row("report")
    rule(post, JobName="report", EmailRecipients="boss@example.com", **columns)
    for _ in range(3):
        post.sql('UPDATE "c_Job" SET "NextRunTime" = :at', at=post.ago(1))
        post.look()
        post.drain()
    assert post.subjects[:2] == ["FAILED: report", "WARNING: report"]
    assert sorted(post.mailbox.mails[1][1]) == ["boss@example.com"] * hears + ["ops@example.com"]
    assert ("Recovered: report" in post.subjects[2:]) == bool(columns["AlertOnFailure"]), "a warning is no recovery"


@pytest.mark.parametrize("row_tells", [True, False])
def test_a_run_is_one_mail_to_its_row_and_to_rules_of_recoveries_and_long_runs(post: Post, row_tells: bool) -> None:
    fails = [True, False, False]

    def moody() -> str:
        time.sleep(0.002)
        if fails.pop(0):
            raise ValueError("no paper")
        return "12 orders"

    post.tm.job(display_name="report", retries=0)(moody)
    post.row("report", SendNotificationOnSuccess=int(row_tells))
    rule(post, JobName="report", EmailRecipients="boss@example.com", AlertOnDurationExceeds=1)
    for _ in range(3):
        post.sql('UPDATE "c_Job" SET "NextRunTime" = :at', at=post.ago(1))
        post.look()
        post.drain()
    assert post.subjects == ["FAILED: report", "Recovered: report", "SLOW: report"]
    both = ["boss@example.com", "ops@example.com"]
    to_row = [both if row_tells else ["boss@example.com"], ["boss@example.com"]]  # the third says nothing new
    assert [sorted(to) for _, to, _ in post.mailbox.mails] == [both, *to_row]
    assert "12 orders" in body_of(post.mailbox.mails[1][2])


@pytest.mark.parametrize(("outcome", "told"), [("fails", "FAILED"), ("partly", "WARNING")])
def test_a_row_that_is_deleted_while_it_runs_is_told_of_to_who_was_named_when_it_began(
    post: Post, outcome: str, told: str
) -> None:
    def runs() -> JobResult:
        post.sql('DELETE FROM "c_Job"')
        post.sql('DELETE FROM "c_JobAlertRecipient"')  # as its foreign key does in the older database
        if outcome == "fails":
            raise ValueError("no paper")
        return JobResult.ok("9 of 12").with_metadata("FailureCount", 3)

    post.tm.job(display_name="report", retries=0)(runs)
    row_id = post.row("report", NextRunTime=post.ago(0))
    post.sql(
        'INSERT INTO "c_JobAlertRecipient" ("c_JobID", "enmJobAlertType", "OverrideEmailOrPhone", "AddedBy") '
        "VALUES (:id, 'Email ', 'dba@example.com', 'dba')", id=row_id,
    )  # fmt: skip
    rule(post, JobName="report", AlertOnFailure=0, AlertOnSuccess=1, EmailRecipients="boss@example.com")
    post.look()
    post.drain()
    assert post.subjects == [f"{told}: report"]
    assert sorted(post.mailbox.mails[0][1]) == ["boss@example.com"] * (told == "WARNING") + ["dba@example.com"]


def test_the_success_of_a_row_that_is_deleted_while_it_runs_is_told_to_rules(post: Post) -> None:
    def runs() -> str:
        post.sql('DELETE FROM "c_Job"')
        return "12 orders"

    post.tm.job(display_name="report", retries=0)(runs)
    post.row("report", NextRunTime=post.ago(0), SendNotificationOnSuccess=1)
    rule(post, JobName="report", AlertOnSuccess=1, EmailRecipients="boss@example.com")
    post.look()
    post.drain()
    assert [(post.subjects, to) for _, to, _ in post.mailbox.mails] == [(["Succeeded: report"], ["boss@example.com"])]


def test_a_missed_row_is_told_to_who_hears_of_its_failures_by_a_rule(tmp_path: Path, mailbox: Mailbox) -> None:
    post = Post(tmp_path, mailbox, alert_recipients="")
    post.tm.job(display_name="report", retries=0)(lambda: "done")
    rule(post, JobName="report", EmailRecipients="boss@example.com")
    post.row("report", NextRunTime=post.ago(650))
    post.look()
    post.drain()
    assert [(post.subjects, to) for _, to, _ in mailbox.mails] == [(["MISSED: report"], ["boss@example.com"])]
    post.tm.close()


@pytest.mark.parametrize(
    ("kind", "every", "last", "expected"),
    [
        ("Daily", None, "2026-03-01 02:05", "2026-03-02 02:05"),
        ("weekly", None, "2026-03-01 02:05", "2026-03-08 02:05"),
        ("Monthly", None, "2026-01-31 02:05", "2026-02-28 02:05"),
        ("Monthly", None, "2026-12-31 02:05", "2027-01-31 02:05"),
        ("Annually", None, "2024-02-29 02:05", "2025-02-28 02:05"),
        ("CyclicDay", 3, "2026-03-01 02:05", "2026-03-04 02:05"),
        ("CyclicHour", 3, "2026-03-01 02:05", "2026-03-01 05:05"),
        ("CyclicMin", 3, "2026-03-01 02:05", "2026-03-01 02:08"),
        ("CyclicSec", 120, "2026-03-01 02:05", "2026-03-01 02:07"),
        ("CyclicSec", 0, "2026-03-01 02:05", None),
        ("OneOff", None, "2026-03-01 02:05", None),
        ("UD", None, "2026-03-01 02:05", None),
    ],
)
def test_an_external_programs_row_is_expected_one_period_after_its_last_run(
    kind: str, every: int | None, last: str, expected: str | None
) -> None:
    found = following(Rule(kind, None, every), datetime.fromisoformat(last))
    assert found == (None if expected is None else datetime.fromisoformat(expected))

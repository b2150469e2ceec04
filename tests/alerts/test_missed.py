"""A run that began too late is told to who hears of failures; a setting says when: c_JobAlert has no column for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.storage import recurring_past, schema
from tests.alerts.conftest import Rule, change, forget, insert
from tests.alerts.receivers import Mailbox, body_of

HOURLY = {"CronExpression": "0 * * * *", "StoredProcName": "SP_Missing", "IsActive": 1}


def later(tm: TaskManager, hours: float) -> None:
    """Nobody looks for so many hours; then somebody does, and all there is to do is done."""
    tm.testing.drain()
    tm.testing.move_time(timedelta(hours=hours))
    forget(tm)
    tm.testing.drain()


def test_a_row_of_c_job_that_begins_late_is_told_to_who_hears_of_its_failures(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule
) -> None:
    by_flag = insert(alerting, "job", JobName="Report", EmailOnFailure=1, **HOURLY)
    insert(alerting, "job", JobName="Quiet", EmailOnFailure=None, **HOURLY)
    person = {"c_JobID": by_flag, "enmJobAlertType": "email", "AddedBy": "dba"}
    insert(alerting, "recipient", OverrideEmailOrPhone="dba@example.com", **person)
    rule("report", EmailRecipients="boss@example.com")
    later(alerting, 3)
    missed = [(to, mail) for _, to, mail in mailbox.mails if "MISSED" in mail["Subject"]]
    ((to, mail),) = missed
    assert mail["Subject"] == "[staging] MISSED: Report"
    assert sorted(to) == ["boss@example.com", "dba@example.com"], "one message to all"
    assert "Late by: 2:" in body_of(mail) or "Late by: 3:" in body_of(mail)
    assert f"c_job:{by_flag}" in body_of(mail)
    change(alerting, "job", by_flag, NextRun=alerting.database.clock.now() - timedelta(days=9))
    forget(alerting)
    alerting.testing.drain()
    assert sum("MISSED" in subject for subject in mailbox.subjects) == 1, "a NextRun that a person wrote is an order"


@pytest.fixture
def made(tmp_path: Path, mailbox: Mailbox) -> Iterator[Callable[..., TaskManager]]:
    managers = list[TaskManager]()

    def make(**settings: object) -> TaskManager:
        settings |= {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_tls": "off"}
        settings |= {"alert_recipients": "ops@example.com", "doorbell": False}
        managers.append(TaskManager(database_url=f"sqlite:///{tmp_path}/missed.db", **settings))
        schema.upgrade(managers[-1].database.engine, "Hangfire")
        return managers[-1]

    yield make
    for tm in managers:
        tm.close()


@pytest.mark.parametrize(("allowed", "alerts_enabled", "known"), [(900, False, 2), (900, True, 2), (0, True, 0)])
def test_what_was_missed_is_remembered_for_pages_whoever_is_told(
    made: Callable[..., TaskManager], allowed: float, alerts_enabled: bool, known: int
) -> None:
    tm = made(alert_missed_seconds=allowed, alerts_enabled=alerts_enabled)
    tm.recurring("hourly", tm.job(display_name="Hourly")(lambda: "done"), cron="0 * * * *")
    row = insert(tm, "job", JobName="Report", **HOURLY)
    tm.testing.drain()
    tm.testing.move_time(timedelta(hours=3))
    tm.testing.drain()
    found = tm.database.read(lambda tx: recurring_past.load(tx, ["hourly", f"c_job:{row}"]))
    missed = [one.missed for one in found.values() if one.missed is not None]
    assert len(missed) == known
    assert all(one.dealt_with - one.slot > timedelta(hours=1.9) for one in missed)


@pytest.mark.parametrize(("allowed", "on_failure", "told"), [(900, 1, 1), (4 * 3600, 1, 0), (0, 1, 0), (900, 0, 0)])
def test_a_rule_of_c_job_alert_tells_it_of_any_recurring_job_where_it_tells_of_failures(
    made: Callable[..., TaskManager], mailbox: Mailbox,
    allowed: float, on_failure: int, told: int,
) -> None:  # fmt: skip
    tm = made(alert_missed_seconds=allowed)
    insert(tm, "alert", JobName="Hourly", AlertOnFailure=on_failure)
    tm.recurring("hourly", tm.job(display_name="Hourly")(lambda: "done"), cron="0 * * * *")
    later(tm, 3)
    assert mailbox.subjects == ["MISSED: Hourly"] * told


def test_a_rule_in_code_says_itself_how_late_is_too_late(made: Callable[..., TaskManager], mailbox: Mailbox) -> None:
    tm = made()
    options = {"to": "dev@example.com", "missed_by": 5 * 3600}
    tm.recurring("hourly", tm.job(display_name="Hourly", alerts=options)(lambda: "done"), cron="0 * * * *")
    insert(tm, "alert", JobName="Hourly", EmailRecipients="boss@example.com")
    later(tm, 3)
    assert [to for _, to, _ in mailbox.mails] == [["boss@example.com"]]
    later(tm, 7)
    assert sorted(mailbox.mails[1][1]) == ["boss@example.com", "dev@example.com"]

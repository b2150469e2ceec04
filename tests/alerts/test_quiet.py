"""Quiet hours: what is held back in them is one summary at their end, or is only counted."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from taskmanager.domain.alerts import AlertRule
from taskmanager.domain.quiet import Quiet
from taskmanager.storage import alert_limits, quiet_hours
from tests.alerts.conftest import forget
from tests.alerts.receivers import Mailbox, body_of


def boom() -> None:
    raise ValueError("no ink")


def quiet_now(tm: TaskManager, *, drops: bool = False) -> Quiet:
    """Quiet hours that have begun a while ago, and last an hour more."""
    now = tm.database.clock.now().replace(second=0, microsecond=0)
    return Quiet((now - timedelta(hours=2)).time(), (now + timedelta(hours=1)).time(), drops=drops)


def fail(tm: TaskManager) -> None:
    forget(tm)
    tm.enqueue(tm.job(display_name="Printer", retries=0)(boom))
    tm.testing.drain()


def waiting(tm: TaskManager) -> list[int]:
    """The jobs of summaries that are to come."""
    with tm.database.engine.connect() as connection:
        j = tm.database.tables.job.c
        return list(connection.execute(select(j.Id).where(j.StateName == "Scheduled")).scalars())


def test_what_is_held_back_in_quiet_hours_is_one_summary_at_their_end(alerting: TaskManager, mailbox: Mailbox) -> None:
    alerting.alert_rules.save(None, "Printer", AlertRule(to=("ops@b.c",)), quiet_now(alerting))
    for _ in range(3):
        fail(alerting)
    assert mailbox.mails == []
    (one,) = alerting.database.read(lambda tx: alert_limits.standing(tx, [], 9))[1]
    assert one.times == 3
    alerting.testing.move_time(3700)
    alerting.testing.drain()
    assert mailbox.subjects == ["[staging] Held back in quiet hours: Printer"]
    assert mailbox.mails[0][1] == ["ops@b.c"]
    assert body_of(mailbox.mails[0][2]).count("failure: no ink") == 3
    fail(alerting)
    assert mailbox.subjects[1:] == ["[staging] FAILED: Printer"]
    assert "suppressed" not in body_of(mailbox.mails[1][2])


def test_what_is_dropped_is_counted_by_the_next_message(alerting: TaskManager, mailbox: Mailbox) -> None:
    alerting.alert_rules.save(None, "Printer", AlertRule(), quiet_now(alerting, drops=True))
    fail(alerting)
    fail(alerting)
    alerting.testing.move_time(3700)
    alerting.testing.drain()
    assert mailbox.mails == []
    fail(alerting)
    assert "(2 alerts suppressed)" in body_of(mailbox.mails[0][2])


def test_a_summary_that_was_deleted_is_made_up_for_by_the_next(alerting: TaskManager, mailbox: Mailbox) -> None:
    alerting.alert_rules.save(None, "Printer", AlertRule(), quiet_now(alerting))
    fail(alerting)
    alerting.client.delete(waiting(alerting))
    alerting.testing.move_time(86_400)
    fail(alerting)
    fail(alerting)
    assert len(waiting(alerting)) == 1
    alerting.testing.move_time(3700)
    alerting.testing.drain()
    assert mailbox.subjects == ["[staging] Held back in quiet hours: Printer"]
    assert body_of(mailbox.mails[0][2]).count("failure: no ink") == 3


def test_a_summary_that_was_sent_by_hand_is_followed_by_another(alerting: TaskManager, mailbox: Mailbox) -> None:
    alerting.alert_rules.save(None, "Printer", AlertRule(), quiet_now(alerting))
    fail(alerting)
    alerting.client.requeue(waiting(alerting))
    alerting.testing.drain()
    fail(alerting)
    assert len(waiting(alerting)) == 1
    assert len(mailbox.mails) == 1


def test_a_message_that_is_held_again_after_a_lost_answer_has_one_summary(
    alerting: TaskManager, mailbox: Mailbox
) -> None:
    end = alerting.database.clock.now() + timedelta(hours=1)
    first, second = (
        alerting.database.run(lambda tx: quiet_hours.hold(tx, "Printer", 7, "failure", "no ink", end)) for _ in range(2)
    )
    assert (first, second) == (True, False)
    assert alerting.database.run(lambda tx: quiet_hours.take(tx, "Printer", 8))[0] == 1


def test_a_summary_of_nothing_is_not_sent(alerting: TaskManager, mailbox: Mailbox) -> None:
    alerting.alert_rules.save(None, "Printer", AlertRule(), quiet_now(alerting))
    fail(alerting)
    (summary,) = waiting(alerting)
    alerting.database.run(lambda tx: quiet_hours.take(tx, "Printer", 1))
    alerting.client.requeue([summary])
    alerting.testing.drain()
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-07-01 19:59", None),
        ("2026-07-01 20:00", "2026-07-02 04:30"),
        ("2026-07-02 04:29", "2026-07-02 04:30"),
        ("2026-07-02 04:30", None),
        ("2026-12-01 20:30", None),
        ("2026-12-01 21:00", "2026-12-02 05:30"),
        ("2026-10-24 23:00", "2026-10-25 05:30"),
    ],
)
def test_quiet_hours_go_by_the_clock_of_their_zone(now: str, ends: str | None) -> None:
    found = Quiet(time(22), time(6, 30), "Europe/Prague").until(datetime.fromisoformat(now))
    assert found == (None if ends is None else datetime.fromisoformat(ends))


def test_quiet_hours_within_a_day() -> None:
    hours = Quiet(time(12), time(13))
    assert hours.until(datetime(2026, 7, 1, 12, 59)) == datetime(2026, 7, 1, 13)
    assert hours.until(datetime(2026, 7, 1, 13)) is None
    assert hours.until(datetime(2026, 7, 1, 11, 59)) is None

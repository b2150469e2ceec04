"""Conditions of the installation: told once when they come true and once when they are over, whoever judges."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.conditions import Condition, Kind, Look, Standing, judge
from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine.conditions import EVERY, condition_of
from taskmanager.storage import alert_limits, conditions, servers
from taskmanager.storage.alert_marks import ActiveAlert
from taskmanager.tasks.notify import Notifier
from tests.alerts.receivers import Mailbox, body_of


def fine() -> str:
    return "done"


def boom() -> None:
    raise ValueError("no ink")


def make(tm: TaskManager, kind: str, **fields: str) -> Condition:
    """A condition that is judged."""
    made = condition_of({"title": f"About {kind}", "kind": kind} | fields)
    tm.conditions.save(made)
    return made


def look(tm: TaskManager, after: float = EVERY) -> None:
    """The next look, so many seconds later."""
    tm.testing.move_time(after)
    assert tm.conditions.judge()


def active(tm: TaskManager) -> list[ActiveAlert]:
    return tm.database.read(lambda tx: alert_limits.standing(tx, [], 9))[1]


def announce(tm: TaskManager, *queues: str) -> None:
    """A server that gives a sign of life."""
    tm.database.run(lambda tx: servers.announce(tx, "host:1:a", {"Queues": list(queues)}))


def test_a_slow_queue_is_told_once_and_once_that_it_is_over(alerting: TaskManager, mailbox: Mailbox) -> None:
    make(alerting, "latency", seconds="60", queue="mail", to="ops@b.c")
    alerting.enqueue(fine, queue="mail")
    alerting.enqueue(fine, queue="other")
    look(alerting)
    look(alerting, 61)
    look(alerting)
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects == ["[staging] ALERT: About latency"]
    assert mailbox.mails[0][1] == ["ops@b.c"]
    text = body_of(mailbox.mails[0][2])
    assert "queue mail: a job has waited" in text
    assert "queue other" not in text
    (one,) = active(alerting)
    assert (one.name, one.times) == ("condition: About latency", 1)
    alerting.testing.drain(queues=["mail"])
    look(alerting)
    look(alerting)
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects[1:] == ["[staging] Recovered: About latency"]
    assert active(alerting) == []


def test_a_condition_that_is_removed_while_it_is_judged_leaves_no_alert(
    alerting: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(alerting, "latency", seconds="60", queue="mail")
    alerting.enqueue(fine, queue="mail")
    look(alerting)
    removing = threading.Thread(target=alerting.conditions.remove, args=(made.id,))

    def look_slowly(*given: Any) -> Look:
        seen = real(*given)
        if removing.ident is None:
            removing.start()
        removing.join(1.0)  # it waits for us
        return seen

    real = conditions.look
    monkeypatch.setattr(conditions, "look", look_slowly)
    look(alerting, 61)
    removing.join(30)
    assert not removing.is_alive()
    assert (active(alerting), alerting.conditions.all()) == ([], [])


def test_any_queue_is_one_that_is_not_paused(alerting: TaskManager) -> None:
    make(alerting, "latency", seconds="60")
    alerting.enqueue(fine, queue="mail")
    alerting.pause_queue("mail")
    look(alerting, 100)
    assert active(alerting) == []
    alerting.resume_queue("mail")
    look(alerting)
    assert len(active(alerting)) == 1


def test_that_no_server_lives_is_told_by_who_is_no_server(alerting: TaskManager, mailbox: Mailbox) -> None:
    make(alerting, "no_server", seconds="60")
    announce(alerting, "default", "alerts")
    look(alerting)
    for _ in range(4):
        look(alerting)
    assert active(alerting) == [], "it has been silent for so long, and dead for less"
    look(alerting, 40)
    assert len(active(alerting)) == 1
    assert alerting.stand_in is not None
    assert alerting.stand_in.send_waiting() == 1
    assert mailbox.subjects == ["[staging] ALERT: About no_server"]
    assert alerting.stand_in.send_waiting() == 0
    announce(alerting, "default", "alerts")
    look(alerting)
    assert alerting.stand_in.send_waiting() == 0, "there is a server that does"
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects[1:] == ["[staging] Recovered: About no_server"]


def test_what_cannot_be_sent_without_a_server_is_put_back(alerting: TaskManager, mailbox: Mailbox) -> None:
    make(alerting, "no_server", seconds="1")
    look(alerting)
    look(alerting)
    mailbox.refused.add("ops@example.com")
    assert alerting.stand_in is not None
    assert alerting.stand_in.send_waiting() == 0
    mailbox.refused.clear()
    assert alerting.stand_in.send_waiting() == 0, "not at once"
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects == ["[staging] ALERT: About no_server"]


def test_a_message_that_breaks_without_a_server_is_not_lost(
    alerting: TaskManager, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(alerting, "no_server", seconds="1")
    look(alerting)
    look(alerting)

    def broken(*args: Any) -> Any:
        raise KeyError("a fact of a newer release")

    assert alerting.stand_in is not None
    with monkeypatch.context() as patched:
        patched.setattr(Notifier, "sources", broken)
        assert alerting.stand_in.send_waiting() == 0
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects == ["[staging] ALERT: About no_server"]


def test_jobs_that_no_server_takes_are_told(alerting: TaskManager) -> None:
    make(alerting, "unserved", seconds="30")
    announce(alerting, "default")
    alerting.enqueue(fine)
    alerting.enqueue(fine, queue="mail")
    look(alerting)
    announce(alerting, "default")
    look(alerting, 20)
    assert active(alerting) == []
    announce(alerting, "default")
    look(alerting)
    assert len(active(alerting)) == 1
    announce(alerting, "default", "mail")
    look(alerting)
    assert active(alerting) == []


def test_a_rate_of_failures_is_told_of_enough_runs(alerting: TaskManager) -> None:
    make(alerting, "failure_rate", percent="50", runs="4", minutes="10")
    bad = alerting.job(retries=0)(boom)
    look(alerting)
    for count, red in ((3, False), (1, True)):
        for _ in range(count):
            alerting.enqueue(bad)
        alerting.testing.drain(queues=["default"])
        look(alerting)
        assert bool(active(alerting)) == red
    for _ in range(5):
        alerting.enqueue(fine)
    alerting.testing.drain(queues=["default"])
    look(alerting)
    assert active(alerting) == []


def test_a_window_forgets_what_is_behind_it_and_too_few_runs_change_nothing() -> None:
    one = Condition(id="x", title="x", kind=Kind.FAILURE_RATE, percent=50, runs=4, minutes=10)
    standing, good, bad, colours = Standing(), 0, 0, []
    for minute, (more_good, more_bad) in enumerate([(0, 0), (0, 5), *[(0, 0)] * 12, (4, 1), (0, 0), (0, 1)]):
        good, bad = good + more_good, bad + more_bad
        day = "2026-11-29" if minute < 8 else "2026-11-30"
        ended = {day: (good, bad)}
        if minute == 8:
            good, bad = 0, 0
            ended = {"2026-11-29": (0, 5), day: (0, 0)}
        standing = judge(one, standing, Look(60.0 * minute, {}, frozenset(), frozenset(), True, ended)).standing
        colours.append(standing.is_red)
    assert colours == [False, *[True] * 13, False, False, False]
    assert len(standing.samples) <= 60


def test_two_processes_tell_once(alerting: TaskManager, url: str) -> None:
    other = TaskManager(database_url=url, doorbell=False)
    make(alerting, "no_server", seconds="1")
    look(alerting)
    other.testing.move_time(2 * EVERY)
    assert other.conditions.judge()
    assert alerting.conditions.judge()
    assert len(active(alerting)) == 1
    with alerting.database.engine.connect() as connection:
        assert len(connection.execute(alerting.database.tables.job.select()).all()) == 1
    other.close()


def test_a_snoozed_condition_ends_without_a_message(alerting: TaskManager, mailbox: Mailbox) -> None:
    made = make(alerting, "no_server", seconds="1")
    look(alerting)
    look(alerting)
    alerting.testing.drain(queues=["alerts"])
    (one,) = active(alerting)
    until = alerting.database.clock.now().replace(year=2099)
    assert alerting.active_alerts.snooze(one.key, until=until, by="ann")
    announce(alerting, "default", "alerts")
    look(alerting)
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects == ["[staging] ALERT: About no_server"]
    assert active(alerting) == []
    assert alerting.conditions.remove(made.id)
    assert not alerting.conditions.judge(), "nothing is looked at where there is no rule"


def test_a_condition_that_is_removed_takes_its_alert_along(alerting: TaskManager, mailbox: Mailbox) -> None:
    made = make(alerting, "no_server", seconds="1")
    look(alerting)
    look(alerting)
    assert len(active(alerting)) == 1
    assert alerting.conditions.remove(made.id)
    assert active(alerting) == []
    alerting.testing.drain(queues=["alerts"])
    assert mailbox.subjects == [], "no rule asks for it any more"


@pytest.mark.parametrize(
    "wrong",
    [{"title": " "}, {"kind": "weather"}, {"seconds": "0"}, {"seconds": "nan"}, {"runs": "1.5"}, {"to": "nobody"},
     {"slack": "ftp://x"}, {"max_per_hour": "-1"}, {"queue": "q" * 51}],
    ids=str,
)  # fmt: skip
def test_a_wrong_condition_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        condition_of({"title": "x", "kind": "latency"} | wrong)


def test_a_name_is_taken_once(alerting: TaskManager) -> None:
    make(alerting, "latency")
    with pytest.raises(InvalidArgument, match="already"):
        make(alerting, "latency")

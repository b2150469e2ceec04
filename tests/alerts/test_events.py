"""What is told, to whom, and how often: rules from tables and code, on every database."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import ConfigurationError, Filter, TaskManager
from taskmanager.domain.alerts import key_of
from taskmanager.storage import alert_limits, alert_messages, alerts, structures
from taskmanager.tasks import messages
from tests.alerts.conftest import Rule, change, forget, insert, rows
from tests.alerts.receivers import Mailbox, Receiver, body_of


def boom() -> None:
    raise ValueError("no <paper> & no ink")


def bang() -> None:
    raise ValueError("bang")


def fine() -> str:
    return "done"


@pytest.fixture
def drain(alerting: TaskManager) -> Any:
    def drained() -> int:
        forget(alerting)
        return alerting.testing.drain()

    return drained


def messages_of(tm: TaskManager) -> list[Any]:
    """The jobs that send messages."""
    with tm.database.engine.connect() as connection:
        found = connection.execute(tm.database.tables.job.select()).mappings().all()
    return [row for row in found if "taskmanager.tasks.notify" in row["InvocationData"]]


@pytest.mark.one_server
def test_a_final_failure_is_mailed_with_job_environment_and_stack(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Printer", EmailRecipients="a@b.c, d@e.f; not an address")
    alerting.enqueue(alerting.job(display_name="Printer", retries=0)(boom))
    assert drain() == 2, "the job, and the job that tells of it"
    ((sender, recipients, mail),) = mailbox.mails
    assert (sender, recipients) == ("jobs@example.com", ["a@b.c", "d@e.f"])
    assert mail["Subject"] == "[staging] FAILED: Printer"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, page = body_of(mail), body_of(mail, "html")
    assert "no <paper> & no ink" in plain
    assert "Traceback" in plain
    assert "no &lt;paper&gt; &amp; no ink" in page
    assert "<paper>" not in page
    assert rows(alerting, "alert")[0]["LastAlertSent"] is not None
    assert alerting.database.read(lambda tx: alert_limits.lately(tx, 5)) == [messages_of(alerting)[0]["Id"]]


def test_retries_are_not_told_only_their_end_is(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Printer")
    alerting.enqueue(alerting.job(display_name="Printer", retries=2, delays=[0, 60])(boom))
    drain()
    assert mailbox.mails == []
    alerting.testing.move_time(61)
    drain()
    assert mailbox.subjects == ["[staging] FAILED: Printer"]
    assert mailbox.mails[0][1] == ["ops@example.com"], "the default ones, where a rule names nobody"
    assert "Attempts: 3" in body_of(mailbox.mails[0][2])


def test_success_is_told_when_asked_for_and_a_long_run_is(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("fine", AlertOnSuccess=1, AlertOnDurationExceeds=60_000)
    rule("slow", AlertOnDurationExceeds=0)

    def slow() -> None:
        threading.Event().wait(0.01)

    alerting.enqueue(alerting.job(fine))
    alerting.enqueue(alerting.job(display_name="slow")(slow))
    drain()
    assert sorted(mailbox.subjects) == ["[staging] SLOW: slow", "[staging] Succeeded: fine"]


def test_a_run_that_is_told_of_for_several_reasons_is_one_message_to_all_who_hear_of_any(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Moody", EmailRecipients="ops@b.c", AlertOnDurationExceeds=0, MaxAlertsPerHour=4)
    words = ["no paper", None, None]

    def moody() -> None:
        threading.Event().wait(0.01)
        if (word := words.pop(0)) is not None:
            raise ValueError(word)

    job = alerting.job(display_name="Moody", retries=0, alerts={"to": "dev@b.c", "on": ["success"]})(moody)
    for _ in range(3):
        alerting.enqueue(job)
        drain()
    assert mailbox.subjects == [f"[staging] {word}: Moody" for word in ("FAILED", "Recovered", "SLOW")]
    assert [sorted(to) for _, to, _ in mailbox.mails] == [["ops@b.c"], ["dev@b.c", "ops@b.c"], ["dev@b.c", "ops@b.c"]]
    assert "Also: it took longer than its limit" in body_of(mailbox.mails[1][2])
    assert "Also:" not in body_of(mailbox.mails[2][2])
    assert alerting.database.read(alerts.failing) == set()


def test_a_recovery_that_was_told_already_is_still_the_success_that_it_is(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Moody", AlertOnSuccess=1)
    alerting.enqueue(alerting.job(display_name="Moody", retries=0)(boom))
    drain()
    forget(alerting)
    alerting.enqueue(alerting.job(fine, display_name="Moody"))
    alerting.testing.drain(queues=("default",))
    alerting.database.run(lambda tx: structures.remove(tx, alerts.FAILING, list(alerts.failing(tx))))
    drain()
    assert mailbox.subjects == ["[staging] FAILED: Moody", "[staging] Succeeded: Moody"]


def test_ordinary_jobs_make_no_message(alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any) -> None:
    rule("another job", AlertOnSuccess=1)
    alerting.enqueue(alerting.job(fine))
    alerting.enqueue(alerting.job(retries=0)(boom))
    assert drain() == 2
    assert messages_of(alerting) == []


def test_the_first_success_after_a_told_failure_is_a_recovery(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Moody")
    mood = ["bad"]

    def moody() -> None:
        if mood:
            raise ValueError(mood.pop())

    job = alerting.job(display_name="Moody", retries=0)(moody)
    for _ in range(3):
        alerting.enqueue(job)
        drain()
    assert mailbox.subjects == ["[staging] FAILED: Moody", "[staging] Recovered: Moody"]
    assert alerting.database.read(alerts.failing) == set()


def test_nothing_is_sent_of_a_snoozed_alert_until_its_end_and_what_was_held_back_is_counted(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Moody")
    mood = ["bad"] * 4

    def moody() -> None:
        if mood:
            raise ValueError(mood.pop())

    def run() -> list[str]:
        alerting.enqueue(job)
        drain()
        return [subject.removeprefix("[staging] ") for subject in mailbox.subjects]

    job = alerting.job(display_name="Moody", retries=0)(moody)
    assert run() == ["FAILED: Moody"]
    key = key_of("Moody").removeprefix("alerts:")
    until = alerting.database.clock.now() + timedelta(minutes=30)
    assert alerting.active_alerts.snooze(key, until=until, by="ann")
    assert run() == run() == ["FAILED: Moody"]
    (one,) = alerting.database.read(lambda tx: alert_limits.standing(tx, [], 9))[1]
    assert one.times == 3
    assert "snoozed until" in alerting.get(messages_of(alerting)[-1]["Id"]).result
    alerting.testing.move_time(31 * 60)
    assert run() == ["FAILED: Moody"] * 2
    assert "(2 alerts suppressed)" in body_of(mailbox.mails[-1][2])
    assert alerting.active_alerts.acknowledge(key, by="ann")
    later = alerting.database.clock.now() + timedelta(days=1)
    assert alerting.active_alerts.snooze(key, until=later, by="ann")
    assert run() == ["FAILED: Moody"] * 2, "it is over, and nobody was to hear of it"
    assert alerting.database.read(lambda tx: alert_limits.standing(tx, [], 9))[1] == []
    mood.append("worse")
    assert run() == ["FAILED: Moody"] * 3, "a new alert is not snoozed"
    assert not alerting.active_alerts.wake("0" * 32)


def test_the_first_success_ends_an_alert_of_which_no_rule_tells_a_recovery(
    alerting: TaskManager, mailbox: Mailbox, drain: Any
) -> None:
    mood = ["bad"]

    def moody() -> None:
        if mood:
            raise ValueError(mood.pop())

    job = alerting.job(display_name="Moody", retries=0, alerts={"on": ["failure"]})(moody)
    for expected in (1, 0):
        alerting.enqueue(job)
        drain()
        assert len(alerting.database.read(alerts.failing)) == expected
    assert mailbox.subjects == ["[staging] FAILED: Moody"]


def test_each_try_to_send_a_message_is_remembered(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Printer", MaxAlertsPerHour=1)
    job = alerting.job(display_name="Printer", retries=0)(boom)
    mailbox.answer = "451 try again later"
    alerting.enqueue(job)
    drain()
    mailbox.answer = ""
    alerting.testing.move_time(60)
    drain()
    alerting.enqueue(job)
    drain()
    found, _ = alerting.database.read(lambda tx: alert_messages.page(tx, 9))
    assert [(one.about, one.event, one.outcome) for one in found] == [
        ("Printer", "failure", outcome) for outcome in ("held", "sent", "failed")
    ]
    assert {one.job_id for one in found} == {row["Id"] for row in messages_of(alerting)}
    assert "451" in found[2].told
    assert found[1].told == "email to ops@example.com"
    assert found[0].told == "held back: 1 alerts were sent within the hour"


def test_more_than_the_limit_are_held_back_and_the_next_message_counts_them(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Printer", MaxAlertsPerHour=2)
    job = alerting.job(display_name="Printer", retries=0)(boom)
    for _ in range(5):
        alerting.enqueue(job)
    drain()
    assert len(mailbox.mails) == 2
    alerting.testing.move_time(timedelta(minutes=61))
    alerting.enqueue(job)
    drain()
    assert len(mailbox.mails) == 3
    assert "(3 alerts suppressed)" in body_of(mailbox.mails[2][2])
    assert messages.compose({"event": "failure"}, suppressed=1).note == "(1 alert suppressed)"
    alerting.enqueue(job)
    drain()
    assert "suppressed" not in body_of(mailbox.mails[3][2])


def test_a_limit_of_none_is_no_limit_and_of_nought_is_silence(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Silent", MaxAlertsPerHour=0)
    rule("Loud", MaxAlertsPerHour=None)
    for job in (
        alerting.job(display_name="Silent", retries=0)(boom),
        alerting.job(retries=0, display_name="Loud")(bang),
    ):
        for _ in range(3):
            alerting.enqueue(job)
    drain()
    assert mailbox.subjects == ["[staging] FAILED: Loud"] * 3


def test_servers_share_one_limit(alerting: TaskManager) -> None:
    places: list[int | None] = []

    def take(job_id: int) -> None:
        places.append(alerting.database.run(lambda tx: alert_limits.reserve(tx, "Printer", job_id, 3)))

    threads = [threading.Thread(target=take, args=(job_id,)) for job_id in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(p is None for p in places) == [False] * 3 + [True] * 5
    assert alerting.database.read(lambda tx: alert_limits.counts(tx, "PRINTER ")) == (3, 5)


def test_who_asks_again_for_one_message_takes_no_second_place(alerting: TaskManager) -> None:
    def take(job_id: int) -> int | None:
        return alerting.database.run(lambda tx: alert_limits.reserve(tx, "Printer", job_id, 1))

    assert [take(1), take(1), take(2), take(2)] == [0, 0, None, None]
    assert alerting.database.read(lambda tx: alert_limits.counts(tx, "Printer")) == (1, 1)


def fail_row(tm: TaskManager, **columns: Any) -> int:
    """A row of c_Job that is due and fails."""
    row = {"JobName": "Report", "CronExpression": "0 2 * * *", "StoredProcName": "SP_Missing", "IsActive": 1}
    row_id = insert(tm, "job", **(row | columns))
    assert tm.legacy_jobs is not None
    tm.trigger(f"c_job:{row_id}")
    return row_id


def test_a_failed_row_of_c_job_is_mailed_to_its_recipients(alerting: TaskManager, mailbox: Mailbox, drain: Any) -> None:
    row_id = fail_row(alerting, EmailOnFailure=1)
    person = {"c_JobID": row_id, "AddedBy": "dba"}
    insert(alerting, "recipient", enmJobAlertType="Email", OverrideEmailOrPhone="dba@example.com", **person)
    insert(alerting, "recipient", enmJobAlertType="SMS", OverrideEmailOrPhone="sms@example.com", **person)
    drain()
    ((_, recipients, mail),) = mailbox.mails
    assert recipients == ["dba@example.com"]
    assert mail["Subject"] == "[staging] FAILED: Report"
    assert "Procedure: SP_Missing" in body_of(mail)
    assert "\nFunction: " not in body_of(mail)


def test_email_on_failure_and_a_rule_for_one_failure_are_one_mail_to_all(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    row_id = fail_row(alerting, EmailOnFailure=1)
    insert(
        alerting, "recipient", c_JobID=row_id, enmJobAlertType="email", OverrideEmailOrPhone="DBA@example.com",
        AddedBy="dba",
    )  # fmt: skip
    rule("REPORT ", EmailRecipients="dba@example.com,boss@example.com", MaxAlertsPerHour=1)
    drain()
    ((_, recipients, _),) = mailbox.mails
    assert sorted(r.lower() for r in recipients) == ["boss@example.com", "dba@example.com"]
    alerting.trigger(f"c_job:{row_id}")
    drain()
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(("name", "told"), [("due", 1), ("triggered", 1), ("quiet", 0)])
def test_a_row_that_is_deleted_before_its_failure_is_written_is_mailed_to_who_was_named_when_it_began(
    alerting: TaskManager, mailbox: Mailbox, drain: Any, name: str, told: int
) -> None:
    class Deletes(Filter):
        """Somebody deletes the rows when their first run has begun."""

        def performing(self, context: Any) -> None:
            for table in ("recipient", "job"):
                with alerting.database.engine.begin() as connection:
                    connection.execute(getattr(alerting.database.tables.legacy, table).delete())

    row = {"JobName": name, "CronExpression": "0 2 * * *", "StoredProcName": "SP_Missing", "IsActive": 1}
    due = alerting.database.read(lambda tx: tx.clock.local_now()) - timedelta(minutes=1)
    row_id = insert(alerting, "job", **row, EmailOnFailure=told, NextRun=due if name == "due" else None)
    to = {"enmJobAlertType": "email", "OverrideEmailOrPhone": "dba@example.com", "AddedBy": "dba"}
    insert(alerting, "recipient", c_JobID=row_id, **to)
    if name != "due":
        alerting.trigger(f"c_job:{row_id}")
    alerting.filters.add(Deletes())
    drain()
    assert [row["JobName"] for row in rows(alerting, "logged") if not row["Success"]] == [name], "it is in the history"
    assert mailbox.subjects == [f"[staging] FAILED: {name}"] * told
    assert [to for _, to, _ in mailbox.mails] == [["dba@example.com"]] * told


def test_while_a_row_is_there_what_it_says_now_counts(alerting: TaskManager, mailbox: Mailbox, drain: Any) -> None:
    row_id = fail_row(alerting, EmailOnFailure=1)
    change(alerting, "job", row_id, EmailOnFailure=0)
    drain()
    assert mailbox.mails == []


def test_without_email_on_failure_a_row_tells_nobody(alerting: TaskManager, mailbox: Mailbox, drain: Any) -> None:
    fail_row(alerting, EmailOnFailure=None)
    drain()
    assert messages_of(alerting) == []


@pytest.mark.one_server
def test_rules_in_code_name_recipients_and_channels(
    alerting: TaskManager, mailbox: Mailbox, receiver: Receiver, drain: Any
) -> None:
    options = {"to": "dev@example.com", "slack": receiver.url("/slack"), "on": ["failure", "success"]}
    alerting.enqueue(alerting.job(alerts=options)(fine))
    alerting.enqueue(alerting.job(alerts=True, retries=0)(boom))
    drain()
    assert sorted(recipients for _, recipients, _ in mailbox.mails) == [["dev@example.com"], ["ops@example.com"]]
    ((path, payload),) = receiver.calls
    assert path == "/slack"
    assert payload["blocks"][0]["text"]["text"].endswith("[staging] Succeeded: fine")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"too": "a@b.c"}, "there is no 'too' in it"),
        ({"to": "nobody"}, "recipients are mail addresses"),
        ({"on": ["fire"]}, "on is a list of failure, success, recovery"),
        ({"slack": "hooks.slack.com/SECRET"}, "slack is the URL"),
        ({"max_per_hour": -1}, "max_per_hour"),
        ({"longer_than": "1 h"}, "longer_than is seconds"),
        ({"urls": "pover-SECRET"}, "urls is a list"),
    ],
)
def test_a_wrong_option_is_told_where_it_is_written(value: Any, text: str) -> None:
    from taskmanager import job

    with pytest.raises(ConfigurationError, match=text) as caught:
        job(alerts=value)(fine)
    assert "SECRET" not in str(caught.value)


def test_a_missed_slot_is_told(alerting: TaskManager, mailbox: Mailbox, drain: Any) -> None:
    job = alerting.job(display_name="Hourly", alerts={"missed_by": 300})(fine)
    alerting.recurring("hourly", job, cron="0 * * * *")
    drain()
    alerting.testing.move_time(timedelta(hours=3))
    drain()
    ((_, _, mail),) = mailbox.mails
    assert mail["Subject"] == "[staging] MISSED: Hourly"
    assert "Late by: " in body_of(mail)
    drain()
    assert len(mailbox.mails) == 1


def test_a_job_that_killed_its_processes_is_told(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    from taskmanager.storage import jobs
    from taskmanager.storage.servers import DEATHS

    rule("Printer")
    job_id = alerting.enqueue(alerting.job(display_name="Printer")(boom))
    alerting.database.run(lambda tx: jobs.set_parameters(tx, {(job_id, DEATHS): "3"}))
    drain()
    assert mailbox.subjects == ["[staging] FAILED: Printer"]
    assert "3 worker processes died" in body_of(mailbox.mails[0][2])


@pytest.mark.one_server
def test_a_message_that_cannot_be_sent_fails_nothing_and_tells_nobody_of_itself(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule, drain: Any
) -> None:
    rule("Printer")
    rule("Alert")
    rule("notify")
    mailbox.answer = "554 no"
    job_id = alerting.enqueue(alerting.job(display_name="Printer", retries=0)(boom))
    drain()
    assert alerting.get(job_id).state == "Failed"
    (message,) = messages_of(alerting)
    assert message["StateName"] == "Failed"
    assert alerting.database.read(alerts.failing) == set(), "nobody was told of it"
    assert rows(alerting, "alert")[0]["LastAlertSent"] is None


@pytest.mark.one_server
def test_a_message_is_sent_again_only_to_those_whom_it_did_not_reach(
    alerting: TaskManager, mailbox: Mailbox, receiver: Receiver, rule: Rule, drain: Any
) -> None:
    rule("Printer", EmailRecipients="a@b.c", SlackWebhook=receiver.url(), MaxAlertsPerHour=1)
    receiver.statuses = [503]
    alerting.enqueue(alerting.job(display_name="Printer", retries=0)(boom))
    drain()
    assert (len(mailbox.mails), len(receiver.calls)) == (1, 1)
    alerting.testing.move_time(30)
    drain()
    assert (len(mailbox.mails), len(receiver.calls)) == (1, 2)
    assert [row["StateName"] for row in messages_of(alerting)] == ["Succeeded"]


@pytest.mark.one_server
def test_no_secret_is_in_arguments_history_or_log(
    alerting: TaskManager, receiver: Receiver, rule: Rule, drain: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    rule("Printer", SlackWebhook=receiver.url("/services/T0/SECRET"), TeamsWebhook="https://x.invalid/SECRET")
    receiver.status = 404
    alerting.enqueue(alerting.job(display_name="Printer", retries=0)(boom))
    drain()
    (message,) = messages_of(alerting)
    told = json.dumps([[s.data, s.reason] for s in alerting.get(message["Id"]).history], default=dict)
    assert "SECRET" not in message["Arguments"] + told + repr(rows(alerting, "logged")) + caplog.text
    assert receiver.calls, "the message was tried"


def test_rules_that_cannot_be_read_cost_no_outcome(
    alerting: TaskManager, drain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taskmanager.domain.errors import StorageError

    def broken(tx: Any) -> Any:
        raise StorageError("no such table: c_JobAlert")

    monkeypatch.setattr(alerts, "load_all", broken)
    job_id = alerting.enqueue(alerting.job(retries=0)(boom))
    drain()
    assert alerting.get(job_id).state == "Failed"


def test_alerts_can_be_switched_off(url: str, mailbox: Mailbox) -> None:
    tm = TaskManager(
        database_url=url, doorbell=False, smtp_host="127.0.0.1", smtp_port=mailbox.port, alerts_enabled=False,
        alert_recipients="ops@example.com",
    )  # fmt: skip
    insert(tm, "alert", JobName="boom")
    tm.enqueue(tm.job(retries=0)(boom))
    assert tm.testing.drain() == 1
    assert tm.settings.worked_queues == ("default",)
    tm.close()


@pytest.mark.one_server
def test_workers_send_messages_without_being_told(alerting: TaskManager, mailbox: Mailbox, rule: Rule) -> None:
    rule("Printer")
    server = alerting.server()
    server.start()
    try:
        alerting.enqueue(alerting.job(display_name="Printer", retries=0)(boom))
        deadline = threading.Event()
        for _ in range(100):
            if mailbox.mails or deadline.wait(0.05):
                break
    finally:
        server.stop(grace=1.0)
    assert mailbox.subjects == ["[staging] FAILED: Printer"]
    assert alerting.settings.worked_queues == ("default", "alerts")


@pytest.mark.one_server
def test_a_mail_server_that_hangs_holds_up_no_job_and_busy_threads_hold_up_no_message(
    alerting: TaskManager, mailbox: Mailbox, rule: Rule
) -> None:
    if not alerting.database.is_embedded:
        pytest.skip("it depends on no product")
    tm, gate = TaskManager(alerting.settings, database=alerting.database, threads=1), threading.Event()
    rule("Printer")
    fails = tm.job(display_name="Printer", retries=0)(boom)
    good = tm.job(retries=0)(fine)
    server = tm.server()
    server.start()
    try:
        tm.enqueue(fails)
        tm.enqueue(tm.job(retries=0)(lambda: gate.wait(30)))
        waited_for(lambda: len(mailbox.mails) == 1)
        assert not gate.is_set(), "it went out while the one thread was busy"
        mailbox.hangs = True
        gate.set()
        for _ in range(3):
            tm.enqueue(fails)
        waited_for(lambda: mailbox.waiting == 2)
        assert tm.wait(tm.enqueue(good), timeout=10) == "done"
    finally:
        gate.set()
        mailbox.hangs = False
        waited_for(lambda: len(mailbox.mails) == 4)
        server.stop(grace=1.0)


def waited_for(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""`taskmanager alerts list` and `alerts test JOB`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from taskmanager import TaskManager
from taskmanager.cli import main
from tests.alerts.conftest import insert
from tests.alerts.receivers import Mailbox, Receiver, body_of

JOBS = """
from taskmanager import job

@job(display_name="Printer", alerts={"to": "dev@example.com", "slack": "https://hooks.slack.example/SECRET"})
def printing() -> None: ...

@job
def quiet() -> None: ...

@job(alerts=True)
def lonely() -> None: ...
"""

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> Iterator[Cli]:
    (tmp_path / "alertjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/cli.db", "DISCOVER": "alertjobs", "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox.port), "SMTP_TLS": "off", "ENVIRONMENT": "staging", "ALERT_ALLOW_HTTP": "1",
        "ALERT_ALLOW_PRIVATE": "1",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"TASKMANAGER_{name}", value)
    CliRunner().invoke(main, ["db", "upgrade"])
    yield lambda *arguments: CliRunner().invoke(main, list(arguments))
    sys.modules.pop("alertjobs", None)


@pytest.fixture
def own(cli: Cli) -> Iterator[TaskManager]:
    made = TaskManager(doorbell=False)
    yield made
    made.close()


def test_the_rules_of_all_sources_are_listed_without_secrets(cli: Cli, own: TaskManager) -> None:
    insert(own, "alert", JobName="Report", TeamsWebhook="https://teams.example/SECRET", MaxAlertsPerHour=5)
    row_id = insert(own, "job", JobName="Sales", EmailOnFailure=1)
    result = cli("alerts", "list", "--json")
    found = {row["source"]: row for row in json.loads(result.stdout)}
    assert "SECRET" not in result.output + cli("alerts", "list").output
    assert found["c_JobAlert"]["to"] == "teams at teams.example"
    assert (found["c_JobAlert"]["max_per_hour"], found["c_JobAlert"]["sent_this_hour"]) == (5, 0)
    assert (found[f"c_job:{row_id}"]["job"], found[f"c_job:{row_id}"]["on"]) == ("Sales", "failure, missed (900 s)")
    assert found["code"]["to"] == "dev@example.com, slack at hooks.slack.example"


def test_a_test_goes_to_all_whom_the_rules_name(
    cli: Cli, own: TaskManager, mailbox: Mailbox, receiver: Receiver
) -> None:
    insert(own, "alert", JobName="Sales", EmailRecipients="a@b.c", SlackWebhook=receiver.url("/SECRET"))
    row_id = insert(own, "job", JobName="Sales", EmailOnFailure=1, CronExpression="0 2 * * *", IsActive=1)
    insert(own, "recipient", c_JobID=row_id, enmJobAlertType="email", OverrideEmailOrPhone="d@e.f", AddedBy="dba")
    result = cli("alerts", "test", "sales")
    assert result.exit_code == 0, result.output
    ((_, recipients, mail),) = mailbox.mails
    assert recipients == ["a@b.c", "d@e.f"]
    assert mail["Subject"] == "[staging] Test: Sales"
    assert "This is a test" in body_of(mail)
    assert len(receiver.calls) == 1
    assert "SECRET" not in result.output


def test_a_recurring_job_is_told_of_by_the_rule_of_the_function_it_calls(
    cli: Cli, own: TaskManager, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.discover()
    own.recurring("nightly print", own.registry.find("Printer").name, cron="0 2 * * *")
    cli("alerts", "test", "nightly print")
    ((_, recipients, mail),) = mailbox.mails
    assert (recipients, mail["Subject"]) == (["dev@example.com"], "[staging] Test: Printer")
    monkeypatch.setenv("TASKMANAGER_DISCOVER", "")
    told = cli("alerts", "test", "nightly print").output
    assert "no rule says who is told of 'nightly print'; its code, alertjobs:printing, is not known here" in told


def test_addresses_have_names_and_what_is_none_is_told(cli: Cli, own: TaskManager, mailbox: Mailbox) -> None:
    insert(own, "alert", JobName="Sales", EmailRecipients='"Doe, Jane" <jane@b.c>; dana, d@e.f')
    result = cli("alerts", "test", "sales")
    ((_, recipients, _),) = mailbox.mails
    assert recipients == ["jane@b.c", "d@e.f"]
    assert result.exit_code == 1
    assert "EmailRecipients: 'dana' is no mail address" in result.output
    assert "jane@b.c, d@e.f; no address: dana" in cli("alerts", "list").output


def test_a_channel_that_fails_is_told_and_is_exit_code_1(cli: Cli, mailbox: Mailbox) -> None:
    result = cli("alerts", "test", "Printer")
    assert result.exit_code == 1
    assert "email to dev@example.com" in result.output
    assert "slack at hooks.slack.example: the name hooks.slack.example cannot be resolved" in result.output
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ("quiet", "no rule says who is told"), ("nothing", "no job, recurring job"),
        ("lonely", "name nobody, and alert_recipients is empty"),
    ],
)  # fmt: skip
def test_a_job_of_which_nobody_is_told_is_an_error(cli: Cli, job: str, text: str) -> None:
    result = cli("alerts", "test", job)
    assert result.exit_code == 1
    assert text in result.output


def test_without_a_mail_server_that_is_told_once(cli: Cli, own: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    insert(own, "alert", JobName="quiet", EmailRecipients="a@b.c")
    monkeypatch.delenv("TASKMANAGER_SMTP_HOST")
    result = cli("alerts", "test", "quiet")
    assert (result.exit_code, result.output) == (1, "error: nothing mailed: smtp_host is not set\n")

"""The page of alerts: rules are written, tried and removed; webhooks are never shown; everything is audited."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, key_of
from taskmanager.storage import alert_limits, alert_marks, alert_messages, alerts, audit, quiet_hours
from taskmanager.storage.audit import Sought
from tests.targcc.test_shapes import OLDER_JOB, OLDER_LOGGED, made
from tests.webui.conftest import USERS, Browser
from tests.webui.sample import fill
from webui import create_app

HOOK = "https://hooks.slack.example/services/T0/SECRET"
FORM = {"name": "Nightly", "on_failure": "1", "to": "a@b.c, d@e.f", "slack": HOOK, "max_per_hour": "3"}


def rules(tm: TaskManager) -> list[alerts.AlertRow]:
    return tm.database.read(alerts.load_all)


@pytest.mark.each_engine
def test_a_rule_is_made_edited_and_removed(tm: TaskManager, ann: Browser) -> None:
    assert ann.post("/hangfire/alerts/rules", FORM).status_code == 303
    (made,) = rules(tm)
    assert (made.name, made.rule.to, made.rule.slack) == ("Nightly", ("a@b.c", "d@e.f"), HOOK)
    assert (made.rule.max_per_hour, made.rule.longer_than_ms) == (3, None)
    for path in ("alerts", f"alerts/rules/{made.id}", "audit"):
        page = ann.get(f"/hangfire/{path}").text
        assert "SECRET" not in page, path
        assert "hooks.slack.example" in page, path
    changed = FORM | {"slack": "", "on_success": "1", "longer_than_ms": "500", "to": ""}
    assert ann.post(f"/hangfire/alerts/rules/{made.id}", changed).status_code == 303
    (edited,) = rules(tm)
    assert (edited.rule.slack, edited.rule.to, edited.rule.longer_than_ms) == (HOOK, (), 500)
    assert "success" in edited.rule.on
    ann.post(f"/hangfire/alerts/rules/{made.id}", changed | {"slack": "-"})
    assert rules(tm)[0].rule.slack is None
    assert ann.post(f"/hangfire/alerts/rules/{made.id}/remove").status_code == 303
    assert rules(tm) == []
    found, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="alert"), limit=9))
    assert [(row.action, row.target, row.outcome) for row in found] == [("alerts.edit", "Nightly", "done")] * 4
    assert "a@b.c" in (found[2].before or "")


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"to": "nobody"}, {"slack": "ftp://x"}, {"max_per_hour": "-1"}, {"longer_than_ms": "1e3"},
     {"name": "n" * 101}, {"teams": "https://" + "x" * 500}],
    ids=str,
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_its_reason_and_keeps_what_was_typed(
    tm: TaskManager, ann: Browser, wrong: dict[str, Any]
) -> None:
    answer = ann.post("/hangfire/alerts/rules", FORM | wrong, Accept="text/html")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "a@b.c" in answer.text or "to" in wrong
    assert rules(tm) == []


def test_a_second_rule_for_a_name_is_refused(tm: TaskManager, ann: Browser) -> None:
    ann.post("/hangfire/alerts/rules", FORM)
    assert ann.post("/hangfire/alerts/rules", FORM, Accept="text/html").status_code == 422
    assert len(rules(tm)) == 1
    assert ann.post("/hangfire/alerts/rules/999", FORM).status_code == 404


def test_the_test_button_tells_what_went_out(tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ann.post("/hangfire/alerts/rules", FORM)
    sent: list[str] = []
    monkeypatch.setattr("taskmanager.tasks.webhooks.post", lambda url, body, bounds: sent.append(url))
    ann.post(f"/hangfire/alerts/rules/{rules(tm)[0].id}/test")
    assert sent == [HOOK]
    page = ann.get("/hangfire/alerts").text
    assert "Sent: slack at hooks.slack.example" in page
    assert "Not sent: nothing mailed: smtp_host is not set" in page
    assert tm.database.read(lambda tx: alert_limits.counts(tx, "Nightly")) == (0, 0)


@pytest.mark.parametrize("made", [(), ("rules",), ("conditions",), ("rules", "conditions")])
def test_the_page_takes_at_most_eight_statements_whatever_rules_there_are(
    tm: TaskManager, app: Any, ann: Browser, statements: Callable[[], list[str]], made: tuple[str, ...]
) -> None:
    fill(tm)
    for kind in made:
        ann.post(f"/hangfire/alerts/{kind}", FORM | CONDITION)
    for is_active in (False, True):
        if is_active:
            failing(tm, "Nightly")
        ann.get("/hangfire/health")
        app.config["SNAPSHOTS"]._tried = -1e9
        statements()
        ann.get("/hangfire/alerts")
        assert len(statements()) <= 8, is_active


@pytest.mark.each_engine
def test_messages_are_listed_page_by_page_the_newest_first(tm: TaskManager, ann: Browser) -> None:
    later = tm.enqueue(len, "x", delay=600)
    gone = 999_999
    for number, (job_id, outcome) in enumerate([(gone, "sent")] * 25 + [(later, "failed"), (gone, "held")]):
        told = f"told <{number}>"
        tm.database.run(lambda tx, j=job_id, o=outcome, t=told: alert_messages.add(tx, j, "failure", "Nightly", o, t))  # type: ignore[misc]
    page = ann.get("/hangfire/alerts?tab=sent&count=20").text
    places = [page.index(f"told &lt;{number}&gt;") for number in range(26, 6, -1)]
    assert places == sorted(places)
    assert "told &lt;6&gt;" not in page
    assert page.count(f"/jobs/details/{later}") == 1
    assert "/jobs/details/999999" not in page
    found = re.search(r'rel="next"[^>]*href="([^"]+)"', page)
    assert found is not None
    page = ann.get(unescape(found[1])).text
    assert "told &lt;6&gt;" in page
    assert "told &lt;7&gt;" not in page
    assert 'rel="next"' not in page
    assert "told &lt;0&gt;" in page


def test_who_may_only_look_sees_the_rules_and_no_buttons(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    ann.post("/hangfire/alerts/rules", FORM)
    page = eve.get("/hangfire/alerts").text
    assert "Nightly" in page
    assert "/alerts/rules" not in page
    assert eve.get("/hangfire/alerts/rules/1").status_code == 403


def test_rows_of_the_older_c_job_are_named_by_the_columns_of_that_table(
    tmp_path: Path, statements: Callable[[], list[str]]
) -> None:
    defaults = '"Group" text, "SettingName" text, "spt_SettingValue" text'
    tm = made(tmp_path, c_Job=OLDER_JOB, c_LoggedJob=OLDER_LOGGED, c_SystemDefault=defaults)
    recipient = '"c_JobID", "enmJobAlertType", "OverrideName", "OverrideEmailOrPhone", "AddedBy", "AddedOn"'
    for sql in (
        'INSERT INTO "c_Job" ("lkpJob", "SendNotificationOnSuccess") VALUES (\'mnTM_A\', 1), (\'mnTM_B\', 0)',
        f"INSERT INTO \"c_JobAlertRecipient\" ({recipient}) VALUES (1, 'email', 'x', 'a@b.c', 'dba', '2026-01-01')",
        "INSERT INTO \"c_SystemDefault\" VALUES (1, 'Config', 'ProblemMailTo', 'ops@example.com')",
    ):
        with tm.database.engine.begin() as connection:
            connection.exec_driver_sql(sql)
    browser = Browser(create_app(tm, users=USERS))
    browser.get("/hangfire/health")
    statements()
    page = browser.get("/hangfire/alerts").text
    assert len(statements()) <= 8
    assert "c_job:1 · c_JobAlertRecipient, SendNotificationOnSuccess" in page
    assert "All other rows of c_Job" in page
    assert "EmailOnFailure" not in page
    assert "mnTM_B" not in page
    tm.close()


@pytest.mark.each_engine
def test_what_failed_is_active_until_it_goes_well_and_rules_are_suggested(tm: TaskManager, ann: Browser) -> None:
    assert "No alert is active." in ann.get("/hangfire/alerts").text
    fill(tm)
    assert 'href="/hangfire/alerts/rules/new?name=Send+invoice"' in ann.get("/hangfire/alerts").text.replace("%20", "+")
    assert 'value="Send invoice"' in ann.get("/hangfire/alerts/rules/new?name=Send+invoice").text
    tm.alert_rules.save(None, "Send invoice", AlertRule(to=("ops@example.org",)))
    at = tm.database.clock.now()
    tm.database.run(lambda tx: alert_marks.failed(tx, "Send invoice", at, 1, is_told=True))
    page = ann.get("/hangfire/alerts").text
    active = page.partition('id="h-active"')[2].partition("</section>")[0]
    assert "Send invoice" in active
    assert times.to_iso(at)[:19] in active
    assert "/hangfire/history?job=Send" in active
    assert "Jobs that failed of late" not in page


def failing(tm: TaskManager, name: str, job_id: int = 1) -> str:
    """An alert that is active; its key."""
    at = tm.database.clock.now()
    tm.database.run(lambda tx: alert_marks.failed(tx, name, at, job_id, is_told=True))
    return key_of(name).removeprefix("alerts:")


def count(browser: Browser) -> int:
    return int(browser.get("/hangfire/stats").json["counts"]["alerts"]["value"])


def active(tm: TaskManager) -> list[alert_marks.ActiveAlert]:
    return tm.database.read(lambda tx: alert_limits.standing(tx, [], 9))[1]


@pytest.mark.each_engine
def test_an_active_alert_is_acknowledged_until_it_is_over_and_the_bar_counts_the_others(
    tm: TaskManager, ann: Browser, eve: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.snapshots._FRESH_SECONDS", 0.0)
    key, _ = failing(tm, "Nightly"), failing(tm, "Daily")
    failing(tm, "Nightly", 2)
    assert count(ann) == 2
    page = ann.get("/hangfire/alerts").text
    assert "2 failures" in page
    assert page.count('data-hotkey="a"') == 1
    assert ann.post(f"/hangfire/alerts/active/{key}/acknowledge", {"note": "Bob looks <b>"}).status_code == 303
    assert count(ann) == 1
    page = eve.get("/hangfire/alerts").text
    assert "Bob looks &lt;b&gt;" in page
    assert "by ann" in page
    assert "/acknowledge" not in page
    assert eve.post(f"/hangfire/alerts/active/{key}/acknowledge").status_code == 403
    assert tm.database.run(lambda tx: alert_limits.recover(tx, "Nightly", tm.database.clock.now(), 3))
    assert [one.name for one in active(tm)] == ["Daily"]
    assert count(ann) == 1
    failing(tm, "Nightly", 4)
    again = next(one for one in active(tm) if one.name == "Nightly")
    assert (again.times, again.acknowledged) == (1, None)
    found, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="alert"), limit=9))
    assert [(one.action, one.target, one.outcome) for one in found if one.user == "ann"] == [
        ("alerts.edit", "Nightly", "done")
    ]


@pytest.mark.each_engine
def test_an_alert_is_snoozed_until_a_moment_and_told_of_again(tm: TaskManager, ann: Browser) -> None:
    key = failing(tm, "Nightly")
    address = f"/hangfire/alerts/active/{key}"
    for wrong in ("", "2020-01-01T00:00", "soon"):
        ann.post(f"{address}/snooze", {"until": wrong})
        assert active(tm)[0].snoozed is None
    ann.post(f"{address}/snooze", {"until": "2099-01-01T08:00", "note": "known"})
    (one,) = active(tm)
    assert one.snoozed is not None
    assert (one.snoozed.by, one.snoozed.note, str(one.snoozed.until)) == ("ann", "known", "2099-01-01 08:00:00")
    assert "2099-01-01 08:00:00 UTC" in ann.get("/hangfire/alerts").text
    ann.post(f"{address}/wake")
    assert active(tm)[0].snoozed is None
    tm.database.run(lambda tx: alert_marks.over(tx, f"alerts:{key}"))
    ann.post(f"{address}/acknowledge")
    assert "That alert is over." in ann.get("/hangfire/alerts").text


def test_a_rule_that_is_removed_or_renamed_leaves_no_alert_behind(tm: TaskManager, ann: Browser) -> None:
    ann.post("/hangfire/alerts/rules", FORM)
    failing(tm, "Nightly")
    ann.post(f"/hangfire/alerts/rules/{rules(tm)[0].id}", FORM | {"name": "Daily"})
    assert active(tm) == []
    failing(tm, "Daily")
    ann.post(f"/hangfire/alerts/rules/{rules(tm)[0].id}/remove")
    assert active(tm) == []


CONDITION = {"title": "Mail is slow", "kind": "latency", "queue": "mail", "seconds": "90", "to": "a@b.c", "slack": HOOK}


def test_a_rule_about_the_installation_is_made_tried_edited_and_removed(
    tm: TaskManager, ann: Browser, eve: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ann.get("/hangfire/alerts").text
    assert "/alerts/conditions/new?kind=no_server" in page
    assert 'value="no_server" selected' in ann.get("/hangfire/alerts/conditions/new?kind=no_server").text
    assert ann.post("/hangfire/alerts/conditions", CONDITION).status_code == 303
    ((made, standing),) = tm.conditions.all()
    assert (made.title, made.queue, made.seconds, made.rule.slack, standing.is_red) == (
        "Mail is slow", "mail", 90, HOOK, False,
    )  # fmt: skip
    one = f"/hangfire/alerts/conditions/{made.id}"
    for path in ("/hangfire/alerts", one, "/hangfire/audit"):
        assert "SECRET" not in ann.get(path).text, path
    page = eve.get("/hangfire/alerts").text
    assert "the next job of queue mail has waited longer than 90 s" in page
    assert "/alerts/conditions/" not in page
    sent: list[str] = []
    monkeypatch.setattr("taskmanager.tasks.webhooks.post", lambda url, body, bounds: sent.append(url))
    ann.post(f"{one}/test")
    assert sent == [HOOK]
    refused = ann.post(one, CONDITION | {"seconds": "0"}, Accept="text/html")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    ann.post(one, CONDITION | {"kind": "failure_rate", "percent": "10", "slack": ""})
    ((edited, _),) = tm.conditions.all()
    assert (edited.id, edited.kind, edited.percent, edited.rule.slack) == (made.id, "failure_rate", 10, HOOK)
    assert ann.post("/hangfire/alerts/conditions", CONDITION, Accept="text/html").status_code == 422
    ann.post(f"{one}/remove")
    assert tm.conditions.all() == []
    assert ann.get(one).status_code == 404
    found, _ = tm.database.read(lambda tx: audit.page(tx, Sought(kind="alert"), limit=9))
    assert {(row.action, row.target) for row in found} == {("alerts.edit", "Mail is slow")}


def test_a_condition_that_is_true_is_an_active_alert_among_the_others(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.snapshots._FRESH_SECONDS", 0.0)
    ann.post("/hangfire/alerts/conditions", {"title": "Nobody works", "kind": "no_server", "seconds": "1"})
    tm.conditions.judge()
    tm.testing.move_time(20)
    tm.conditions.judge()
    page = ann.get("/hangfire/alerts").text
    active_part = page.partition('id="h-active"')[2].partition("</section>")[0]
    assert "Nobody works" in active_part
    assert "condition:" not in active_part
    assert "true now" in page
    assert count(ann) == 1


def test_a_rule_has_quiet_hours(tm: TaskManager, ann: Browser) -> None:
    hours = {"quiet_from": "22:00", "quiet_to": "06:30", "quiet_zone": "Europe/Prague"}
    ann.post("/hangfire/alerts/rules", FORM | hours)
    ann.post("/hangfire/alerts/conditions", CONDITION | hours | {"quiet_drops": "1"})
    (one,), ((condition, _),) = rules(tm), tm.conditions.all()
    for path in (f"rules/{one.id}", f"conditions/{condition.id}"):
        page = ann.get(f"/hangfire/alerts/{path}").text
        assert 'value="22:00"' in page
        assert 'value="06:30"' in page
        assert 'value="Europe/Prague"' in page
        assert ('name="quiet_drops" value="1" checked' in page) == path.startswith("conditions")
    for wrong in ({"quiet_to": ""}, {"quiet_to": "22:00"}, {"quiet_from": "25:00"}, {"quiet_zone": "Prague"}):
        refused = ann.post(f"/hangfire/alerts/rules/{one.id}", FORM | hours | wrong, Accept="text/html")
        assert refused.status_code == 422, wrong
    ann.post(f"/hangfire/alerts/rules/{one.id}", FORM | {"name": "Daily"} | hours)
    assert set(tm.database.read(quiet_hours.of_all)) == {key_of("Daily"), key_of(condition.name)}
    ann.post(f"/hangfire/alerts/rules/{one.id}", FORM | {"name": "Daily"})
    assert set(tm.database.read(quiet_hours.of_all)) == {key_of(condition.name)}

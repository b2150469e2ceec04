"""A recurring job in a form: previewed, checked at each field, saved whole or not at all, never over another's edit."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.records import RecurringRecord
from tests.engine.test_recurring_rows import row as row_of
from tests.targcc.test_shapes import OLDER_JOB, OLDER_LOGGED, made
from tests.walks.test_legacy import insert, sql
from tests.webui.conftest import ROLES, USERS, Browser
from tests.webui.test_audit import log
from webui import create_app, crons

HTML = {"Accept": "text/html"}
EDIT = "/hangfire/recurring/nightly/edit"


def report(day: str, size: int = 3, at: datetime | None = None, options: dict[str, Any] | None = None,
           api_token: str = "", note: str = "") -> None: ...  # fmt: skip


@pytest.fixture
def job(tm: TaskManager) -> TaskManager:
    """A recurring job with arguments of which some are secret, odd or big."""
    tm.job(report)
    options = {"password": "hunter2", "big": 12345678901234567890, "rows": [1, 2]}
    tm.recurring(
        "nightly", report, cron="0 2 * * *", time_zone="Europe/Prague",
        args=("today", 3, datetime(2026, 1, 1, 12, tzinfo=UTC), options, "s3cr3t", "two\nlines"),
    )  # fmt: skip
    return tm


def one(tm: TaskManager, recurring_id: str = "nightly") -> RecurringRecord:
    return next(r for r in tm.recurring_list() if r.id == recurring_id)


def arguments(tm: TaskManager) -> list[Any]:
    return [a and json.loads(a) for a in json.loads(one(tm).job)["a"]]


def form_of(page: str) -> dict[str, str]:
    """What a browser would send when nobody typed anything."""
    main = page[page.index("<main") : page.index("</main>")]
    main = main[main.index('name="once"' if 'name="once"' in main else 'name="version"') - 40 :]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", main):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("name") and (given.get("type") != "checkbox" or " checked" in tag):
            found[given["name"]] = html.unescape(given.get("value", ""))
    for name, text in re.findall(r'<textarea id="[^"]*" name="([^"]+)"[^>]*>\n?(.*?)</textarea>', main, re.DOTALL):
        found[name] = html.unescape(text).replace("\n", "\r\n")
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]+)"[^>]*>(.*?)</select>', main, re.DOTALL):
        values = re.findall(r'<option value="([^"]*)"( selected)?', options)
        found[name] = next((v for v, chosen in values if chosen), values[0][0])
    return found


def save(ann: Browser, path: str = EDIT, **typed: str) -> Any:
    return ann.post(path, form_of(ann.get(path).text) | {k.replace("__", "-"): v for k, v in typed.items()}, **HTML)


def shown(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_what_is_saved_untouched_stays_to_the_letter_secrets_too(job: TaskManager, ann: Browser) -> None:
    before = one(job)
    page = ann.get(EDIT).text
    for secret in ("hunter2", "s3cr3t"):
        assert secret not in page
    assert form_of(page)["arg-note"] == "two\r\nlines"
    assert "12345678901234567890" in page
    assert save(ann).status_code == 303
    assert "Nothing was to be changed." in ann.get("/hangfire/recurring").text
    assert one(job) == before
    assert log(job, action="recurring.edit")[0].outcome == "unchanged"


@pytest.mark.each_engine
def test_cron_zone_queue_arguments_and_pause_are_changed_at_once(job: TaskManager, ann: Browser) -> None:
    options = form_of(ann.get(EDIT).text)["arg-options"].replace('"rows": [\r\n    1,', '"rows": [\r\n    7,')
    typed = {"cron": "30 6 * * 1-5", "time_zone": "Asia/Jerusalem", "queue": "reports", "misfire": "strict"}
    answer = save(ann, **typed, arg__day="yesterday", arg__options=options, arg__size="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/recurring/nightly")
    known = one(job)
    assert (known.cron, known.time_zone, known.queue, known.misfire) == ("30 6 * * 1-5", "Asia/Jerusalem", "reports", 1)
    day, size, at, changed, token, note = json.loads(known.job)["a"]
    assert (day, size, at) == ('"yesterday"', None, '"2026-01-01T12:00:00+00:00"')
    assert json.loads(changed) == {"password": "hunter2", "big": 12345678901234567890, "rows": [7, 2]}
    assert (token, note) == ('"s3cr3t"', '"two\\nlines"')
    (row,) = log(job, action="recurring.edit")
    before, after = json.loads(row.before or ""), json.loads(row.after or "")
    assert (row.user, row.target, before["cron"], after["cron"]) == ("ann", "nightly", "0 2 * * *", "30 6 * * 1-5")
    assert (before["arguments"]["day"], after["arguments"]["day"]) == ("today", "yesterday")
    assert "hunter2" not in (row.before or "") + (row.after or "")
    assert "s3cr3t" not in (row.before or "") + (row.after or "")
    form = form_of(ann.get(EDIT).text)
    del form["enabled"]
    ann.post(EDIT, form, **HTML)
    assert (one(job).paused, one(job).next_execution) == (True, None)
    assert json.loads(log(job, action="recurring.edit")[0].after or "") == {"paused": True}
    assert save(ann, enabled="1").status_code == 303
    assert one(job).next_execution is not None


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"cron": "99 * * * *"}, "99"), ({"cron": ""}, "fields"), ({"time_zone": "Mars/Base"}, "Mars/Base"),
        ({"queue": "No Queue"}, "queue"), ({"misfire": "never"}, "none of the choices"),
        ({"arg__size": "many"}, "whole number"), ({"arg__options": "{"}, "not JSON"),
        ({"arg__options": '{"new": "••••"}'}, "masked secret"), ({"arg__at": "noon"}, "datetime"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(
    job: TaskManager, ann: Browser, typed: dict[str, str], told: str
) -> None:
    before = one(job)
    answer = save(ann, **({"cron": "7 7 * * *", "arg__day": "<kept>"} | typed))
    assert answer.status_code == 422
    name = next(iter(typed)).replace("__", "-")
    at_field = re.search(rf'id="error-{name}"[^>]*>(?:<svg.*?</svg>)?(.*?)</div>', answer.text, re.DOTALL)
    assert at_field is not None
    assert told.lower() in html.unescape(at_field[1]).lower()
    assert form_of(answer.text)["arg-day"] == "<kept>"
    assert form_of(answer.text)["cron"] == typed.get("cron", "7 7 * * *")
    assert one(job) == before


@pytest.mark.each_engine
def test_an_edit_over_somebody_elses_is_told_and_saved_only_knowingly(job: TaskManager, ann: Browser) -> None:
    form = form_of(ann.get(EDIT).text) | {"queue": "mine"}
    job.recurring("nightly", report, args=("tomorrow",), cron="5 5 * * *", time_zone="Europe/Prague")
    answer = ann.post(EDIT, form, **HTML)
    assert answer.status_code == 409
    assert "Somebody else has changed this recurring job meanwhile" in answer.text
    text = shown(answer.text)
    assert re.search(r"stored now:\s+5 5 \* \* \*", text)
    assert re.search(r"stored now:\s+tomorrow", text)
    assert (one(job).queue, one(job).cron) == ("default", "5 5 * * *")
    assert log(job, action="recurring.edit")[0].outcome == "failed"
    again = form_of(answer.text)
    assert (again["queue"], again["cron"]) == ("mine", "0 2 * * *")
    answer = ann.post(EDIT, again, **HTML)
    assert answer.status_code == 422, "what a mask stood for is there no more"
    again = form_of(answer.text) | {"arg-options": ""}
    assert ann.post(EDIT, again, **HTML).status_code == 303
    assert (one(job).queue, one(job).cron, arguments(job)[0]) == ("mine", "0 2 * * *", "today")


def test_a_preview_saves_nothing_and_is_no_change_in_the_log(job: TaskManager, ann: Browser) -> None:
    answer = save(ann, cron="*/5 8-17 * * 1-5", preview="1")
    assert answer.status_code == 200
    assert "Every 5 minutes, between 08:00 and 17:59, Monday through Friday" in answer.text
    assert form_of(answer.text)["cron"] == "*/5 8-17 * * 1-5"
    assert one(job).cron == "0 2 * * *"
    assert log(job) == []
    part = ann.get("/hangfire/cron/preview?cron=0+0+31+2+*&time_zone=UTC").text
    assert "It never fires." in part
    assert "<html" not in part
    wrong = ann.get("/hangfire/cron/preview?cron=99+*+*+*+*&time_zone=Nowhere").text
    assert "99" in wrong
    assert "Nowhere" in wrong
    assert "pondělí do pátek" in ann.get("/hangfire/cron/preview?cron=0+2+*+*+1-5&time_zone=UTC&lang=cs").text


def test_the_preview_tells_what_daylight_saving_does(monkeypatch: pytest.MonkeyPatch, app: Any) -> None:
    monkeypatch.setattr(crons, "utcnow", lambda: datetime(2026, 10, 23, 12))
    with app.test_request_context("/"):
        runs = crons.preview("30 2 * * *", "Europe/Prague", count=3).runs
    assert [(f"{r.local:%d %H:%M}", r.offset, f"{r.at:%d %H:%M}", r.remark) for r in runs] == [
        ("24 02:30", "+02:00", "24 00:30", ""), ("25 02:30", "+02:00", "25 00:30", ""),
        ("26 02:30", "+01:00", "26 01:30", "clocks go back before it"),
    ]  # fmt: skip


def test_a_definition_of_the_code_is_overridden_and_reverted(tm: TaskManager, ann: Browser) -> None:
    tm.job("0 2 * * *", display_name="nightly", queue="reports")(report_of_today)
    tm.register_recurring()
    assert "The code defines this job." in ann.get(EDIT).text
    save(ann, cron="1 1 * * *")
    tm.register_recurring()
    assert one(tm).cron == "1 1 * * *"
    page = ann.get(EDIT).text
    assert re.search(r"in code:\s+0 2 \* \* \*", shown(page))
    assert "changed" in shown(ann.get("/hangfire/recurring").text)
    assert ann.post("/hangfire/recurring/revert", {"recurring_id": "nightly"}, **HTML).status_code == 303
    assert (one(tm).cron, one(tm).overrides) == ("0 2 * * *", ())
    row = log(tm, action="recurring.edit")[0]
    assert (row.before, row.after) == ('{"cron": "1 1 * * *"}', '{"cron": "0 2 * * *"}')
    assert "Revert to the code" not in ann.get(EDIT).text
    assert ann.post("/hangfire/recurring/revert", {"recurring_id": "gone"}).status_code == 404


def report_of_today(day: str = "today") -> None: ...


def test_arguments_of_an_unknown_function_are_not_offered_and_stay(tm: TaskManager, ann: Browser) -> None:
    tm.recurring("nightly", report_of_today, cron="0 2 * * *", args=("kept",))
    tm.registry._by_name.clear()
    assert "does not know the function" in ann.get(EDIT).text
    assert save(ann, cron="1 1 * * *").status_code == 303
    assert (one(tm).cron, arguments(tm)) == ("1 1 * * *", ["kept"])


def test_who_may_not_edits_nothing(job: TaskManager, eve: Browser, ann: Browser) -> None:
    for path in (EDIT, "/hangfire/cron/preview?cron=*+*+*+*+*"):
        assert eve.get(path).status_code == 403
    assert eve.post(EDIT, {"cron": "1 1 * * *"}).status_code == 403
    assert eve.post("/hangfire/recurring/revert", {"recurring_id": "nightly"}).status_code == 403
    assert "/edit" not in eve.get("/hangfire/recurring").text
    assert ann.get("/hangfire/recurring/nobody/edit").status_code == 404
    assert ann.get("/hangfire/recurring/c_job:77/edit").status_code == 404
    assert one(job).cron == "0 2 * * *"


def test_a_name_that_an_address_would_break_is_edited(tm: TaskManager, ann: Browser) -> None:
    tm.job(report_of_today)
    tm.recurring("a/b ž%c#?", report_of_today, cron="0 2 * * *")
    page = ann.get("/hangfire/recurring").text
    link = re.search(r'href="([^"]+/edit)"', page)
    assert link is not None
    assert save(ann, html.unescape(link[1]), queue="mail").status_code == 303
    assert one(tm, "a/b ž%c#?").queue == "mail"


@pytest.mark.each_engine
def test_a_row_of_c_job_is_edited_in_place_by_its_own_columns(tm: TaskManager, ann: Browser) -> None:
    insert(tm, "0 2 * * *", "SP_Report", "Daily <b>Sales</b>")
    number = int(tm.recurring_list()[0].id[6:])
    path = f"/hangfire/recurring/c_job:{number}/edit"
    form = form_of(ann.get(path).text)
    assert {k: v for k, v in form.items() if k != "version" and not k.startswith("every")} == {
        "JobName": "Daily <b>Sales</b>", "CronExpression": "0 2 * * *", "StoredProcName": "SP_Report", "IsActive": "1",
    }  # fmt: skip
    assert save(ann, path, CronExpression="61 * * * *").status_code == 422
    answer = save(ann, path, CronExpression="15 3 * * *", StoredProcName="not; a name")
    assert re.search(r'id="error-StoredProcName"', answer.text)
    assert form_of(answer.text)["CronExpression"] == "15 3 * * *"
    assert "03:15" in save(ann, path, CronExpression="15 3 * * *", preview="1").text
    assert row_of(tm, number)["CronExpression"] == "0 2 * * *"
    assert save(ann, path, CronExpression="15 3 * * *", EmailOnFailure="1").status_code == 303
    assert (row_of(tm, number)["CronExpression"], row_of(tm, number)["EmailOnFailure"]) == ("15 3 * * *", 1)
    row = log(tm, action="recurring.edit")[0]
    assert (row.target, row.before) == (f"c_job:{number}", '{"CronExpression": "0 2 * * *", "EmailOnFailure": ""}')
    form = form_of(ann.get(path).text) | {"JobName": "mine"}
    q = tm.database.product.quote
    sql(tm, f"UPDATE {q('c_Job')} SET {q('JobName')} = 'theirs'")
    answer = ann.post(path, form, **HTML)
    assert answer.status_code == 409
    assert re.search(r"stored now:\s+theirs", shown(answer.text))
    assert row_of(tm, number)["JobName"] == "theirs"


def test_a_row_of_the_older_c_job_is_edited_by_its_own_columns(tmp_path: Path) -> None:
    tm = made(tmp_path, c_Job=OLDER_JOB, c_LoggedJob=OLDER_LOGGED)
    columns = "lkpJob, lkpJobRunner, enmJobType, WhenToRun, Active, IsManaged, TimeOutSec"
    sql(tm, f"INSERT INTO c_Job ({columns}) VALUES ('mnTM_Sales', 'R', 'Daily', '2000-01-01 02:00:00', 1, 1, 600)")
    ann = Browser(create_app(tm, users=USERS, roles=ROLES))
    path = "/hangfire/recurring/c_job:1/edit"
    form = form_of(ann.get(path).text)
    del form["version"]
    assert form == {
        "enmJobType": "Daily", "WhenToRun": "2000-01-01T02:00:00", "CyclicCount": "", "TimeOutSec": "600",
        "Active": "1",
    }  # fmt: skip
    answer = save(ann, path, enmJobType="CyclicMin")
    assert answer.status_code == 422
    assert 'id="error-CyclicCount"' in answer.text
    assert form_of(answer.text)["enmJobType"] == "CyclicMin"
    assert save(ann, path, enmJobType="CyclicMin", CyclicCount="15").status_code == 303
    assert [(r.cron, r.paused) for r in tm.recurring_list()] == [("CyclicMin 15", False)]
    assert ann.get("/hangfire/recurring/c_job:1").status_code == 200
    tm.close()

"""Recurring jobs on their pages: definitions of the code brought back."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import recurring_runs
from taskmanager.storage.recurring_runs import RecurringRun
from tests.webui.conftest import Browser
from tests.webui.test_audit import log

HTML = {"Accept": "text/html"}


def totals(day: str = "today", api_token: str = "") -> None: ...


def clean() -> None: ...


def in_code(tm: TaskManager) -> None:
    """Two recurring jobs in code."""
    tm.job("0 2 * * *", display_name="Totals", time_zone="Europe/Prague")(totals)
    tm.job("*/15 * * * *", display_name="Clean")(clean)
    tm.register_recurring()


@pytest.mark.each_engine
def test_a_job_removed_on_the_page_is_restored_there_still_paused(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tm.pause("Totals")
    ann.post("/hangfire/recurring/remove", {"jobs[]": ["Totals", "Clean"]})
    assert tm.recurring_list() == []
    answer = ann.post("/hangfire/recurring/restore", {"back": "/hangfire/recurring"}, **HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/recurring")
    assert "Brought back, for they were missing: Clean, Totals (paused)." in ann.get("/hangfire/recurring").text
    assert {r.id: r.paused for r in tm.recurring_list()} == {"Totals": True, "Clean": False}
    found = [(r.target, r.user, r.door, r.outcome) for r in log(tm, action="recurring.restore")]
    assert found == [("Totals", "ann", "dashboard", "done"), ("Clean", "ann", "dashboard", "done")]


def test_a_program_is_told_what_restoring_did(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tm.recurring("Totals", totals, cron="1 1 * * *")
    answer = ann.post("/hangfire/recurring/restore", Accept="application/json").get_json()
    assert answer == {
        "restored": [{"id": "Totals", "missing": False, "paused": False, "differed": ["cron"]}],
        "unchanged": 1, "problems": {},
    }  # fmt: skip
    assert ann.post("/hangfire/recurring/restore", Accept="application/json").get_json()["unchanged"] == 2


def test_nothing_to_restore_and_nothing_known_are_told_apart(tm: TaskManager, ann: Browser) -> None:
    form = {"back": "/hangfire/recurring"}
    ann.post("/hangfire/recurring/restore", form, **HTML)
    assert "imports no code that defines recurring jobs" in ann.get("/hangfire/recurring").text
    in_code(tm)
    ann.post("/hangfire/recurring/restore", form, **HTML)
    assert "Nothing was to be restored" in ann.get("/hangfire/recurring").text


def test_who_may_only_look_sees_no_button_and_restores_nothing(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    in_code(tm)
    tm.remove("Totals")
    assert "Restore all definitions" in ann.get("/hangfire/recurring").text
    assert "Restore all definitions" not in eve.get("/hangfire/recurring").text
    assert eve.post("/hangfire/recurring/restore").status_code == 403
    assert [r.id for r in tm.recurring_list()] == ["Clean"]


def test_last_results_and_durations_are_told_in_dots_bars_and_words(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    started = tm.database.clock.now().replace(microsecond=0)
    outcomes = ["succeeded"] * 20 + ["failed", "retried", "succeeded", "deleted"]
    runs = [RecurringRun("Totals", n, started, 100 * n, 7, one) for n, one in enumerate(outcomes, 1)]
    tm.database.run(lambda tx: recurring_runs.add(tx, runs))
    page = ann.get("/hangfire/recurring").text
    told = "The last 20 results: 17 succeeded, 1 failed, 1 failed and tried again, 1 cancelled. The newest: cancelled"
    assert f'aria-label="{told}"' in page
    assert page.count("<circle") == 17
    assert "Durations of the last 24 runs: half within 1.2 s, 95 % within 2.3 s" in page
    assert "p50 1.2 s · p95 2.3 s" in page
    detail = ann.get("/hangfire/recurring/Totals").text
    for shown in (page, detail):
        assert re.search(r"87.5 %</span> of 24 runs since \d{4}", shown)
    assert detail.count('<rect class="s-') >= 24
    assert 'href="/hangfire/jobs/details/24"' in detail
    assert detail.count("<tr data-row>") == 20
    assert "expired" in detail


@pytest.mark.each_engine
def test_the_page_of_a_recurring_job_shows_what_a_real_run_left(tm: TaskManager, ann: Browser, hands: Any) -> None:
    in_code(tm)
    assert "It has not run yet" in ann.get("/hangfire/recurring/Totals").text
    job_id = tm.trigger("Totals")
    hands().work()
    page = ann.get("/hangfire/recurring/Totals").text
    assert f'<a href="/hangfire/jobs/details/{job_id}">#{job_id}</a>' in page
    assert "At 02:00" in page
    assert 'href="/hangfire/recurring/Totals">Totals</a>' in ann.get(f"/hangfire/jobs/details/{job_id}").text
    assert ann.get("/hangfire/recurring/nobody").status_code == 404
    assert ann.get("/hangfire/recurring/c_job:9").status_code == 404


def test_arguments_of_a_recurring_job_are_masked_and_kept_from_who_may_not(tm: TaskManager, ann: Browser) -> None:
    tm.job(totals)
    tm.recurring("x/edit", totals, cron="0 2 * * *", args=("today", "s3cr3t"))
    page = ann.get("/hangfire/recurring/x~1edit").text
    assert "today" in page
    assert "s3cr3t" not in page


def test_the_list_asks_no_more_for_many_recurring_jobs_than_for_one(
    tm: TaskManager, app: Any, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    tm.job(clean)
    for n in range(120):
        tm.recurring(f"job-{n:03}", clean, cron="0 2 * * *")
    at = datetime(2026, 3, 1)
    runs = [RecurringRun(f"job-{n:03}", 100 + i, at, 5, 1, "succeeded") for n in range(120) for i in range(40)]
    tm.database.run(lambda tx: recurring_runs.add(tx, runs))
    for count in (20, 50, 200):
        ann.get("/hangfire/recurring")
        app.config["SNAPSHOTS"]._tried = -1e9
        statements()
        page = ann.get(f"/hangfire/recurring?count={count}").text
        assert len(ran := statements()) <= 8, ran
        assert page.count("The last 20 results") == min(count, 100), "a page has a hundred at most"
        assert "from=100" in page or count < 100


def test_each_recurring_job_has_pages_of_its_own_whatever_its_id(tm: TaskManager, ann: Browser) -> None:
    ids = ["a", "a/edit", "a/trigger", "new", "..", "~1", "//x", "č b/?#%2F"]
    for one in ids:
        tm.recurring(one, clean, cron="0 2 * * *")
    found = re.findall(r'class="job-name"><a href="([^"]+)">', ann.get("/hangfire/recurring").text)
    assert len(found) == len(ids)
    titles = []
    for address in found:
        heads = [
            re.search(r"<h1>(.*?)</h1>", ann.get(html.unescape(address) + page).text) for page in ("", "/edit")
        ]  # fmt: skip
        assert heads[0] is not None
        assert heads[1] is not None
        assert heads[0][1] == heads[1][1]
        titles.append(html.unescape(heads[0][1]))
    assert sorted(titles) == sorted(ids)


def test_a_pause_is_told_with_who_why_and_until_when_and_resumed_by_choice(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    until = (tm.database.clock.now() + timedelta(hours=2)).replace(microsecond=0)
    form = {"jobs[]": ["Clean", "Totals"], "note": "<b>month end", "until": until.isoformat()}
    assert ann.post("/hangfire/recurring/pause", form).status_code == 204
    for page in (ann.get("/hangfire/recurring").text, ann.get("/hangfire/recurring/Clean").text):
        for told in ("by ann", "&lt;b&gt;month end", f'datetime="{until:%Y-%m-%dT%H:%M:%S}'):
            assert told in page
    assert "Resume and run it once now" not in ann.get("/hangfire/recurring/Clean").text, "nothing was missed"
    tm.database.clock.shift(timedelta(minutes=20))
    page = ann.get("/hangfire/recurring/Clean").text
    assert "Resume, skip what was missed" in page
    once = re.search(r'name="once" value="(\w+)"', page)
    assert once is not None
    for _ in range(2):
        resume = {"jobs[]": "Clean", "missed": "run", "once": once[1]}
        assert ann.post("/hangfire/recurring/resume", resume).status_code == 204
    ann.post("/hangfire/recurring/resume", {"jobs[]": "Totals"})
    assert {r.id: (r.paused, bool(r.last_job_id)) for r in tm.recurring_list()} == {
        "Clean": (False, True), "Totals": (False, False),
    }  # fmt: skip
    row = log(tm, action="recurring.pause")[-1]
    assert json.loads(row.after or "") == {"paused": True, "note": "<b>month end", "until": until.isoformat()}


@pytest.mark.parametrize("field", [{"until": "tomorrow"}, {"until": "2020-01-01T00:00"}, {"note": "x" * 501}])
def test_a_pause_that_cannot_be_is_refused_with_the_reason(
    tm: TaskManager, ann: Browser, field: dict[str, str]
) -> None:
    in_code(tm)
    assert ann.post("/hangfire/recurring/pause", {"jobs[]": "Clean"} | field).status_code == 422
    sent = {"jobs[]": "Clean", "back": "/hangfire/recurring/Clean"} | field
    assert ann.post("/hangfire/recurring/pause", sent, **HTML).status_code in (302, 303)
    assert 'class="toast warn' in (page := ann.get("/hangfire/recurring/Clean").text) or "notice warn" in page
    assert not any(r.paused for r in tm.recurring_list())


@pytest.mark.each_engine
def test_a_run_is_started_with_other_arguments_and_the_job_keeps_its_own(tm: TaskManager, ann: Browser) -> None:
    tm.job(totals)
    tm.recurring("x/y", totals, cron="0 2 * * *", args=("today", "s3cr3t"))
    assert "/hangfire/recurring/x~1y/trigger" in ann.get("/hangfire/recurring/x~1y").text
    address = "/hangfire/recurring/x~1y/trigger"
    page = ann.get(address).text
    assert "today" in page
    assert "s3cr3t" not in page
    once = re.search(r'name="once" value="(\w+)"', page)
    assert once is not None
    for _ in range(2):
        assert ann.post(address, {"arg-day": "friday", "once": once[1]}, **HTML).status_code == 303
    assert ann.post(address, {"arg-day": "monday"}, **HTML).status_code == 422
    known = tm.recurring_jobs.get("x/y")
    assert "today" in known.job
    run = tm.get(known.last_job_id or 0)
    assert json.loads(run.arguments) == ['"friday"', '"s3cr3t"']
    assert json.loads(run.parameters["TriggeredBy"]) == "ann"
    assert len({r.id for r in log(tm, action="recurring.trigger") if r.outcome == "done"}) >= 1


def test_a_recurring_job_is_made_of_a_functions_signature_and_never_over_another(tm: TaskManager, ann: Browser) -> None:
    tm.job(display_name="Day totals", queue="reports")(totals)
    tm.recurring("there", clean, cron="0 2 * * *")
    address = "/hangfire/recurring/new"
    assert "Day totals" in ann.get(address).text
    name = f"{__name__}:totals"
    page = ann.get(f"{address}?type={name}").text
    assert 'name="queue" value="reports"' in page
    form = {"type": name, "id": "a/b", "cron": "30 6 * * 1-5", "time_zone": "Europe/Prague", "queue": "reports",
            "misfire": "strict", "arg-day": "friday"}  # fmt: skip
    assert "06:30" in ann.post(address, form | {"preview": "1"}, **HTML).text
    for wrong in ({"id": ""}, {"id": "there"}, {"id": "x" * 80}, {"id": "c_job:3"}, {"cron": "99 * * * *"},
                  {"time_zone": "Mars"}, {"queue": "A B"}, {"misfire": "often"}):  # fmt: skip
        answer = ann.post(address, form | wrong, **HTML)
        assert answer.status_code == 422, wrong
        assert "friday" in answer.text, "what was typed stays"
    assert [r.id for r in tm.recurring_list()] == ["there"]
    answer = ann.post(address, form, **HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/recurring/a~1b")
    made = tm.recurring_jobs.get("a/b")
    assert (made.cron, made.time_zone, made.queue, made.misfire, made.from_code) == (
        "30 6 * * 1-5", "Europe/Prague", "reports", 1, False,
    )  # fmt: skip
    assert "friday" in made.job
    assert [(r.target, r.outcome) for r in log(tm, action="recurring.edit") if r.outcome == "done"] == [("a/b", "done")]
    for path in (address, f"{address}?type=os:system"):
        assert ann.get(path).status_code == (200 if path == address else 404)

"""Recurring jobs on their pages: definitions of the code brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

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
    started = datetime(2026, 3, 1, 12)
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
    assert "87.5 %" in detail
    assert detail.count('<rect class="s-') >= 24
    assert 'href="/hangfire/jobs/details/24"' in detail
    assert detail.count("<tr data-row>") == 20
    assert "expired" in detail


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
    page = ann.get("/hangfire/recurring/x/edit").text
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
        assert page.count("The last 20 results") == min(count, 120)

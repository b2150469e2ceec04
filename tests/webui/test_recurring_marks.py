"""What the past and the schedule of a recurring job come to: its rate, its runs, what was missed, how it fires."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain import cron as crons
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.storage import recurring, recurring_past, recurring_runs
from taskmanager.storage.recurring_past import Tally
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx
from tests.conftest import Hands
from tests.walks.test_legacy import insert
from tests.webui.apiclient import Program
from tests.webui.conftest import ROLES, USERS, Browser
from tests.webui.test_recurring import clean, in_code
from webui import create_app


@pytest.mark.each_engine
def test_the_rate_is_of_all_runs_of_thirty_days_in_the_list_on_the_page_and_by_the_api(
    tm: TaskManager, ann: Browser
) -> None:
    in_code(tm)
    now = tm.database.clock.now().replace(microsecond=0)
    runs = [
        RecurringRun("Clean", n, now - timedelta(hours=960 - n), 5, 7, "failed" if n % 100 == 0 else "succeeded")
        for n in range(1, 961)
    ]
    for start in range(0, len(runs), 8):
        tm.database.run(lambda tx, start=start: recurring_runs.add(tx, runs[start : start + 8]))  # type: ignore[misc]
    first = (now - timedelta(days=30)).date()
    of = [run for run in runs if run.started.date() >= first]
    assert len(of) > recurring_runs.KEPT
    percent = round(100 * sum(run.outcome == "succeeded" for run in of) / len(of), 1)
    for page in (ann.get("/hangfire/recurring").text, ann.get("/hangfire/recurring/Clean").text):
        assert f"{percent:g} %</span> of {len(of)} runs in 30 days" in page
    api = Program(tm).get("/api/v1/recurring/Clean")
    assert api["successRate"]["percent"] == percent
    assert (api["successRate"]["runs"], api["successRate"]["since"]) == (len(of), first.isoformat())
    assert [one["successRate"] for one in Program(tm).get("/api/v1/recurring")["items"]] == [api["successRate"], None]


def test_a_rate_of_what_has_failed_is_never_told_as_a_hundred(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tally = Tally(10**9, {tm.database.clock.now().date(): (99_999, 100_000)}, None)
    tm.database.run(lambda tx: recurring_past.save_tally(tx, "Clean", tally))
    assert "99.9 %</span> of 100,000 runs in 30 days" in ann.get("/hangfire/recurring/Clean").text


@pytest.mark.each_engine
def test_the_table_of_runs_has_their_rows_of_c_logged_job_page_by_page(
    tm: TaskManager, ann: Browser, eve: Browser, hands: Any
) -> None:
    in_code(tm)
    started = [tm.trigger("Clean", by="ann") for _ in range(23)]
    tm.recurring("also", clean, cron="0 0 1 1 *")
    others = tm.trigger("also", by="bob")
    worker = hands()
    while worker.work():
        pass
    page = ann.get("/hangfire/recurring/Clean").text
    assert page.count("<tr data-row>") == 20
    assert page.count(">in the history</a>") == 20
    assert page.count('<td data-label="Triggered by">ann</td>') == 20
    assert "bob" not in page, "another recurring job of the same function"
    assert f"#{others}</a>" in ann.get("/hangfire/recurring/also").text
    rest = ann.get("/hangfire/recurring/Clean?from=20").text
    assert [f"#{one}</a>" in rest for one in started[:3]] == [True] * 3
    assert rest.count("<tr data-row>") == 3
    told = Program(tm).get("/api/v1/recurring/Clean/runs?limit=30")["runs"]
    assert [one["triggeredBy"] for one in told] == ["ann"] * 23
    assert all(one["historyId"] and one["serverName"] for one in told)
    tm.database.run(lambda tx: expiry_of(tx, started[-1]))
    assert f"#{started[-1]} <span" in ann.get("/hangfire/recurring/Clean").text
    assert ann.get("/hangfire/recurring/Clean").text.count(">in the history</a>") == 20, "it outlives its job"


def expiry_of(tx: Tx, job_id: int) -> None:
    """A job expires."""
    jobs = tx.tables.job
    tx.connection.execute(jobs.delete().where(jobs.c.Id == job_id))


def test_where_c_logged_job_is_switched_off_the_page_says_what_is_not_known(
    tm: TaskManager, url: str, tmp_path: Path
) -> None:
    with contextlib.closing(TaskManager(database_url=url, doorbell=False, log_to_database=False)) as other:
        other.job(clean)
        other.recurring("x", clean, cron="0 2 * * *")
        other.trigger("x")
        with contextlib.closing(Hands(other, tmp_path)) as worker:
            worker.work()
        page = Browser(create_app(other, users=USERS, roles=ROLES)).get("/hangfire/recurring/x").text
    assert "c_LoggedJob is switched off (log_to_database)" in page
    assert "in the history" not in page


def test_the_page_of_one_tells_its_next_twenty_runs(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    page = ann.get("/hangfire/recurring/Totals").text
    assert len(re.findall(r":\d\d <span class=\"muted\">\+0[12]:00</span>", page)) == 20
    assert len(Program(tm).get("/api/v1/recurring/Totals")["nextRuns"]) == 20


def test_what_never_runs_and_what_runs_by_hand_only_are_told_apart(tm: TaskManager, ann: Browser) -> None:
    tm.job(clean)
    for name, cron in (("hand", crons.never()), ("never", "0 0 30 2 *"), ("often", "* * * * *")):
        tm.recurring(name, clean, cron=cron)
    page = ann.get("/hangfire/recurring").text
    told = re.findall(r"</svg>(by hand only|never runs|active)</span>", page)
    assert told == ["by hand only", "never runs", "active"]
    assert "names no moment that ever comes" in ann.get("/hangfire/recurring/never").text
    assert "names no moment that ever comes" not in ann.get("/hangfire/recurring/hand").text
    found = {one["id"]: one["state"] for one in Program(tm).get("/api/v1/recurring")["items"]}
    assert found == {"hand": "hand", "never": "never", "often": "active"}


def test_a_row_of_c_job_that_no_scheduler_has_seen_is_not_said_to_run_never(tm: TaskManager, ann: Browser) -> None:
    insert(tm, "30 1 * * *", "SP_Report", "Planned by the first that looks")
    insert(tm, "0 0 30 2 *", "SP_Report", "Never")
    page = ann.get("/hangfire/recurring").text
    assert re.findall(r"</svg>(not planned yet|never runs)</span>", page) == ["not planned yet", "never runs"]
    first, second = Program(tm).get("/api/v1/recurring")["items"]
    assert (first["state"], second["state"]) == ("unplanned", "never")
    assert "No scheduler has looked at this row" in ann.get(f"/hangfire/recurring/{first['id']}").text


@pytest.mark.each_engine
def test_a_run_that_was_missed_is_told_and_so_is_one_that_is_owed(tm: TaskManager, ann: Browser) -> None:
    tm.job(clean)
    tm.recurring("hourly", clean, cron="0 * * * *")
    assert "no run is known to have been missed" in ann.get("/hangfire/recurring/hourly").text
    tm.database.clock.shift(timedelta(hours=3))
    for page in (ann.get("/hangfire/recurring").text, ann.get("/hangfire/recurring/hourly").text):
        assert "overdue since" in page
    assert Program(tm).get("/api/v1/recurring/hourly")["missed"]["dealtWith"] is None
    slot = tm.recurring_jobs.get("hourly").next_execution
    tm.recurring_jobs.fire_due()
    for page in (ann.get("/hangfire/recurring").text, ann.get("/hangfire/recurring/hourly").text):
        assert "overdue since" not in page
        assert re.search(r"missed: <relative-time[^>]+>[^<]+</relative-time>, (2 h|3 h)", page)
    missed = Program(tm).get("/api/v1/recurring/hourly")["missed"]
    assert slot is not None
    assert missed["due"] == f"{slot.isoformat()}Z"
    assert missed["dealtWith"]
    tm.database.clock.shift(timedelta(days=8))
    tm.recurring("daily", clean, cron="0 2 * * *")
    tm.recurring_jobs.fire_due()
    tm.database.run(lambda tx: recurring_past.save_missed(tx, {"hourly": slot}, slot + timedelta(hours=3)))
    assert "missed:" not in ann.get("/hangfire/recurring").text, "in the list it is news for a week"
    assert "missed:" in ann.get("/hangfire/recurring/hourly").text


def test_the_trigger_of_what_has_left_the_code_is_disabled(tm: TaskManager, ann: Browser) -> None:
    tm.job(clean)
    tm.recurring("gone", clean, cron="0 2 * * *")
    tm.database.run(lambda tx: recurring.save(tx, "gone", {"Orphaned": "1"}, None))
    assert 'disabled title="The function is no longer in the code."' in ann.get("/hangfire/recurring").text
    assert 'disabled title="The function is no longer in the code."' in ann.get("/hangfire/recurring/gone").text


def test_the_page_of_one_tells_how_it_is_defined_who_is_told_and_who_changed_it(tm: TaskManager, ann: Browser) -> None:
    in_code(tm)
    tm.alert_rules.save(None, "Totals", AlertRule(on=frozenset({Event.FAILURE}), to=("ops@example.com",)))
    ann.post("/hangfire/recurring/pause", {"jobs[]": "Totals", "note": "stocktaking"})
    page = ann.get("/hangfire/recurring/Totals").text
    for told in ("one run for all of them", "runs may overlap", "the code", "c_JobAlert</a>: failure",
                 "stocktaking", "Europe/Prague", "/hangfire/audit?kind=recurring&amp;target=Totals"):  # fmt: skip
        assert told in page, told
    form = re.search(r'action="/hangfire/recurring/remove".*?</form>', page, re.DOTALL)
    assert form is not None
    assert 'name="back" value="/hangfire/recurring"' in form[0]

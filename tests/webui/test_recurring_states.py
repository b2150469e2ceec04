"""Recurring jobs that run by hand only or never; who is mailed by a row; missed runs; changes without scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from taskmanager import TaskManager
from taskmanager.domain import cron as crons
from taskmanager.storage import recurring_past
from tests.walks.test_legacy import insert
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser
from tests.webui.test_recurring_list import clean, shown


@pytest.fixture
def mixed(tm: TaskManager) -> TaskManager:
    """By hand, never, active and paused, of ours and rows of c_Job."""
    tm.job(clean)
    for name, cron in (("hand", crons.never()), ("never", "0 0 30 2 *"), ("often", "* * * * *"), ("later", "@daily")):
        tm.recurring(name, clean, cron=cron)
    tm.pause("later")
    insert(tm, "0 0 31 4 *", "SP_Report", "No such day")
    insert(tm, "0 0 31 * *", "SP_Report", "Some months")
    insert(tm, "", "SP_Report", "Row by hand")
    return tm


def test_what_runs_by_hand_only_and_what_never_runs_is_a_filter_and_not_active(
    mixed: TaskManager, ann: Browser
) -> None:
    page = ann.get("/hangfire/recurring").text
    told = dict(re.findall(r"state=(\w+)[^>]*>[A-Z][\w ]+ (\d+)</a>", page))
    assert told == {"active": "2", "paused": "1", "error": "0", "hand": "2", "never": "2"}
    names = {"active": {"often", "c_Job"}, "hand": {"hand", "c_Job"}, "never": {"never", "c_Job"}, "paused": {"later"}}
    for state, wanted in names.items():
        assert set(shown(ann.get(f"/hangfire/recurring?state={state}").text)) == wanted, state
        items = Program(mixed).get(f"/api/v1/recurring?state={state}")["items"]
        assert len(items) == len(wanted)
        assert {one["state"] for one in items} <= {state, "unplanned"}
    assert "Row by hand" in ann.get("/hangfire/recurring?state=hand&q=row").text
    plan = Program(mixed).get("/api/v1/operations/recurring/plan?action=pause&state=never")
    assert plan["matching"] == 2


def test_a_row_that_mails_of_failures_says_so_among_its_rules(
    tm: TaskManager, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    insert(tm, "30 1 * * *", "SP_Report", "Mails")
    one = tm.recurring_jobs.rows()[0].id
    assert "EmailOnFailure" not in ann.get(f"/hangfire/recurring/{one}").text
    with tm.database.engine.begin() as connection:
        connection.execute(update(tm.database.tables.legacy.job).values(EmailOnFailure=1))
    statements()
    page = ann.get(f"/hangfire/recurring/{one}").text
    assert len(statements()) <= 8
    assert "EmailOnFailure: failure" in page
    assert "no rule names it" not in page


@pytest.mark.each_engine
def test_the_last_ten_missed_runs_are_remembered(tm: TaskManager, ann: Browser) -> None:
    tm.job(clean)
    tm.recurring("hourly", clean, cron="0 * * * *")
    slots = []
    for _ in range(12):
        tm.database.clock.shift(timedelta(hours=3))
        slot = tm.recurring_jobs.get("hourly").next_execution
        assert slot is not None
        slots.append(f"{slot.isoformat()}Z")
        tm.recurring_jobs.fire_due()
    page = ann.get("/hangfire/recurring/hourly").text
    assert "10 missed runs are remembered" in page
    found = Program(tm).get("/api/v1/recurring/hourly")
    assert [one["due"] for one in found["missedRuns"]] == slots[:1:-1]
    assert found["missed"] == found["missedRuns"][0]


def test_what_an_older_process_remembered_is_the_first_of_them(tm: TaskManager) -> None:
    now = tm.database.clock.now().replace(microsecond=0)

    def older(tx: object) -> None:
        recurring_past._save(tx, "one", "Missed", [f"{now.isoformat()}Z", f"{now.isoformat()}Z"])  # type: ignore[arg-type]

    tm.database.run(lambda tx: recurring_past.save_missed(tx, {"one": now - timedelta(hours=2)}, now))
    tm.database.run(older)
    past = tm.database.read(lambda tx: recurring_past.load(tx, ["one"]))["one"]
    assert [one.slot for one in past.all_missed] == [now, now - timedelta(hours=2)]
    assert past.missed == past.all_missed[0]


def test_the_changes_are_on_the_page_itself_where_there_are_no_scripts(
    mixed: TaskManager, ann: Browser, eve: Browser, statements: Callable[[], list[str]]
) -> None:
    one = mixed.recurring_jobs.rows()[0].id
    ann.post("/hangfire/recurring/pause", {"jobs[]": [one, "often"], "note": "stocktaking"})
    for name in (one, "often"):
        page = ann.get(f"/hangfire/recurring/{name}").text
        link = re.search(r'no-js"><a href="([^"]+)"', page)
        assert link is not None
        assert "recurring.pause" not in page.partition('id="h-changes"')[2]
        statements()
        page = ann.get(html.unescape(link[1])).text
        assert len(statements()) <= 8
        assert "recurring.pause" in page.partition('id="h-changes"')[2]
    assert "recurring.pause</a>" not in eve.get("/hangfire/recurring/often?changes=1").text

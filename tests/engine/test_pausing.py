"""A pause has an author, a note and an end; who resumes says what becomes of the times that were missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import ArgumentError, InvalidArgument
from taskmanager.domain.records import RecurringRecord
from taskmanager.storage import audit as audit_rows
from taskmanager.storage import glance, recurring
from tests.conftest import Hands
from tests.engine.test_recurring_rows import row
from tests.walks.test_legacy import insert, sql


def totals(day: str = "today", copies: int = 1) -> str:
    return f"{day} x{copies}"


@pytest.fixture
def job(tm: TaskManager) -> TaskManager:
    """A recurring job, each hour."""
    tm.job(totals)
    tm.recurring("hourly", totals, cron="0 * * * *")
    return tm


def one(tm: TaskManager, recurring_id: str = "hourly") -> RecurringRecord:
    return tm.recurring_jobs.get(recurring_id)


def later(tm: TaskManager, **span: float) -> datetime:
    return tm.database.clock.now() + timedelta(**span)


def test_a_pause_tells_by_whom_since_when_why_and_until_when(job: TaskManager) -> None:
    until = later(job, hours=5).replace(microsecond=0)
    job.pause("hourly", by="ann", note="  month end ", until=until)
    first = one(job).pause
    assert first is not None
    assert (first.by, first.note, first.until) == ("ann", "month end", until)
    assert first.since is not None
    assert abs(later(job) - first.since) < timedelta(minutes=1)
    job.pause("hourly", by="bob")
    second = one(job).pause
    assert second is not None
    assert (second.by, second.note, second.until, second.since) == ("bob", None, None, first.since)
    job.resume("hourly")
    assert (one(job).paused, one(job).pause) == (False, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [({"until": datetime(2020, 1, 1)}, "is over"), ({"note": "x" * 501}, "500"), ({"note": "a\x00b"}, "stored")],
)
@pytest.mark.one_server
def test_a_pause_that_cannot_be_is_refused(job: TaskManager, given: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgument, match=text):
        job.pause("hourly", **given)
    assert not one(job).paused


@pytest.mark.parametrize("misfire", ["relaxed", "strict", "ignorable"])
def test_who_resumes_chooses_whether_what_was_missed_is_run_once(
    job: TaskManager, hands: Callable[..., Hands], misfire: str
) -> None:
    job.recurring("hourly", totals, cron="0 * * * *", misfire=misfire)
    job.pause("hourly")
    job.database.clock.shift(timedelta(hours=3))
    assert job.resume("hourly", run_missed=False) is None
    tick = hands().recurring.tick
    tick()
    skipped = one(job)
    assert (skipped.last_job_id, skipped.last_execution, skipped.paused) == (None, None, False)
    assert skipped.next_execution is not None
    assert skipped.next_execution > job.database.clock.now()
    job.pause("hourly")
    assert job.resume("hourly", run_missed=True) is None, "nothing was missed"
    job.pause("hourly")
    job.database.clock.shift(timedelta(hours=3))
    made = job.resume("hourly", run_missed=True, by="ann")
    tick()
    assert one(job).last_job_id == made
    assert json.loads(job.get(made or 0).parameters["TriggeredBy"]) == "ann"
    assert job.resume("hourly", run_missed=True) is None, "it is not paused"


def test_asked_twice_under_one_key_what_was_missed_is_run_once(job: TaskManager) -> None:
    job.pause("hourly")
    job.database.clock.shift(timedelta(hours=3))
    made = {job.resume("hourly", run_missed=True, key="6" * 32) for _ in range(2)}
    assert len(made) == 1
    assert None not in made


@pytest.mark.parametrize("misfire", ["relaxed", "strict"])
def test_a_pause_ends_at_its_moment_and_leaves_nothing_owed(
    job: TaskManager, hands: Callable[..., Hands], misfire: str
) -> None:
    job.recurring("hourly", totals, cron="0 * * * *", misfire=misfire)
    tick = hands().recurring.tick
    past_the_hour = job.database.clock.now().minute
    job.database.clock.shift(timedelta(minutes=(70 - past_the_hour) % 60))  # no slot in the minute of the pause's end
    job.pause("hourly", by="ann", until=later(job, minutes=200))
    job.trigger("hourly")
    triggered = one(job).last_job_id
    job.database.clock.shift(timedelta(minutes=199))
    tick()
    assert one(job).paused
    job.database.clock.shift(timedelta(minutes=2))
    tick()
    resumed = one(job)
    assert (resumed.paused, resumed.last_job_id) == (False, triggered)
    assert resumed.next_execution is not None
    assert timedelta() < resumed.next_execution - job.database.clock.now() <= timedelta(hours=1)
    rows = job.database.read(lambda tx: audit_rows.page(tx, audit_rows.Sought(), limit=5))[0]
    assert [(r.user, r.action, r.target, r.outcome) for r in rows] == [("ann", "recurring.resume", "hourly", "done")]
    job.database.clock.shift(timedelta(hours=1))
    tick()
    assert one(job).last_job_id not in (None, triggered)


def test_a_pause_that_ended_while_no_scheduler_ran_owes_what_came_after_it(
    job: TaskManager, hands: Callable[..., Hands]
) -> None:
    job.recurring("hourly", totals, cron="0 * * * *", misfire="strict")
    job.pause("hourly", until=later(job, hours=2))
    job.database.clock.shift(timedelta(hours=5))
    hands().recurring.tick()
    assert hands().work() == 3


def test_a_sleeping_worker_is_told_when_the_next_pause_ends(job: TaskManager) -> None:
    until = later(job, minutes=10)
    job.recurring("yearly", totals, cron="0 0 1 1 *")
    job.pause("hourly", until=until)
    job.pause("yearly")
    watcher = glance.Watcher(job.database, ["default"], "me")
    found = watcher.look().recurring
    watcher.close()
    assert found == pytest.approx(until.replace(tzinfo=None).timestamp() - datetime(1970, 1, 1).timestamp(), abs=0.01)


def test_a_pause_survives_with_its_end_what_is_removed_on_the_page_and_restored(
    tm: TaskManager, hands: Callable[..., Hands]
) -> None:
    tm.job("0 * * * *", display_name="Totals")(totals)
    tm.register_recurring()
    tm.pause("Totals", by="ann", note="later", until=later(tm, hours=1))
    tm.remove("Totals", keep_pause=True)
    tm.restore_recurring()
    kept = one(tm, "Totals").pause
    assert kept is not None
    assert (kept.by, kept.note) == ("ann", "later")
    tm.database.clock.shift(timedelta(hours=2))
    hands().recurring.tick()
    assert not one(tm, "Totals").paused
    assert one(tm, "Totals").next_execution is not None


def test_a_run_may_have_other_arguments_and_the_definition_keeps_its_own(job: TaskManager) -> None:
    made = job.trigger("hourly", kwargs={"day": "friday"}, args=())
    assert json.loads(job.get(made).arguments)[0] == '"friday"'
    assert job.get(made).parameters["RecurringJobId"] == '"hourly"'
    assert "friday" not in one(job).job
    with pytest.raises(ArgumentError):
        job.trigger("hourly", kwargs={"colour": "red"})


# -- rows of c_Job ------------------------------------------------------------------------------------------------


@pytest.fixture
def number(tm: TaskManager) -> int:
    """A row of c_Job that runs each hour, planned."""
    tm.procedure("SP_Report")(lambda: "done")
    insert(tm, "0 * * * *", "SP_Report", "Report")
    tm.legacy_jobs.fire_due()
    return int(tm.recurring_list()[0].id[6:])


def test_a_row_is_paused_with_a_note_and_made_active_at_its_end(
    tm: TaskManager, number: int, hands: Callable[..., Hands]
) -> None:
    name = f"c_job:{number}"
    tm.pause(name, by="ann", note="stocktaking", until=later(tm, hours=2))
    tm.legacy_jobs.fire_due()
    paused = one(tm, name)
    assert (paused.paused, row(tm, number)["IsActive"]) == (True, 0)
    assert paused.pause is not None
    assert (paused.pause.by, paused.pause.note) == ("ann", "stocktaking")
    tm.database.clock.shift(timedelta(hours=3))
    hands().recurring.tick()
    assert row(tm, number)["IsActive"] == 1
    assert tm.legacy_jobs.fire_due() == 0, "what was missed is not made up for"
    assert (one(tm, name).paused, one(tm, name).pause) == (False, None)


def test_what_is_known_of_a_rows_pause_ends_when_an_operator_makes_it_active(
    tm: TaskManager, number: int, hands: Callable[..., Hands]
) -> None:
    q, name = tm.database.product.quote, f"c_job:{number}"
    tm.pause(name, by="ann", note="stocktaking", until=later(tm, hours=2))
    tm.legacy_jobs.fire_due()
    sql(tm, f"UPDATE {q('c_Job')} SET {q('IsActive')} = 1")
    assert one(tm, name).pause is None
    tm.legacy_jobs.fire_due()
    sql(tm, f"UPDATE {q('c_Job')} SET {q('IsActive')} = 0")
    assert (one(tm, name).paused, one(tm, name).pause) == (True, None)
    tm.database.clock.shift(timedelta(hours=3))
    hands().recurring.tick()
    assert row(tm, number)["IsActive"] == 0, "the end was that of another pause"
    tm.pause(name, by="ann")
    sql(tm, f"DELETE FROM {q('c_Job')}")
    tm.legacy_jobs.fire_due()
    assert tm.database.read(recurring.lock_free_paused) == {}


def test_what_a_row_missed_is_run_once_when_it_is_asked_for(tm: TaskManager, number: int) -> None:
    name = f"c_job:{number}"
    tm.pause(name)
    assert tm.resume(name, run_missed=True) is None, "nothing was missed"
    tm.pause(name)
    tm.database.clock.shift(timedelta(hours=3))
    made = tm.resume(name, run_missed=True, by="ann")
    assert json.loads(tm.get(made or 0).parameters["TriggeredBy"]) == "ann"
    assert row(tm, number)["IsActive"] == 1


def test_a_row_takes_no_other_arguments(tm: TaskManager, number: int) -> None:
    with pytest.raises(InvalidArgument, match="its row says"):
        tm.trigger(f"c_job:{number}", kwargs={"day": "friday"})

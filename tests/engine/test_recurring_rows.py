"""Rows of c_Job are recurring jobs like the others to who lists, triggers, pauses or removes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import AmbiguousJob, InvalidArgument, RecurringJobNotFound
from taskmanager.domain.wallclock import WallClock, wall_clock
from taskmanager.storage import doctor
from tests.conftest import history
from tests.walks.test_legacy import insert, sql


def tidy() -> None: ...


def row(tm: TaskManager, row_id: int) -> dict[str, Any]:
    table = tm.database.tables.legacy.job
    with tm.database.engine.connect() as connection:
        return dict(connection.execute(table.select().where(row_id == table.c.ID)).mappings().one())


@pytest.fixture
def ids(tm: TaskManager) -> list[str]:
    """Two rows of c_Job, as recurring jobs are named."""
    tm.procedure("SP_Report")(lambda: "12 rows")
    insert(tm, "0 2 * * *", "SP_Report", "Daily Sales Report")
    insert(tm, "61 * * * *", "SP_Other", "Hébreu עברית")
    return [r.id for r in tm.recurring_list()]


def test_rows_are_listed_with_their_names_and_what_is_wrong_with_them(tm: TaskManager, ids: list[str]) -> None:
    tm.legacy_jobs.fire_due()
    first, second = tm.recurring_list()
    planned = row(tm, int(ids[0][6:]))["NextRun"]
    assert (first.id, first.name, first.procedure, first.cron) == (
        ids[0], "Daily Sales Report", "SP_Report", "0 2 * * *",
    )  # fmt: skip
    assert first.next_execution is not None
    assert abs(tm.database.clock.to_local(first.next_execution) - planned) < timedelta(seconds=1)
    assert (first.paused, first.error, second.name) == (False, None, "Hébreu עברית")
    assert "61" in (second.error or "")


def test_a_pause_is_the_rows_own_flag_and_a_resumed_row_is_planned_anew(tm: TaskManager, ids: list[str]) -> None:
    number = int(ids[0][6:])
    tm.legacy_jobs.fire_due()
    tm.pause(ids[0])
    assert (row(tm, number)["IsActive"], row(tm, number)["NextRun"]) == (0, None)
    assert [r.paused for r in tm.recurring_list()] == [True, False]
    tm.resume(ids[0])
    tm.database.clock.shift(timedelta(days=3))
    assert tm.legacy_jobs.fire_due() == 0, "what was missed is not made up for"
    assert row(tm, number)["NextRun"] > tm.database.clock.local_now()


def test_a_row_is_run_once_when_triggered_active_or_not(tm: TaskManager, ids: list[str], hands: Any) -> None:
    tm.pause(ids[0])
    job_id = tm.trigger(ids[0])
    record = tm.get(job_id)
    assert (record.parameters["RecurringJobId"], record.parameters["TriggeredBy"]) == (f'"{ids[0]}"', '"Manual"')
    if tm.database.is_embedded:
        assert hands().work() == 1
        assert history(tm, job_id)[-1] == "Succeeded"
        assert row(tm, int(ids[0][6:]))["LastResult"] == "12 rows"


def test_a_row_is_removed(tm: TaskManager, ids: list[str]) -> None:
    assert tm.remove(ids[0])
    assert not tm.remove(ids[0])
    assert [r.id for r in tm.recurring_list()] == ids[1:]


def test_what_is_not_there_is_told(tm: TaskManager, ids: list[str]) -> None:
    for verb in (tm.pause, tm.resume, tm.trigger):
        with pytest.raises(RecurringJobNotFound, match="c_job:99"):
            verb("c_job:99")
    with pytest.raises(InvalidArgument, match="c_Job"):
        tm.recurring("c_job:5", tidy, cron="0 2 * * *")


def test_a_recurring_job_is_found_by_what_people_call_it(tm: TaskManager, ids: list[str]) -> None:
    tm.recurring("Night Watch", tidy, cron="0 3 * * *")
    find = tm.recurring_jobs.find
    assert find("night watch").id == "Night Watch"
    assert find(f"{__name__}:tidy").id == "Night Watch"
    assert find("daily sales REPORT").id == ids[0]
    with pytest.raises(RecurringJobNotFound, match="did you mean 'Night Watch'"):
        find("nigt watch")
    insert(tm, "0 2 * * *", "SP_Report", "Daily Sales Report")
    with pytest.raises(AmbiguousJob, match=f"{ids[0]}, c_job:"):
        find("Daily Sales Report")


def test_rows_are_not_listed_where_c_job_is_not_served(url: str, tm: TaskManager, ids: list[str]) -> None:
    other = TaskManager(database_url=url, doorbell=False, legacy=False)
    assert other.recurring_list() == []
    other.close()


def test_a_row_without_name_and_procedure_stands_in_nobodys_way(tm: TaskManager) -> None:
    q = tm.database.product.quote
    sql(tm, f"INSERT INTO {q('c_Job')} ({q('IsActive')}) VALUES (1)")
    (only,) = tm.recurring_list()
    assert (only.name, only.cron, only.error) == (None, "", None)
    with pytest.raises(RecurringJobNotFound):
        tm.recurring_jobs.find("run_procedure")


def test_a_row_that_is_triggered_while_it_runs_runs_once_more_after_it(
    tm: TaskManager, ids: list[str], hands: Any
) -> None:
    first, second, third = (tm.trigger(ids[0]) for _ in range(3))
    assert [tm.get(job).state for job in (first, second, third)] == ["Enqueued", "Awaiting", "Awaiting"]
    worker = hands()
    for running, following in ((first, second), (second, third)):
        tm.legacy_jobs.fire_due()
        assert tm.get(following).state == "Awaiting"
        assert worker.work() == 1
        assert tm.get(running).state in ("Succeeded", "Failed")
        tm.legacy_jobs.fire_due()
        assert tm.get(following).state == "Enqueued"


def test_a_waiting_run_that_is_deleted_holds_up_no_other(tm: TaskManager, ids: list[str], hands: Any) -> None:
    first, second, third = (tm.trigger(ids[0]) for _ in range(3))
    tm.delete(second)
    hands().work()
    tm.legacy_jobs.fire_due()
    assert [tm.get(job).state for job in (second, third)] == ["Deleted", "Enqueued"]
    assert tm.get(first).state in ("Succeeded", "Failed")


def test_the_doctor_warns_of_a_zone_without_name_where_rows_are_served(tm: TaskManager, ids: list[str]) -> None:
    clock = tm.legacy_jobs.wall_clock()
    assert clock is not None
    named = WallClock("Europe/Prague", ZoneInfo("Europe/Prague"))
    unnamed = wall_clock(None, "SYSTEM CET", timedelta(hours=1), datetime(2027, 1, 10))
    for one, warned in ((named, False), (unnamed, True), (None, False)):
        findings = doctor.examine(tm.database, wall_clock=lambda one=one: one)
        assert any(f.subject == "time zone" and "+01:00" in f.text for f in findings) is warned

"""What a run leaves in the older tables, and rows InProcess that nobody of ours runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import JobContext, TaskManager
from taskmanager.domain.states import Failed, State, Succeeded
from taskmanager.domain.targcc import items_of
from taskmanager.domain.times import to_iso, to_unix
from taskmanager.engine import targcc_check
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.targcc_outcomes import _told
from taskmanager.storage import logged, schema, servers
from tests.conftest import Hands
from tests.targcc.test_shapes import OLDER_JOB, OLDER_LOGGED


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        (Succeeded(result='"12 rows"'), None, ("12 rows", (None, None))),
        (Succeeded(result="[1, 2]"), None, ("[1, 2]", (None, None))),
        (Succeeded(result="no JSON"), None, ("no JSON", (None, None))),
        (Succeeded(result="no JSON"), "said", ("said", (None, None))),
        (Succeeded(result=None), None, (None, (None, None))),
        (Succeeded(result='{"metadata": {"SuccessCount": 9, "FailureCount": 3}}'), "9 of 12", ("9 of 12", (9, 3))),
        (Succeeded(result='{"metadata": {"FailureCount": "three"}}'), "said", ("said", (None, None))),
        (Succeeded(result='{"metadata": 3}'), "said", ("said", (None, None))),
        (Failed(exception_type="E", exception_message="no", exception_details=""), "said", ("said", (None, None))),
    ],
)
def test_what_a_run_says_and_counts(state: State, message: str | None, expected: Any) -> None:
    result = state.result if isinstance(state, Succeeded) else None
    assert (_told(state, message), items_of(result)) == expected


@pytest.fixture
def older(tmp_path: Path) -> Iterator[TaskManager]:
    """The older tables on SQLite."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/older.db", doorbell=False)
    with tm.database.engine.begin() as connection:
        for name, columns in (("c_Job", OLDER_JOB), ("c_LoggedJob", OLDER_LOGGED)):
            connection.execute(text(f'CREATE TABLE "{name}" ("ID" integer primary key, {columns})'))
    schema.upgrade(tm.database.engine, "Hangfire")
    yield tm
    tm.close()


def rows(tm: TaskManager, statement: str) -> list[tuple[Any, ...]]:
    with tm.database.engine.begin() as connection:
        found = connection.execute(text(statement))
        return [tuple(row) for row in found] if found.returns_rows else []


def left_running(tm: TaskManager, *, managed: int, last: str, timeout: str) -> None:
    rows(
        tm,
        'INSERT INTO "c_Job" ("lkpJob", "enmJobType", "WhenToRun", "Active", "IsManaged", "enmJobStatus", '
        f"\"LastRunTime\", \"TimeOutSec\") VALUES ('mnTM_X', 'Daily', '2000-01-01 02:00:00', 1, {managed}, "
        f"'InProcess', {last}, {timeout})",
    )


LONG_AGO = "'2001-01-01 00:00:00'"


@pytest.mark.parametrize(
    ("last", "timeout", "seconds"), [(LONG_AGO, "10", 10), (LONG_AGO, "NULL", 3600), ("NULL", "10", 10)]
)
def test_a_managed_row_that_another_program_left_InProcess_fails_and_is_planned_again(
    older: TaskManager, last: str, timeout: str, seconds: int
) -> None:
    left_running(older, managed=1, last=last, timeout=timeout)
    older.legacy_jobs.fire_due()
    ((status, following),) = rows(older, 'SELECT "enmJobStatus", "NextRunTime" FROM "c_Job"')
    assert (status, following) == ("Failure", None)
    ((told, remarks),) = rows(older, 'SELECT "enmRunStatus_JobStatus", "Remarks" FROM "c_LoggedJob"')
    assert (told, remarks) == ("Failure", f"its end was not reported within {seconds} s (TimeOutSec)")
    older.legacy_jobs.fire_due()
    assert rows(older, 'SELECT "ID" FROM "c_Job" WHERE "NextRunTime" LIKE \'%02:00:00%\'') == [(1,)]


@pytest.mark.parametrize(("last", "timeout"), [(LONG_AGO, "NULL"), ("NULL", "10")])
def test_an_external_programs_row_of_which_nothing_is_known_is_left_alone(
    older: TaskManager, last: str, timeout: str
) -> None:
    left_running(older, managed=0, last=last, timeout=timeout)
    older.legacy_jobs.fire_due()
    assert rows(older, 'SELECT "enmJobStatus" FROM "c_Job"') == [("InProcess",)]
    assert rows(older, 'SELECT "ID" FROM "c_LoggedJob"') == []


def test_an_external_programs_row_past_its_TimeOutSec_has_its_status_written_and_nothing_else(
    older: TaskManager,
) -> None:
    left_running(older, managed=0, last=LONG_AGO, timeout="10")
    older.legacy_jobs.fire_due()
    found = rows(older, 'SELECT "enmJobStatus", "LastRunTime", "ActivatingUser" FROM "c_Job"')
    assert found == [("Failure", "2001-01-01 00:00:00", None)]
    assert len(rows(older, 'SELECT "ID" FROM "c_LoggedJob"')) == 1


def test_a_run_whose_job_is_gone_is_freed(older: TaskManager) -> None:
    rows(older, """INSERT INTO "c_Job" ("lkpJob", "Active", "IsManaged") VALUES ('mnTM_X', 0, 1)""")
    job_id = older.trigger("c_job:1", by="dana")
    assert rows(older, 'SELECT "ActivatingUser" FROM "c_Job"') == [("dana",)]
    with older.database.engine.begin() as connection:
        connection.execute(older.database.tables.job.delete())
    older.legacy_jobs.fire_due()
    assert rows(older, 'SELECT "enmJobStatus", "NextRunTime" FROM "c_Job"') == [("Failure", None)]
    ((remarks, user),) = rows(older, 'SELECT "Remarks", "ActivatingUser" FROM "c_LoggedJob"')
    assert remarks == f"job {job_id}, which ran it, is gone, and its end was not written here"
    assert user == "dana"


def test_a_time_that_has_passed_is_told_before_a_worker_starts(older: TaskManager) -> None:
    times = {1: LONG_AGO, 2: "'2999-01-01 00:00:00'", 3: "NULL"}
    for row_id, moment in times.items():
        rows(
            older,
            'INSERT INTO "c_Job" ("ID", "lkpJob", "enmJobType", "WhenToRun", "Active", "IsManaged", "NextRunTime") '
            f"VALUES ({row_id}, 'mnTM_X', 'Daily', '2000-01-01 02:00:00', 1, 1, {moment})",
        )
    found = older.database.read(lambda tx: targcc_check.check(tx, older.legacy_jobs.targcc, None))
    told = "NextRunTime 2001-01-01 00:00:00 has passed: it runs once, at once, when a worker starts"
    assert {one.row.id: one.notes for one in found} == {1: (told,), 2: (), 3: ()}


def test_statistics_are_counted_by_the_server(older: TaskManager) -> None:
    rows(older, """INSERT INTO "c_Job" ("ID", "lkpJob") VALUES (1, 'mnTM_A'), (2, 'mnTM_B')""")
    now = older.database.read(lambda tx: tx.clock.local_now()).replace(microsecond=0)
    for job, status, seconds, started in (
        (1, "'Success'", "2", now), (1, "'warning'", "4", now), (1, "'Failure'", "NULL", now),
        (2, "NULL", "1", now), (2, "'Success'", "1", "2001-01-01 00:00:00"),
    ):  # fmt: skip
        rows(
            older,
            'INSERT INTO "c_LoggedJob" ("c_JobID", "enmRunStatus_JobStatus", "ExecutionTimeSec", "WhenStarted") '
            f"VALUES ({job}, {status}, {seconds}, '{started}')",
        )
    found = older.database.read(lambda tx: logged.statistics(tx, days=7))
    assert [(s["name"], s["runs"], s["succeeded"], s["failed"], s["average_ms"], s["longest_ms"]) for s in found] == [
        ("mnTM_A", 3, 2, 1, 3000, 4000), ("mnTM_B", 1, 0, 1, 1000, 1000),
    ]  # fmt: skip
    assert [s["last_started"] for s in found] == [now, now]


@pytest.mark.parametrize("how", ["requeued", "died"])
def test_a_run_that_its_job_goes_on_without_is_a_row_too(older: TaskManager, tmp_path: Path, how: str) -> None:
    first, second, again = Hands(older, tmp_path), Hands(older, tmp_path), list[int]()

    def long(ctx: JobContext) -> str:
        if not again:
            again.append(1)
            (running,) = first.completer.running.values()
            first.completer.record_processing(at_once=running)
            if how == "requeued":
                older.requeue(ctx.job_id)
            else:
                older.database.run(lambda tx: servers.bury(tx, first.id, started=[ctx.job_id]))
        return "done"

    older.job(display_name="long", retries=0)(long)
    rows(older, """INSERT INTO "c_Job" ("lkpJob", "Active", "IsManaged") VALUES ('long', 0, 1)""")
    older.trigger("c_job:1", by="dana")
    first.worker.perform(*first.claim())
    if how == "requeued":
        first.completer.flush()
    assert second.work() == 1
    first.completer.flush()
    first.close()
    second.close()
    told = rows(older, 'SELECT "enmRunStatus_JobStatus", "Remarks" FROM "c_LoggedJob" ORDER BY "ID"')
    lost = f"worker lost: {first.id} was gone before the job had ended"
    moved = "Not counted: the job was moved to Enqueued while it ran; it ended as Succeeded"
    assert told == [("Failure", moved if how == "requeued" else lost), ("Success", "done")]
    assert rows(older, 'SELECT "enmJobStatus" FROM "c_Job"') == [("Success",)]


def test_a_row_that_is_resumed_runs_for_what_it_missed_only_when_that_is_asked_for(older: TaskManager) -> None:
    ran = list[int]()

    def tick(ctx: JobContext) -> None:
        ran.append(ctx.job_id)

    older.job(display_name="tick", retries=0)(tick)
    older.database.read(lambda tx: tx.now())
    ago = older.database.clock.local_now() - timedelta(days=3)
    ids = {}
    for kind, every in {"CyclicSec": 30, "CyclicMin": 2, "CyclicHour": 1, "OneOff": None, "Daily": None}.items():
        when, last = (ago + timedelta(days=4), None) if kind == "OneOff" else ("2000-01-01 02:00:00", ago)
        rows(
            older,
            'INSERT INTO "c_Job" ("lkpJob", "lkpJobRunner", "Active", "IsManaged", "enmJobType", "CyclicCount", '
            f"\"WhenToRun\", \"LastRunTime\") VALUES ('tick', '{kind}', 1, 1, '{kind}', {every or 'NULL'}, '{when}', "
            f"{'NULL' if last is None else repr(str(last))})",
        )
        ids[kind] = rows(older, 'SELECT MAX("ID") FROM "c_Job"')[0][0]
    work(older)
    for run_missed in (False, True):
        for row_id in ids.values():
            older.pause(f"c_job:{row_id}")
        older.database.clock.shift(timedelta(days=3))
        work(older)
        ran.clear()
        made = {kind: older.resume(f"c_job:{row_id}", run_missed=run_missed) for kind, row_id in ids.items()}
        assert {kind for kind, job in made.items() if job is not None} == (set(ids) if run_missed else set())
        work(older)
        assert sorted(ran) == sorted(job for job in made.values() if job is not None)
        times = dict(rows(older, 'SELECT "enmJobType", "NextRunTime" FROM "c_Job"'))
        assert times.pop("OneOff") is None, "its time was over when it was resumed"
        assert min(times.values()) > str(older.database.clock.local_now())


def work(tm: TaskManager) -> None:
    """What a worker does in a second."""
    assert tm.legacy_jobs is not None
    for _ in range(2):
        tm.legacy_jobs.fire_due()
        tm.testing.drain()


def test_lists_see_of_the_rows_what_the_rows_are(older: TaskManager) -> None:
    """At a glance, and read some at a time: as when all are read whole."""
    columns = "lkpJob, lkpJobRunner, enmJobType, WhenToRun, Active, IsManaged, NextRunTime, LastRunTime"
    for values in (
        "'mnTM_X', 'Day', 'Daily', '2020-01-01 02:00:00', 1, 1, '2030-01-01 02:00:00', '2025-01-01 00:00:00'",
        "'NoSuchJob', '', 'Daily', '2020-01-01 02:00:00', 0, 0, NULL, NULL",
        "'spSaveDatabaseStatistics', '', 'Daily', '2020-01-01 02:00:00', 1, 1, 'soon', NULL",
    ):
        rows(older, f'INSERT INTO "c_Job" ({columns}) VALUES ({values})')
    jobs = older.recurring_jobs
    whole = jobs.rows()
    seen = older.database.read(lambda tx: jobs.row_glances(tx, moments=True, texts=True))
    assert [(g.id, g.row, g.is_error, g.is_paused, g.cron, g.procedure, g.name, g.last) for g in seen] == [
        (r.id, n, r.error is not None, r.paused, r.cron, r.procedure, r.name,
         to_iso(r.last_execution) if r.last_execution else "")
        for n, r in enumerate(whole, 1)
    ]  # fmt: skip
    assert [g.due for g in seen] == [r.next_execution and to_unix(r.next_execution) for r in whole]
    assert [g.job for g in seen] == ["" if r.procedure else r.job for r in whole]
    assert jobs.get("c_job:2") == whole[1]
    some = older.database.read(lambda tx: jobs.some_rows(tx, [3, 1, 9]))
    assert sorted(some, key=lambda one: one.id) == [whole[0], whole[2]]


class Refusing(Filter):
    """A filter of the application that cannot live with a success."""

    def applied(self, context: Electing, state: State) -> None:
        if isinstance(state, Succeeded):
            raise ZeroDivisionError("a filter of the application")


def test_a_run_whose_outcome_is_refused_is_one_row_and_its_row_goes_on(older: TaskManager, tmp_path: Path) -> None:
    worker = Hands(older, tmp_path)

    def quick() -> str:
        return "done"

    older.job(display_name="long", retries=0)(quick)
    older.add_filter(Refusing())
    rows(older, """INSERT INTO "c_Job" ("lkpJob", "Active", "IsManaged") VALUES ('long', 0, 1)""")
    job_id = older.trigger("c_job:1", by="dana")
    assert worker.work() == 1
    worker.close()
    assert older.get(job_id).state == "Failed"
    assert older.legacy_jobs is not None
    older.legacy_jobs.fire_due()
    told = rows(older, 'SELECT "enmRunStatus_JobStatus" FROM "c_LoggedJob"')
    assert told == [("Failure",)]
    assert rows(older, 'SELECT "enmJobStatus" FROM "c_Job"') == [("Failure",)]

"""Every run leaves one row in the history, whatever becomes of its job while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, text

from taskmanager import JobContext, TaskManager
from taskmanager.storage import legacy_shape, logged, servers
from tests.conftest import Hands

pytestmark = pytest.mark.timeout(60)


def runs(tm: TaskManager, job_id: int) -> list[dict[str, Any]]:
    """The rows of a job, oldest first."""
    found = tm.database.read(lambda tx: logged.history(tx, name=None, limit=100))
    return [dict(row) for row in reversed(found) if row["JobId"] == str(job_id)]


def record(worker: Hands, ctx: JobContext) -> None:
    """Let everybody see that a job is Processing."""
    (running,) = [r for r in worker.completer.running.values() if r.context is ctx]
    worker.completer.record_processing(at_once=running)
    assert running.recorded


def told(case: str) -> str:
    """What a job of the test returns."""
    return f"{case}: done"


def test_a_run_leaves_a_row_whatever_becomes_of_its_job_meanwhile(tm: TaskManager, hands: Any) -> None:
    rows, job = tm.database.tables.queue, tm.database.tables.job

    def sql(*statements: Any) -> Callable[[int], None]:
        def work(job_id: int) -> None:
            with tm.database.engine.begin() as connection:
                for one in statements:
                    connection.execute(one, {"id": job_id})

        return work

    mine, its = job.c.Id == bindparam("id"), rows.c.JobId == bindparam("id")
    away, gone = rows.delete().where(its), job.delete().where(mine)
    held = rows.update().where(its).values(FetchToken="another.1")
    cancelled = "Cancelled: the job was deleted while it ran"

    def in_vain(why: str) -> str:
        return f"Not counted: {why} while it ran; it ended as Succeeded"

    ways: dict[str, tuple[Callable[[int], Any], int, str]] = {
        "left alone": (lambda i: None, 1, "left alone: done"),
        "requeued": (tm.requeue, 0, in_vain("the job was moved to Enqueued")),
        "rescheduled": (
            lambda i: tm.reschedule(i, delay=timedelta(hours=1)), 0, in_vain("the job was moved to Scheduled"),
        ),
        "deleted": (tm.delete, 0, cancelled),
        "its queue row deleted": (sql(away), 0, cancelled),
        "its rows deleted": (sql(away, gone), 0, in_vain("the job was deleted from the database")),
        "its claim given up": (sql(held), 0, in_vain("its claim was given up")),
        "Deleted by SQL": (sql(job.update().where(mine).values(StateName="Deleted")), 0, cancelled),
    }  # fmt: skip
    worker, ids, first = hands(), dict[str, int](), set[str]()

    def work(ctx: JobContext, case: str) -> str:
        if case not in first:
            first.add(case)
            record(worker, ctx)
            ways[case][0](ids[case])
        return told(case)

    job_of = tm.job(display_name="Work")(work)
    ids |= {case: job_of.enqueue(case) for case in ways}
    for claim in [*worker.claim(), *worker.claim()]:
        worker.worker.perform(claim)
    worker.completer.flush()
    for case, (_, success, message) in ways.items():
        (run,) = runs(tm, ids[case])
        assert (run["JobName"], run["Success"], run["ResultMessage"] or "") == ("Work", success, message), case
        assert (run["ErrorMessage"], run["ServerName"], run["TriggeredBy"]) == (None, worker.id, "System")
        assert run["CompletedAt"] >= run["StartedAt"]
        assert run["DurationMs"] >= 0
    assert worker.work() == 1, "the one that was requeued"
    first_run, second = runs(tm, ids["requeued"])
    assert (first_run["Success"], second["Success"], second["ResultMessage"]) == (0, 1, "requeued: done")


def test_a_run_that_failed_while_its_job_was_requeued_tells_its_error(tm: TaskManager, hands: Any) -> None:
    worker = hands()

    def fails(ctx: JobContext) -> None:
        record(worker, ctx)
        tm.requeue(ctx.job_id)
        raise ValueError("no paper")

    job_id = tm.job(retries=0)(fails).enqueue()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    worker.completer.flush()
    (run,) = runs(tm, job_id)
    assert (run["Success"], run["ErrorMessage"]) == (0, "no paper")
    assert run["ResultMessage"].endswith("it ended as Failed")
    assert 'raise ValueError("no paper")' in run["StackTrace"]


@pytest.mark.parametrize("who", ["worker", "person"])
def test_a_run_whose_process_died_is_told_of_by_who_takes_its_job_over_and_once(
    tm: TaskManager, hands: Any, who: str
) -> None:
    dead, other, alive = hands(), hands(), list[bool]()

    def long(ctx: JobContext) -> str:
        if not alive:
            record(dead, ctx)
        return "done"

    job_id = tm.job(long, display_name="Long").enqueue()
    (claim,) = dead.claim()
    dead.worker.perform(claim)  # and its outcome is not written
    alive.append(True)
    tm.database.run(lambda tx: servers.bury(tx, dead.id, started=[job_id]))
    assert runs(tm, job_id) == [], "nobody has taken it over"
    if who == "person":
        assert tm.requeue(job_id)
        assert len(runs(tm, job_id)) == 1, "told at once"
    assert other.work() == 1
    lost, second = runs(tm, job_id)
    assert (lost["JobName"], lost["Success"], lost["ServerName"]) == ("Long", 0, dead.id)
    assert lost["ErrorMessage"] == f"worker lost: {dead.id} was gone before the job had ended"
    assert (lost["CompletedAt"], lost["DurationMs"], lost["CpuTimeMs"]) == (None, None, None)
    assert (second["Success"], second["ServerName"]) == (1, other.id)
    assert tm.database.clock.to_utc(lost["StartedAt"]) == tm.get(job_id).history[1].created_at.replace(microsecond=0)
    dead.completer.flush()
    assert len(runs(tm, job_id)) == 2, "it had been frozen only, and its end is of the run that is told"


def test_runs_under_which_three_processes_died_are_three_rows(tm: TaskManager, hands: Any) -> None:
    at_work = list[Hands]()

    def kills(ctx: JobContext) -> None:
        record(at_work[-1], ctx) if at_work[-1].completer.running else None

    job_id = tm.job(display_name="Kills")(kills).enqueue()
    for _ in range(3):
        at_work.append(hands())
        (claim,) = at_work[-1].claim()
        at_work[-1].worker.perform(claim)
        tm.database.run(lambda tx: servers.bury(tx, at_work[-1].id, started=[job_id]))
    assert hands().work() == 1
    assert tm.get(job_id).state == "Failed"
    assert [(r["JobName"], r["ServerName"], r["Success"]) for r in runs(tm, job_id)] == [
        ("Kills", one.id, 0) for one in at_work
    ]


def test_a_run_that_a_server_puts_back_when_it_stops_is_a_row(tm: TaskManager, hands: Any) -> None:
    worker, go, begun = hands(), threading.Event(), threading.Event()

    def obeys(ctx: JobContext) -> None:
        record(worker, ctx)
        ctx.cancellation.cancel("the server stops", stopping=True)
        ctx.raise_if_cancelled()

    def does_not(ctx: JobContext) -> None:
        record(worker, ctx)
        begun.set()
        go.wait(20)

    for one in (obeys, does_not):
        tm.job(retries=0)(one)
        tm.recurring(one.__name__, one, cron="0 0 1 1 *")
    ids = [tm.trigger(one.__name__, by="ann") for one in (obeys, does_not)]
    first, second = worker.claim()
    worker.worker.perform(first)
    thread = threading.Thread(target=worker.worker.perform, args=(second,))
    thread.start()
    assert begun.wait(20)
    worker.completer.flush()
    worker.worker.claims.give_back_running()
    go.set()
    thread.join()
    for job_id in ids:
        (run,) = runs(tm, job_id)
        assert (run["Success"], run["ErrorMessage"]) == (0, None)
        assert (run["JobType"], run["TriggeredBy"]) == ("Recurring", "ann")
        assert run["ResultMessage"] == "Not counted: the server stopped before the job ended"
        assert tm.get(job_id).state == "Enqueued"


def test_while_the_history_is_renamed_away_jobs_go_on_and_rows_come_again_with_it(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, quote = hands(), tm.database.product.quote

    def rename(old: str, new: str) -> None:
        with tm.database.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}"))

    job = tm.job(retries=0, display_name="Work")(told)
    ids = [job.enqueue("before")]
    worker.work()
    rename("c_LoggedJob", "c_LoggedJob_2025")
    try:
        ids += [job.enqueue("meanwhile"), job.enqueue("meanwhile")]
        worker.work()
    finally:
        rename("c_LoggedJob_2025", "c_LoggedJob")
    monkeypatch.setattr(legacy_shape, "RECHECK_SECONDS", 0.0)
    ids.append(job.enqueue("after"))
    worker.work()
    assert [tm.get(i).state for i in ids] == ["Succeeded"] * 4
    assert [len(runs(tm, i)) for i in ids] == [1, 0, 0, 1]


def test_a_run_that_took_too_long_is_a_failure_that_says_so(tm: TaskManager, hands: Any) -> None:
    worker = hands()

    def overruns(ctx: JobContext) -> None:
        record(worker, ctx)
        ctx.timed_out = True
        ctx.cancellation.cancel("the job ran longer than its timeout of 1 s")
        ctx.raise_if_cancelled()

    job_id = tm.job(retries=0, timeout=1)(overruns).enqueue()
    worker.work()
    (run,) = runs(tm, job_id)
    assert (run["Success"], run["ErrorMessage"]) == (0, "the job ran longer than its timeout of 1 s")
    assert "JobTimeout" in run["StackTrace"]


def test_where_the_history_refuses_a_row_the_job_ends_without_it(tm: TaskManager, hands: Any) -> None:
    if not tm.database.is_embedded:
        pytest.skip("a trigger of SQLite stands for a DBA's")
    job = tm.job(retries=0)(told)
    refused, taken = job.enqueue("refused"), job.enqueue("taken")
    with tm.database.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER refusing BEFORE INSERT ON c_LoggedJob "
                f"WHEN NEW.JobId = '{refused}' BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            )
        )
    hands().work()
    assert (tm.get(refused).state, tm.get(taken).state) == ("Failed", "Succeeded")
    assert [len(runs(tm, one)) for one in (refused, taken)] == [0, 1]

"""The main walks, read as they happen: on every database, ticked by hand."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from taskmanager import JobContext, JobResult, Retry, TaskManager
from taskmanager.domain.records import Claim
from taskmanager.domain.states import Succeeded
from taskmanager.engine import expiring
from taskmanager.storage import queues, recurring, servers, structures
from tests.conftest import history


def greet(name: str) -> str:
    return f"hello {name}"


def broken() -> None:
    raise ValueError("broken on purpose 💥")


def test_a_job_is_enqueued_claimed_performed_and_its_history_kept(tm: TaskManager, hands: Any) -> None:
    job = tm.job(greet)
    job_id = job.enqueue("wörld 😀")
    assert hands().work() == 1
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    record = tm.get(job_id)
    assert record.result == "hello wörld 😀"
    assert record.expire_at is not None
    assert tm.database.run(lambda tx: structures.counts_of(tx, ["stats:succeeded"])) == {"stats:succeeded": 1}


def test_a_claimed_job_is_not_claimed_again(tm: TaskManager, hands: Any) -> None:
    job = tm.job(greet)
    for _ in range(6):
        job.enqueue("x")
    first, second = hands(), hands()
    ids = [c.job_id for c in first.claim()] + [c.job_id for c in second.claim()]
    assert len(ids) == len(set(ids)) == 6


def test_a_failure_is_retried_by_its_policy_and_ends_in_failed(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(retries=1, delays=[60])(broken).enqueue()
    worker = hands()
    worker.work()
    assert history(tm, job_id) == ["Enqueued", "Processing", "Failed", "Scheduled"]
    worker.delayed.tick()
    assert history(tm, job_id)[-1] == "Scheduled", "it is not due yet"
    tm.database.clock.shift(timedelta(seconds=61))
    worker.delayed.tick()
    worker.work()
    assert history(tm, job_id)[-3:] == ["Enqueued", "Processing", "Failed"]
    failed = tm.get(job_id)
    assert failed.expire_at is None
    assert failed.current is not None
    assert "broken on purpose 💥" in failed.current.data["ExceptionDetails"]
    assert failed.parameters["RetryCount"] == "1"
    assert tm.database.run(lambda tx: structures.members(tx, "retries")) == {}
    assert tm.database.run(lambda tx: structures.members(tx, "schedule")) == {}


def test_a_job_may_ask_to_be_run_again(tm: TaskManager, hands: Any) -> None:
    def again(ctx: JobContext) -> int:
        if ctx.attempt < 3:
            raise Retry(delay=0)
        return ctx.attempt

    job_id = tm.job(retries=2)(again).enqueue()
    worker = hands()
    for _ in range(3):
        worker.work()
    assert tm.get(job_id).result == 3


def test_a_delayed_job_waits_for_its_moment_by_the_database_clock(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).schedule("x", delay=timedelta(hours=1))
    worker = hands()
    worker.delayed.tick()
    assert worker.work() == 0
    tm.database.clock.shift(timedelta(hours=1, seconds=1))
    worker.delayed.tick()
    assert worker.work() == 1
    assert history(tm, job_id) == ["Scheduled", "Enqueued", "Processing", "Succeeded"]


def test_a_recurring_slot_is_fired_once_by_any_number_of_schedulers(tm: TaskManager, hands: Any) -> None:
    tm.recurring("nightly", greet, args=("x",), cron="0 2 * * *")
    one, two = hands(), hands()
    tm.database.clock.shift(timedelta(days=1))
    one.recurring.tick()
    two.recurring.tick()
    assert one.work() + two.work() == 1
    record = tm.recurring_list()[0]
    assert record.last_job_id is not None
    assert tm.get(record.last_job_id).parameters["RecurringJobId"] == '"nightly"'
    assert record.next_execution is not None
    assert record.next_execution > tm.database.clock.now()


def test_a_strict_recurring_job_owes_every_missed_slot(tm: TaskManager, hands: Any) -> None:
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *", misfire="strict")
    tm.database.clock.shift(timedelta(hours=5))
    worker = hands()
    worker.recurring.tick()
    claimed = worker.claim() + worker.claim()
    assert len(claimed) == 5
    stamps = [int(c.parameters["Time"]) for c in claimed]
    assert [b - a for a, b in itertools.pairwise(stamps)] == [3600] * 4


def test_a_paused_recurring_job_does_not_fire_and_keeps_its_cron(tm: TaskManager, hands: Any) -> None:
    tm.recurring("r", greet, args=("x",), cron="0 * * * *")
    tm.pause("r")
    tm.database.clock.shift(timedelta(hours=3))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 0
    assert (tm.recurring_list()[0].cron, tm.recurring_list()[0].paused) == ("0 * * * *", True)
    tm.resume("r")
    worker.recurring.tick()
    assert worker.work() == 0, "what was due during the pause is not owed"
    tm.database.clock.shift(timedelta(hours=1))
    worker.recurring.tick()
    assert worker.work() == 1


def test_a_broken_recurring_job_does_not_stop_the_others(tm: TaskManager, hands: Any) -> None:
    tm.recurring("good", greet, args=("x",), cron="0 * * * *")
    tm.recurring("bad", greet, args=("x",), cron="0 * * * *")
    tm.database.run(lambda tx: structures.set_fields(tx, recurring.HASH + "bad", {"Cron": "nonsense"}))
    tm.database.clock.shift(timedelta(hours=1))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 1
    errors = {r.id: r.error for r in tm.recurring_list()}
    assert errors["good"] is None
    assert "nonsense" in (errors["bad"] or "")


def test_a_continuation_runs_after_its_parent_with_its_result(tm: TaskManager, hands: Any) -> None:
    def after(ctx: JobContext) -> Any:
        return ctx.antecedent_result

    parent = tm.job(greet).enqueue("x")
    child = tm.job(after).continue_after(parent)
    worker = hands()
    assert history(tm, child) == ["Awaiting"]
    worker.work()
    worker.work()
    assert history(tm, child) == ["Awaiting", "Enqueued", "Processing", "Succeeded"]
    assert tm.get(child).result == "hello x"


def test_a_continuation_of_a_deleted_parent_is_deleted(tm: TaskManager) -> None:
    parent = tm.job(greet).enqueue("x")
    child = tm.definition(greet)
    waiting = tm.continue_definition(parent, child, ("y",), {}, {}, "success")
    tm.delete(parent)
    assert history(tm, waiting) == ["Awaiting", "Deleted"]


def test_a_deleted_job_is_not_run_and_can_be_requeued(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).enqueue("x")
    assert tm.delete(job_id)
    worker = hands()
    assert worker.work() == 0
    assert tm.requeue(job_id)
    assert worker.work() == 1
    assert history(tm, job_id) == ["Enqueued", "Deleted", "Enqueued", "Processing", "Succeeded"]
    counts = tm.database.run(lambda tx: structures.counts_of(tx, ["stats:deleted", "stats:succeeded"]))
    assert counts == {"stats:deleted": 0, "stats:succeeded": 1}


def test_a_retried_job_goes_back_to_its_own_queue(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(retries=1, delays=[0], queue="mail")(broken).enqueue()
    worker = hands(queues=("mail",))
    worker.work()
    assert worker.work() == 1
    assert tm.get(job_id).state == "Failed"
    tm.requeue(job_id)
    assert [c.queue for c in worker.claim()] == ["mail"]


def test_smaller_priorities_run_first(tm: TaskManager, hands: Any) -> None:
    job = tm.job(greet)
    ids = [job.options(priority=p).enqueue("x") for p in (5, 0, -3)]
    assert [c.job_id for c in hands().claim()] == [ids[2], ids[1], ids[0]]


def test_a_paused_queue_gives_nothing_until_it_is_resumed(tm: TaskManager, hands: Any) -> None:
    tm.job(greet).enqueue("x")
    tm.pause_queue("default")
    worker = hands()
    assert worker.work() == 0
    tm.resume_queue("default")
    assert worker.work() == 1


def test_enqueue_in_the_callers_session_commits_and_rolls_back_with_it(tm: TaskManager, hands: Any) -> None:
    job = tm.job(greet)
    with Session(tm.database.engine) as session:
        job.options(session=session).enqueue("gone")
        session.rollback()
    with Session(tm.database.engine) as session:
        kept = job.options(session=session).enqueue("kept")
        session.commit()
    assert [c.job_id for c in hands().claim()] == [kept]


def test_enqueue_many_keeps_order_and_ids(tm: TaskManager, hands: Any) -> None:
    ids = tm.enqueue_many(greet, [(f"n{i}",) for i in range(25)], batch=10)
    assert ids == sorted(set(ids))
    assert [tm.get(i).arguments for i in ids[:2]] == ['["\\"n0\\""]', '["\\"n1\\""]']


def test_an_enqueue_whose_commit_was_in_doubt_is_not_doubled(tm: TaskManager) -> None:
    from taskmanager.engine.client import new_key

    definition, key = tm.definition(greet), new_key()
    new = [tm._new(definition, ("x",), {}, {}) for _ in range(3)]
    first = tm.client.run_once(key, lambda tx: tm.client.create_in(tx, new, key))
    again = tm.client.run_once(key, lambda tx: tm.client.create_in(tx, new, key))
    assert first == again


def test_a_dead_servers_claims_go_back_and_its_late_outcome_is_refused(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).enqueue("x")
    dead, living = hands(), hands()
    claims = dead.claim()
    assert tm.database.run(lambda tx: servers.bury(tx, dead.id, started=[])) == (1, 0)
    assert living.work() == 1
    dead.worker.perform(claims[0])
    dead.completer.flush()
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"], "the fenced outcome left no trace"


def test_a_job_that_kills_its_processes_is_failed_after_three_deaths(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).enqueue("x")
    for _ in range(3):
        doomed = hands()
        doomed.claim()
        tm.database.run(lambda tx, d=doomed: servers.bury(tx, d.id, started=[job_id]))
    hands().work()
    record = tm.get(job_id)
    assert record.state == "Failed"
    assert record.current is not None
    assert "3 worker processes died" in record.current.data["ExceptionMessage"]


def test_a_job_type_nobody_knows_is_left_for_others_then_failed(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).enqueue("x")
    stranger = TaskManager(tm.settings, database=tm.database)
    ignorant = hands(unknown_seconds=300.0)
    ignorant.worker.performer.registry = stranger.registry
    ignorant.work()
    ignorant.worker.tick()
    assert tm.get(job_id).state == "Enqueued"
    assert [c.job_id for c in hands().claim()] == [job_id], "another server may take it at once"


def test_an_operators_change_by_sql_wins_over_the_outcome(tm: TaskManager, hands: Any) -> None:
    job_id = tm.job(greet).enqueue("x")
    worker = hands()
    claims = worker.claim()
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == job_id).values(StateName="Deleted"))
    worker.worker.perform(claims[0])
    worker.completer.flush()
    assert tm.get(job_id).state == "Deleted"
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [job_id])) == set()


@pytest.mark.parametrize(
    ("data", "arguments", "words"),
    [
        ("{broken", "[]", "not valid JSON"),
        ('{"Type":"x"}', "[]", "names no Type and Method"),
        (None, '["1","2","3"]', "greet"),
        (None, "{}", "not a JSON array"),
    ],
)
def test_a_row_written_badly_by_hand_fails_alone(
    tm: TaskManager, hands: Any, data: str | None, arguments: str, words: str
) -> None:
    bad, good = tm.job(greet).enqueue("x"), tm.job(greet).enqueue("y")
    table = tm.database.tables.job
    values = {"Arguments": arguments} | ({"InvocationData": data} if data else {})
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == bad).values(**values))
    hands().work()
    assert (tm.get(bad).state, tm.get(good).state) == ("Failed", "Succeeded")
    begun = ["Processing"] if "greet" in words else []
    assert history(tm, bad) == ["Enqueued", *begun, "Failed"], "not tried again: it would end the same"
    failed = tm.get(bad).current
    assert failed is not None
    assert words in failed.data["ExceptionMessage"]


def test_a_queue_row_whose_job_is_gone_is_dropped(tm: TaskManager, hands: Any) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(123456, "default", 0)]))
    hands().work()
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [123456])) == set()


def test_what_a_job_raises_never_leaves_it(tm: TaskManager, hands: Any) -> None:
    def leaves() -> None:
        raise SystemExit(3)

    def generates() -> Any:
        async def numbers() -> Any:
            yield 1

        return numbers()

    def says_no() -> JobResult:
        return JobResult.fail("no")

    ids = [tm.job(retries=0)(f).enqueue() for f in (leaves, generates, says_no)]
    hands().work()
    states = [tm.get(i).current for i in ids]
    assert [s.name for s in states if s] == ["Failed"] * 3
    assert ["sys.exit(3)" in states[0].data["ExceptionMessage"], states[2].data["ExceptionMessage"]] == [True, "no"]  # type: ignore[union-attr]


def test_every_run_is_written_to_the_history_table(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import logged

    tm.job(display_name="Greeting")(greet).enqueue("x")
    tm.job(retries=0, display_name="Broken")(broken).enqueue()
    hands().work()
    rows = {r["JobName"]: r for r in tm.database.run(lambda tx: logged.history(tx, name=None, limit=10))}
    assert (rows["Greeting"]["Success"], rows["Broken"]["Success"]) == (1, 0)
    assert "ValueError" in rows["Broken"]["StackTrace"]


@pytest.mark.parametrize("heard", [True, False])
def test_a_run_that_was_cancelled_is_in_the_history_too(tm: TaskManager, hands: Any, heard: bool) -> None:
    from taskmanager.storage import logged

    def works(ctx: JobContext) -> str:
        tm.delete(ctx.job_id)
        if heard:
            ctx.cancellation.cancel("the job was moved to Deleted")
            ctx.cancellation.raise_if_cancelled()
        return "done"

    job_id = tm.job(display_name="Works")(works).enqueue()
    hands().work()
    (row,) = tm.database.run(lambda tx: logged.history(tx, name=None, limit=10))
    assert (row["JobName"], row["JobId"], row["Success"], row["ErrorMessage"]) == ("Works", str(job_id), 0, None)
    assert row["ResultMessage"] == f"Cancelled: the job was {'moved to Deleted' if heard else 'deleted while it ran'}"
    assert tm.get(job_id).state == "Deleted"


def test_the_log_and_progress_of_a_job_are_kept(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import job_log

    def talks(ctx: JobContext) -> None:
        for _ in ctx.track(range(2)):
            ctx.log.info("line %d", 1)

    job_id = tm.job(talks).enqueue()
    hands().work()
    (_, _, lines), *_ = tm.database.run(lambda tx: job_log.of(tx, job_id))
    assert lines.count("line 1") == 2


def test_expired_jobs_go_with_all_that_is_theirs(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import job_log, jobs

    job_id = tm.job(greet).enqueue("x")
    hands().work()
    tm.database.clock.shift(timedelta(days=2))
    assert not tm.database.run(lambda tx: expiring.expire_jobs(tx, tm.transitions, 10)), "that was all"
    assert tm.database.run(lambda tx: jobs.read(tx, job_id)) is None
    assert tm.database.run(lambda tx: job_log.of(tx, job_id)) == []


def test_counters_are_rolled_up_without_losing_any(tm: TaskManager) -> None:
    from taskmanager.storage import expiry

    for _ in range(5):
        tm.database.run(lambda tx: structures.add_counts(tx, {("k", None): 2}))
    assert tm.database.run(lambda tx: expiry.roll_up(tx, 3)) == 3
    assert tm.database.run(lambda tx: expiry.roll_up(tx, 10)) == 2
    assert tm.database.run(lambda tx: structures.counts_of(tx, ["k"])) == {"k": 10}


def test_release_is_fenced_by_the_token(tm: TaskManager, hands: Any) -> None:
    tm.job(greet).enqueue("x")
    (held,) = hands().claim()
    stale = Claim(held.queue_id, held.job_id, held.queue, "somebody-else.1")
    assert tm.database.run(lambda tx: queues.release(tx, [stale])) == 0
    assert tm.database.run(lambda tx: queues.release(tx, [held])) == 1
    assert Succeeded.final

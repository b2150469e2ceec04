"""The kit for users' own tests, on every database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from taskmanager import JobContext, JobFailed, TaskManager
from tests.conftest import history

pytestmark = pytest.mark.one_server


def greet(name: str, times: int = 1) -> str:
    return f"hello {name}" * times


def broken() -> None:
    raise ValueError("broken")


def test_drain_runs_what_is_due_and_what_that_enqueues(tm: TaskManager) -> None:
    greeting = tm.job(queue="mail")(greet)

    def parent() -> None:
        greeting.enqueue("child")

    first = tm.job(parent).enqueue()
    later = greeting.schedule("later", delay=60)
    assert tm.testing.drain() == 2
    assert history(tm, first)[-1] == "Succeeded"
    assert history(tm, later) == ["Scheduled"]
    tm.testing.move_time(timedelta(seconds=61))
    assert tm.testing.drain() == 1
    assert tm.get(later).result == "hello later"


def test_drain_of_some_queues_leaves_the_others(tm: TaskManager) -> None:
    job = tm.job(greet)
    mail, other = job.options(queue="mail").enqueue("x"), job.enqueue("y")
    assert tm.testing.drain(["mail"]) == 1
    assert (tm.get(mail).state, tm.get(other).state) == ("Succeeded", "Enqueued")


def test_moved_time_makes_recurring_jobs_and_retries_due(tm: TaskManager) -> None:
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *")
    failing = tm.job(retries=1, delays=[30])(broken).enqueue()
    assert tm.testing.drain() == 1
    tm.testing.move_time(31)
    tm.testing.drain()
    assert tm.get(failing).state == "Failed"
    tm.testing.move_time(3600)
    assert tm.testing.drain() == 1


def test_a_job_that_enqueues_itself_does_not_hang_the_test(tm: TaskManager) -> None:
    def again(ctx: JobContext) -> None:
        job.enqueue()

    job = tm.job(again)
    job.enqueue()
    with pytest.raises(JobFailed, match="5 jobs have run"):
        tm.testing.drain(most=5)


def test_inline_runs_a_job_before_enqueue_returns(tm: TaskManager) -> None:
    with tm.testing.inline():
        job_id = tm.enqueue(greet, "x")
        assert tm.get(job_id).result == "hello x"
        child = tm.job(greet).continue_after(job_id, "child")
        assert tm.get(child).result == "hello child"
        with pytest.raises(ValueError, match="broken"):
            tm.job(retries=0)(broken).enqueue()
    assert tm.get(tm.enqueue(greet, "x")).state == "Enqueued"


def test_inline_may_keep_errors_with_the_job(tm: TaskManager) -> None:
    with tm.testing.inline(raise_errors=False):
        assert tm.get(tm.job(retries=0)(broken).enqueue()).state == "Failed"


def test_record_writes_nothing_and_tells_what_would_have_been(tm: TaskManager) -> None:
    with tm.testing.record() as jobs:
        first = tm.job(queue="mail")(greet).enqueue("x", times=2)
        tm.job(greet).schedule("y", delay=60)
        tm.job(greet).continue_after(first, "z")
        tm.enqueue_many(greet, [("a",), ("b",)])
    assert [j.args for j in jobs[:2]] == [{"name": "x", "times": 2}, {"name": "y"}]
    assert jobs[0].name.endswith(":greet")
    assert (jobs[0].queue, jobs[2].parent_id, len(jobs)) == ("mail", first, 5)
    assert jobs[1].at is not None
    assert tm.testing.drain() == 0

"""When a failed job is tried again: Hangfire's formula, own delays, lists of exceptions, and what a job asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskmanager import JobContext, Retry, TaskManager
from taskmanager.domain.retry import RetryPolicy, hangfire_delay
from tests.conftest import history


@pytest.mark.parametrize(("retry", "least", "most"), [(1, 15, 44), (2, 16, 74), (3, 31, 118), (10, 6576, 6866)])
def test_the_pause_is_hangfires(retry: int, least: int, most: int) -> None:
    seen = {hangfire_delay(retry) for _ in range(2000)}
    assert (min(seen), max(seen)) == (least, most)
    assert {(one - least) % retry for one in seen} == {0}
    assert RetryPolicy().delay(retry) in {float(s) for s in range(least, most + 1)}


def test_delays_of_ones_own_are_kept_the_last_repeats_and_jitter_adds_a_share() -> None:
    plain, spread = RetryPolicy(delays=(1, 10)), RetryPolicy(delays=(10,), jitter=0.5)
    assert [plain.delay(n) for n in (1, 2, 3)] == [1, 10, 10]
    seen = {spread.delay(1) for _ in range(500)}
    assert len(seen) > 100
    assert 10 <= min(seen) < 11
    assert 14 < max(seen) <= 15


def test_a_retry_waits_as_long_as_it_says_by_the_databases_clock(tm: TaskManager, hands: Any) -> None:
    def fails() -> None:
        raise OSError("gone")

    job_id = tm.job(retries=2)(fails).enqueue()
    worker = hands()
    worker.work()
    (failed, scheduled) = tm.get(job_id).history[-2:]
    assert (failed.name, scheduled.name) == ("Failed", "Scheduled")
    assert scheduled.reason == "Retry attempt 1 of 2: gone"
    for seconds, runs in ((14, 0), (31, 1)):
        tm.database.clock.shift(timedelta(seconds=seconds))
        worker.delayed.tick()
        assert worker.work() == runs
    assert tm.get(job_id).history[-1].reason == "Retry attempt 2 of 2: gone"


class Passing(OSError):
    pass


@pytest.mark.parametrize(
    ("options", "error", "runs"),
    [
        ({"retry_on": OSError}, Passing, 3),
        ({"retry_on": (KeyError, OSError)}, Passing, 3),
        ({"retry_on": KeyError}, Passing, 1),
        ({"give_up_on": OSError}, Passing, 1),
        ({"retry_on": OSError, "give_up_on": Passing}, Passing, 1),
        ({"retry_on": OSError, "give_up_on": Passing}, OSError, 3),
    ],
)
@pytest.mark.one_server
def test_lists_of_exceptions_say_what_is_worth_another_try(
    tm: TaskManager, hands: Any, options: dict[str, Any], error: type[Exception], runs: int
) -> None:
    ran = []

    def fails() -> None:
        ran.append(1)
        raise error("x")

    job_id = tm.job(retries=2, delays=[0], **options)(fails).enqueue()
    worker = hands()
    while worker.work():
        pass
    assert (len(ran), tm.get(job_id).state) == (runs, "Failed")


@pytest.mark.one_server
def test_a_job_asks_for_its_next_run_whatever_the_lists_say_and_may_do_so_without_using_an_attempt(
    tm: TaskManager, hands: Any
) -> None:
    seen: list[int] = []

    def polls(ctx: JobContext) -> str:
        seen.append(ctx.attempt)
        if len(seen) < 6:
            raise Retry("not ready", delay=timedelta(minutes=5), count=False)
        if len(seen) == 6:
            raise Retry("once more", delay=60)
        return "ready"

    job_id = tm.job(retries=1, give_up_on=Exception)(polls).enqueue()
    worker = hands()
    worker.work()
    while tm.get(job_id).state == "Scheduled":
        state = tm.get(job_id).history[-1]
        assert (state.reason or "").endswith("not ready" if len(seen) < 6 else "once more")
        tm.database.clock.shift(timedelta(seconds=59 if len(seen) == 6 else 299))
        worker.delayed.tick()
        assert worker.work() == 0, "too early"
        tm.database.clock.shift(timedelta(seconds=2))
        worker.delayed.tick()
        assert worker.work() == 1
    assert tm.get(job_id).result == "ready"
    assert seen == [1, 1, 1, 1, 1, 1, 2]


@pytest.mark.one_server
def test_exhausted_it_may_end_in_deleted(tm: TaskManager, hands: Any) -> None:
    def fails() -> None:
        raise OSError("gone")

    job_id = tm.job(retries=0, then_delete=True)(fails).enqueue()
    hands().work()
    assert history(tm, job_id)[-1] == "Deleted"
    assert tm.get(job_id).history[-1].reason == "Retries were disabled for this job."

"""What a job costs the worker's processor, counted in calls of functions: a number that no busy machine disturbs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager

_JOBS = 100
#: Calls of functions written in Python and in C, with a tenth to spare. Who needs more has to say why.
_PERFORM = 100
_WRITE_BACK = {"sqlite": 142, "mariadb": 298, "mysql": 298, "postgresql": 188}


def nothing(number: int) -> None: ...


def calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile in this thread."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture
def worker(tm: TaskManager, hands: Any) -> Any:
    """A worker that has done as much before: what is built once is built."""
    made = hands(threads=_JOBS)
    for _ in range(2):
        tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
        assert made.work() == _JOBS
    tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
    return made


def test_a_job_is_performed_and_written_back_by_a_bounded_number_of_calls(worker: Any, engine_name: str) -> None:
    claims = worker.claim()
    assert len(claims) == _JOBS
    performed = calls(lambda: [worker.worker.perform(claim) for claim in claims]) / _JOBS
    written = calls(worker.completer.flush) / _JOBS
    assert not worker.worker.held
    assert performed <= _PERFORM, performed
    assert written <= _WRITE_BACK[engine_name], written


def test_rules_of_alerts_for_other_jobs_cost_a_job_nothing(tm: TaskManager, worker: Any) -> None:
    def written() -> float:
        for claim in worker.claim():
            worker.worker.perform(claim)
        return calls(worker.completer.flush) / _JOBS

    without = written()
    alert = tm.database.tables.legacy.alert
    with tm.database.engine.begin() as connection:
        rules = [{"JobName": f"Totals {n}", "EmailRecipients": "ops@example.org"} for n in range(20)]
        connection.execute(alert.insert(), rules)
    tm.alerts.book._read_at = 0.0
    assert len(tm.alerts.book.current(1.0).rows) == 20
    tm.alerts.book._read_at = time.monotonic() + 600  # to read them anew is another matter
    tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
    assert written() <= without + 6

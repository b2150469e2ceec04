"""What a row of a long list costs the web process, counted in calls of functions, which no busy machine disturbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import recurring_runs
from taskmanager.storage.recurring_runs import RecurringRun
from tests.server.test_call_costs import calls
from tests.webui.conftest import Browser
from tests.webui.sample import fill
from webui import auditrows, historyrows, jobrows, queuerows, recurringrows, retryrows

_ROWS, _RUNS = 20, 30
#: Calls of functions written in Python and in C for one row, with a tenth to spare. Who needs more has to say why.
_FAILED_JOB, _QUEUED_JOB, _RETRY, _RUN, _RECURRING_JOB, _AUDITED = 145, 91, 374, 218, 329, 114


def nothing() -> None: ...


def nothing_of(name: str) -> None: ...


def away(name: str) -> None:
    raise OSError(f"the feed of {name} is away")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The calls that drawing each row took, as they are drawn."""
    counted: list[int] = []

    def count(kind: Any) -> None:
        draw = kind.row

        def noted(self: Any, row: Any) -> Any:
            found: list[Any] = []
            counted.append(calls(lambda: found.append(draw(self, row))))
            return found[0]

        monkeypatch.setattr(kind, "row", noted)

    for rows in (auditrows, historyrows, jobrows, queuerows, recurringrows, retryrows):
        count(rows.Rows)
    return counted


def most(drawn: list[int]) -> int:
    """Of the rows behind the first, which draws what all have."""
    assert len(drawn) == _ROWS
    return max(drawn[1:])


def test_a_row_of_jobs_costs_a_bounded_number_of_calls(tm: TaskManager, ann: Browser, drawn: list[int]) -> None:
    failed = [tm.enqueue(len, f"order {n}") for n in range(_ROWS)]
    for job_id in failed:
        tm.client.fail(job_id, ValueError(), "no such address")
    assert ann.get("/hangfire/jobs/failed?count=20").status_code == 200
    assert most(drawn) <= _FAILED_JOB, drawn


def test_a_row_of_a_queue_costs_a_bounded_number_of_calls(tm: TaskManager, ann: Browser, drawn: list[int]) -> None:
    tm.enqueue_many(nothing_of, [(f"order {n}",) for n in range(_ROWS)])
    assert ann.get("/hangfire/jobs/enqueued/default?count=20").status_code == 200
    assert most(drawn) <= _QUEUED_JOB, drawn


def test_a_row_of_retries_costs_a_bounded_number_of_calls(
    tm: TaskManager, ann: Browser, hands: Any, drawn: list[int]
) -> None:
    tm.job(retries=5, delays=[3600])(away)
    tm.enqueue_many(away, [(f"order {n}",) for n in range(_ROWS)])
    while hands().work():
        pass
    assert "later tries" in ann.get("/hangfire/retries?count=20").text
    assert most(drawn) <= _RETRY, drawn


def test_a_row_of_the_history_costs_a_bounded_number_of_calls(tm: TaskManager, ann: Browser, drawn: list[int]) -> None:
    fill(tm)
    assert ann.get("/hangfire/history?count=20&job=Nightly+totals").status_code == 200
    assert most(drawn) <= _RUN, drawn


def test_a_row_of_recurring_jobs_costs_a_bounded_number_of_calls(
    tm: TaskManager, ann: Browser, drawn: list[int]
) -> None:
    began = datetime(2026, 11, 1)
    for n in range(_ROWS):
        tm.recurring(f"nightly-{n}", nothing, cron="0 2 * * *")
        runs = [RecurringRun(f"nightly-{n}", 100 * n + m, began, 20 * m, 5, "succeeded") for m in range(_RUNS)]
        tm.database.run(lambda tx, runs=runs: recurring_runs.add(tx, runs))
    assert ann.get("/hangfire/recurring?count=20").status_code == 200
    assert most(drawn) <= _RECURRING_JOB, drawn


def test_a_row_of_the_audit_log_costs_a_bounded_number_of_calls(
    tm: TaskManager, ann: Browser, drawn: list[int]
) -> None:
    for n in range(_ROWS):
        job_id = tm.enqueue(len, f"order {n}")
        ann.post(f"/hangfire/jobs/actions/delete/{job_id}")
    assert ann.get("/hangfire/audit?count=20").status_code == 200
    assert most(drawn) <= _AUDITED, drawn

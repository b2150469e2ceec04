"""The rows of c_LoggedJob of runs that are known by job and start."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from taskmanager import TaskManager
from taskmanager.storage import monitoring_logged_runs
from tests.storage.test_hot_statements import analyze, plan_of

AT = datetime(2026, 3, 1, 12)


def fill(tm: TaskManager, names: int, each: int) -> None:
    """So many runs of so many names, a minute from each other."""
    rows: list[dict[str, Any]] = [
        {
            "JobName": f"job-{n}", "JobId": str(1000 * n + k), "JobType": "Recurring",
            "StartedAt": AT + timedelta(minutes=k), "Success": 1, "TriggeredBy": "ann", "ResultMessage": "fine",
        }
        for n in range(names) for k in range(each)
    ]  # fmt: skip
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.legacy.logged.insert(), rows)
    analyze(tm, "c_LoggedJob")


def test_they_are_found_by_name_and_start_also_an_hour_off_and_never_another_jobs(tm: TaskManager) -> None:
    fill(tm, 3, 900)
    begun = [(1000 + k, tm.database.clock.to_utc(AT + timedelta(minutes=k, microseconds=1))) for k in (5, 70)]
    shifted = (1003, tm.database.clock.to_utc(AT + timedelta(minutes=63)))
    asked = [*begun, shifted, (2005, begun[0][1]), (1006, begun[0][1])]
    found = tm.database.read(lambda tx: monitoring_logged_runs.of(tx, "job-1", asked))
    assert found is not None
    assert set(found) == {*begun, shifted}
    assert {(one.by, one.note) for one in found.values()} == {("ann", "fine")}
    given = {"name": "job-1"} | {f"job{n}": str(1000 + n) for n in range(20)}
    given |= {f"at{n}_{s}": tm.database.read(lambda tx: tx.bind_moment(AT)) for n in range(20) for s in range(3)}
    plan = plan_of(tm, monitoring_logged_runs.logged_of_runs, given)
    assert plan.count("IX_c_LoggedJob_JobName_StartedAt") >= 20
    for word in ("Seq Scan", "SCAN c_LoggedJob"):
        assert word not in plan, plan

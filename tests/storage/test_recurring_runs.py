"""The last runs of recurring jobs: written with their outcomes, kept to a number, read by index."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import recurring_past, recurring_runs
from taskmanager.storage.recurring import HASH
from taskmanager.storage.recurring_runs import RecurringRun
from tests.storage.test_hot_statements import analyze, plan_of
from tests.walks.test_legacy import insert

START = datetime(2026, 3, 1, 12)


def good() -> None: ...


def bad() -> None:
    raise ValueError("no")


def run(recurring_id: str, number: int) -> RecurringRun:
    return RecurringRun(recurring_id, number, START + timedelta(minutes=number), number, 5, "succeeded")


def fill(tm: TaskManager, recurring_id: str, count: int, batch: int = 500) -> None:
    for start in range(1, count + 1, batch):
        runs = [run(recurring_id, n) for n in range(start, min(start + batch, count + 1))]
        tm.database.run(lambda tx, runs=runs: recurring_runs.add(tx, runs))  # type: ignore[misc]


def newest(tm: TaskManager, *ids: str, limit: int = 30) -> dict[str, tuple[RecurringRun, ...]]:
    return tm.database.read(lambda tx: recurring_runs.newest(tx, ids, limit))


def test_each_run_of_a_recurring_job_leaves_how_it_went(tm: TaskManager, hands: Any) -> None:
    tm.job(good)
    tm.job(retries=1, delays=[0])(bad)
    tm.recurring("eu", good, cron="0 0 1 1 *")
    tm.recurring("us", good, cron="0 0 1 1 *")
    tm.recurring("wrong", bad, cron="0 0 1 1 *")
    started = [tm.trigger("eu"), tm.trigger("eu"), tm.trigger("us"), tm.trigger("wrong")]
    tm.enqueue(good)
    worker = hands()
    worker.work()
    tm.database.clock.shift(timedelta(minutes=5))
    worker.delayed.tick()
    worker.work()
    found = newest(tm, "eu", "us", "wrong", "nobody")
    assert [(r.job_id, r.outcome) for r in found["eu"]] == [(i, "succeeded") for i in started[:2]]
    assert [(r.job_id, r.outcome) for r in found["us"]] == [(started[2], "succeeded")]
    assert [(r.job_id, r.outcome) for r in found["wrong"]] == [(started[3], "retried"), (started[3], "failed")]
    assert [r.waited_ms is None for r in found["wrong"]] == [False, True]
    assert found["nobody"] == ()
    first = found["eu"][0]
    assert first.duration_ms >= 0
    assert abs(first.started - tm.database.clock.now()) < timedelta(minutes=10)
    tm.remove("wrong")
    assert newest(tm, "wrong")["wrong"] == ()


def test_runs_of_a_row_of_c_job_are_its_own_and_go_with_it(tm: TaskManager, hands: Any) -> None:
    if not tm.database.is_embedded:
        pytest.skip("a stand-in for a procedure is for SQLite; runs of others are the same rows")
    tm.procedure("SP_Report")(lambda: "12 rows")
    insert(tm, "0 2 * * *", "SP_Report", "Report")
    (row,) = tm.recurring_list()
    tm.legacy_jobs.fire_due()
    job_id = tm.trigger(row.id)
    hands().work()
    assert [(r.job_id, r.outcome) for r in newest(tm, row.id)[row.id]] == [(job_id, "succeeded")]
    tm.remove(row.id)
    tm.legacy_jobs.fire_due()
    assert newest(tm, row.id)[row.id] == ()


def test_the_newest_are_read_oldest_first_and_no_more_than_asked_for(tm: TaskManager) -> None:
    fill(tm, "a", 40)
    fill(tm, "b", 3)
    found = newest(tm, "a", "b", limit=5)
    assert [r.job_id for r in found["a"]] == [36, 37, 38, 39, 40]
    assert [r._replace(row=0) for r in found["b"]] == [run("b", n) for n in (1, 2, 3)]
    many = [f"job-{n}" for n in range(150)]
    fill(tm, "job-149", 2)
    assert len(newest(tm, *many)["job-149"]) == 2


def test_no_more_are_kept_than_a_page_shows_however_often_it_runs(tm: TaskManager) -> None:
    fill(tm, "often", 1000, batch=7)
    fill(tm, "seldom", 20)
    kept = newest(tm, "often", limit=5000)["often"]
    assert recurring_runs.KEPT <= len(kept) < recurring_runs.KEPT + 40
    assert kept[-1].job_id == 1000
    assert len(newest(tm, "seldom")["seldom"]) == 20


def test_what_somebody_else_wrote_there_is_passed_by(tm: TaskManager) -> None:
    fill(tm, "a", 1)
    table = tm.database.tables.list
    with tm.database.engine.begin() as connection:
        for text in ("hello", "[1]", '[1,"x",1,1,"S"]', '[1,"2026-01-01T00:00:00Z",1,1,"?"]', None, "{}"):
            connection.execute(table.insert().values(Key="python:recurring-job:a", Value=text))
    assert len(newest(tm, "a")["a"]) == 1


def test_the_runs_of_many_recurring_jobs_are_found_by_their_index_without_a_sort(tm: TaskManager) -> None:
    for n in range(60):
        fill(tm, f"job-{n}", 200)
    analyze(tm, "HangfireList")
    given = {f"key{n}": f"python:recurring-job:job-{n}" for n in range(3)} | {"limit": 30}
    given |= {f"after{n}": 0 for n in range(3)}
    given["wanted"] = json.dumps([{"name": given[f"key{n}"], "number": 0} for n in range(3)])
    plan = plan_of(tm, recurring_runs.runs_of_three, given)
    assert plan.count("IX_HangfireList_Key") >= (1 if tm.database.product.each_wanted else 3)
    for word in ("filesort", "Sort", "TEMP B-TREE", "Seq Scan"):
        assert word not in plan, plan


def test_what_others_write_among_the_runs_is_passed_by(tm: TaskManager) -> None:
    fill(tm, "a", 2)
    for text in ("", "nothing", "1],[2", "[1]", "{}", "[" * 5_000, '[9,"2026-03-01",1,null,"?"]'):
        row = {"Key": HASH + "a", "Value": text, "ExpireAt": None}
        tm.database.run(lambda tx, row=row: tx.execute(recurring_runs.insert_run, row))  # type: ignore[misc]
    fill(tm, "a", 1)
    assert [r.job_id for r in newest(tm, "a")["a"]] == [1, 2, 1]


def test_all_runs_of_thirty_days_are_counted_though_few_are_kept(tm: TaskManager) -> None:
    now = tm.database.clock.now()
    begun = now - timedelta(days=40)
    runs = [
        RecurringRun("often", n, begun + timedelta(hours=n), 5, 1, "failed" if n % 4 else "succeeded")
        for n in range(1, 961)
    ]
    for start in range(0, len(runs), 5):
        tm.database.run(lambda tx, start=start: recurring_runs.add(tx, runs[start : start + 5]))  # type: ignore[misc]
    tally = tm.database.read(lambda tx: recurring_past.load(tx, ["often"]))["often"].tally
    kept = tm.database.read(lambda tx: recurring_runs.newest(tx, ["often"], 500, behind={"often": tally.upto}))["often"]
    assert recurring_runs.UNCOUNTED <= len(kept) < 60, "what is counted is not read again"
    counted = tally.counting((r.row, r.started, r.outcome == "succeeded") for r in kept)
    first = recurring_past.first_day(now)
    wanted = [r for r in runs if r.started.date() >= first]
    assert len(wanted) > recurring_runs.KEPT
    days = counted.since(first).days
    assert sum(of for _, of in days.values()) == len(wanted)
    assert sum(good for good, _ in days.values()) == sum(r.outcome == "succeeded" for r in wanted)
    assert min(days) == first
    tm.database.run(lambda tx: recurring_runs.forget(tx, "often"))
    assert tm.database.read(lambda tx: recurring_past.load(tx, ["often"]))["often"] == recurring_past.NOTHING


def test_the_runs_behind_those_that_are_counted_are_found_by_the_index(tm: TaskManager) -> None:
    for n in range(60):
        fill(tm, f"job-{n}", 100)
    analyze(tm, "HangfireList")
    given = {"key": "python:recurring-job:job-3", "after": 4000, "limit": 1000}
    plan = plan_of(tm, recurring_runs.runs_behind, given)
    assert "IX_HangfireList_Key" in plan
    for word in ("filesort", "TEMP B-TREE", "Seq Scan"):
        assert word not in plan, plan

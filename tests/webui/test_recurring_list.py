"""The list of recurring jobs: filtered and sorted, rows of c_Job among them, by few statements for thousands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchmarks.examined import looks
from taskmanager import TaskManager
from taskmanager.engine import definitions
from taskmanager.storage import monitoring_recurring, recurring, recurring_runs
from taskmanager.storage.recurring_runs import RecurringRun
from tests.storage.test_hot_statements import analyze
from tests.walks.test_legacy import insert
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser

AT = datetime(2026, 3, 1, 12)


def clean(table: str = "carts") -> None: ...


def shown(page: str) -> list[str]:
    """The ids of the rows, in their order; `c_Job` is that of the row of it."""
    return named(re.findall(r'name="jobs\[\]" value="([^"]+)" aria', page))


def named(ids: Iterable[str]) -> list[str]:
    return ["c_Job" if one.startswith("c_job:") else one for one in ids]


def ran(tm: TaskManager, recurring_id: str, *runs: tuple[int, str]) -> None:
    """Leave runs of so many milliseconds that ended so."""
    made = [RecurringRun(recurring_id, n, AT + timedelta(n), ms, 1, outcome) for n, (ms, outcome) in enumerate(runs, 1)]
    tm.database.run(lambda tx: recurring_runs.add(tx, made))


@pytest.fixture
def five(tm: TaskManager) -> TaskManager:
    """Five of them, one a row of c_Job, one paused, one in error."""
    tm.job(display_name="Cleaning")(clean)
    for name, cron in (("alpha", "0 4 * * *"), ("Beta", "0 3 * * *"), ("gamma", "0 2 * * *"), ("wrong", "0 1 * * *")):
        tm.recurring(name, clean, cron=cron, queue="reports" if name == "Beta" else "default")
    insert(tm, "*/5 * * * *", "SP_Report")
    tm.pause("gamma", by="ann", note="stocktaking")
    tm.database.run(lambda tx: recurring.save(tx, "wrong", {"Error": "no such zone"}, None))
    ran(tm, "alpha", (900, "failed"), (100, "succeeded"))
    ran(tm, "Beta", (5, "succeeded"), (300, "retried"), (200, "deleted"), (250, "failed"))
    ran(tm, tm.recurring_jobs.rows()[0].id, (4000, "failed"))
    return tm


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["alpha", "Beta", "c_Job", "gamma", "wrong"]),
        ("state=active", ["alpha", "Beta", "c_Job"]),
        ("state=paused", ["gamma"]),
        ("state=error", ["wrong"]),
        ("q=REPORT", ["Beta", "c_Job"]),
        ("q=cleaning&state=active", ["alpha", "Beta"]),
        ("q=0 4 ", ["alpha"]),
        ("sort=duration", ["c_Job", "Beta", "alpha", "gamma", "wrong"]),
        ("sort=failures", ["Beta", "c_Job", "alpha", "gamma", "wrong"]),
        ("sort=nonsense&state=nonsense", ["alpha", "Beta", "c_Job", "gamma", "wrong"]),
        ("sort=failures&from=1&count=20", ["c_Job", "alpha", "gamma", "wrong"]),
    ],
)
def test_the_list_is_filtered_and_sorted_on_the_page_and_by_the_api(
    five: TaskManager, ann: Browser, query: str, expected: list[str]
) -> None:
    page = ann.get(f"/hangfire/recurring?{query}").text
    assert shown(page) == expected
    assert "Active 3" in page
    assert "stocktaking" in page or "gamma" not in expected


def test_the_api_sorts_and_pages_the_same(five: TaskManager) -> None:
    program = Program(five)
    first = program.get("/api/v1/recurring?sort=failures&limit=2")
    assert named(one["id"] for one in first["items"]) == ["Beta", "c_Job"]
    second = program.get(f"/api/v1/recurring?sort=failures&limit=3&after={first['next']}")
    assert ([one["id"] for one in second["items"]], second["next"]) == (["alpha", "gamma", "wrong"], None)
    assert second["items"][1]["pauseNote"] == "stocktaking"
    assert program.refused("GET", "/api/v1/recurring?sort=luck")[2] == ["sort"]


def test_failures_in_a_row_and_the_last_duration_are_told(five: TaskManager, ann: Browser) -> None:
    page = ann.get("/hangfire/recurring?sort=failures").text
    assert "2 failures in a row" in page
    assert "1 failure in a row" in page
    assert page.count("in a row</div>") == 2
    assert "last 250 ms" in page
    assert 'aria-sort="descending"' in page


def many(tm: TaskManager, count: int) -> None:
    """So many recurring jobs, written as they are stored; of each ten runs."""
    fields = definitions.fields_of(tm.recurring_definition("x", clean, cron="0 2 * * *")) | {"Error": ""}
    t, names = tm.database.tables, [f"job-{n:05}" for n in range(count)]
    hashes = [{"Key": recurring.HASH + i, "Field": f, "Value": v} for i in names for f, v in fields.items()]
    value = '[1,"2026-03-01T12:00:00.0000000Z",5,1,"S"]'
    with tm.database.engine.begin() as connection:
        connection.execute(t.set.insert(), [{"Key": recurring.SET, "Value": i, "Score": 1e10} for i in names])
        for at in range(0, len(hashes), 2000):
            connection.execute(t.hash.insert(), hashes[at : at + 2000])
        rows = [{"Key": recurring.HASH + i, "Value": value} for i in names for _ in range(10)]
        connection.execute(t.list.insert(), rows)
    for table in (t.set, t.hash, t.list):
        analyze(tm, table.name)


@pytest.mark.each_engine
def test_thousands_are_listed_by_few_statements_that_read_little_of_each(
    tm: TaskManager, ann: Browser, app: Any
) -> None:
    """A list of 10,000 read 170,000 rows, and took all of its three seconds."""
    tm.job(clean)
    many(tm, 2000)
    insert(tm, "*/5 * * * *", "SP_Report")
    tm.pause("job-00007")
    for query in ("", "?sort=next", "?sort=last", "?sort=duration", "?sort=failures&state=active", "?q=job-0199"):
        ann.get(f"/hangfire/recurring{query}")
        app.config["SNAPSHOTS"]._tried = -1e9
        with looks() as found:
            page = ann.get(f"/hangfire/recurring{query}").text
        assert len(shown(page)) == (10 if "q=" in query else 20)
        assert len(found) <= 8, found
        read = max(look.rows for look in found)
        most = {"mysql": 10, "mariadb": 10, "postgresql": 40, "sqlite": 80}[tm.database.product.name]
        assert read <= most * 2001, (query, [(one.name, one.rows) for one in found])


@pytest.mark.each_engine
def test_a_row_of_c_job_is_read_alone_and_a_list_reads_little_of_each(tm: TaskManager, ann: Browser) -> None:
    """With 10,000 of them a list took 240 ms of the processor, and the page of one as long."""
    rows = [
        {"ID": n + 1, "JobName": f"Row {n}", "StoredProcName": f"SP_{n}", "IsActive": n % 2, "LastRun": AT,
         "CronExpression": "*/5 * * * *" if n else "61 * * * *", "NextRun": AT + timedelta(n)}
        for n in range(300)
    ]  # fmt: skip
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.legacy.job.insert(), rows)
    analyze(tm, "c_Job")
    program = Program(tm)
    ids = [one["id"] for one in program.get("/api/v1/recurring?q=SP_27&sort=next")["items"]]
    assert [int(one.removeprefix("c_job:")) for one in ids] == [28, 272, 274, 276, 278, 280, 271, 273, 275, 277, 279]
    assert [one["id"] for one in program.get("/api/v1/recurring?state=error")["items"]] == ["c_job:1"]
    one = program.get("/api/v1/recurring/c_job:272")
    assert (one["name"], one["isPaused"]) == ("Row 271", False)
    # PostgreSQL reads a table of 300 rows as a whole.
    steps = {"sqlite": 60, "postgresql": 15}.get(tm.database.product.name, 3)
    for path, most in (("/hangfire/recurring/c_job:272", 20 * steps), ("/hangfire/recurring", 300 * steps)):
        ann.get(path)
        with looks() as found:
            assert "SP_" in ann.get(path).text
        assert len(found) <= 8
        assert max(look.rows for look in found if look.name != "counts") <= most, found


@pytest.mark.each_engine
def test_what_is_read_of_one_does_not_grow_with_the_pauses_of_all(tm: TaskManager) -> None:
    tm.job(clean)
    for n in range(40):
        tm.recurring(f"job-{n}", clean, cron="0 2 * * *")
        tm.pause(f"job-{n}", by="ann")
    with looks() as found:
        tm.resume("job-7")
        tm.pause("job-7")
    read = [look for look in found if look.name in ("paused_members", "read_hashes", "all_members")]
    assert {look.name for look in read} == {"paused_members", "read_hashes"}
    if tm.database.product.name != "sqlite":
        assert max(look.rows for look in read) < 25, found
    assert tm.recurring_jobs.get("job-7").paused


@pytest.mark.each_engine
def test_a_newest_run_is_found_by_the_index_for_each(tm: TaskManager) -> None:
    tm.job(clean)
    many(tm, 60)
    ran(tm, "job-00003", (70, "failed"), (80, "retried"))
    found = tm.database.read(lambda tx: monitoring_recurring.newest(tx, [5]))
    assert len(found) == 60
    assert (found["job-00003"].duration_ms, found["job-00003"].failures) == (80, 2)
    assert (found["job-00004"].duration_ms, found["job-00004"].failures) == (5, 0)

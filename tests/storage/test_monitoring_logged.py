"""The history page's reads on every product: whole, in order, and by an index however long the table is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from taskmanager import TaskManager
from taskmanager.storage import (
    logged,
    monitoring_logged,
    monitoring_logged_searches,
    monitoring_logged_statistics,
    windows,
)
from taskmanager.storage.monitoring_logged import WantedRuns
from taskmanager.storage.statements import PlainText
from taskmanager.storage.transaction import Tx

START = datetime(2026, 3, 1, 12, 0, 0)


def fill(tm: TaskManager, count: int, **changes: Any) -> None:
    """Runs of three names, one a minute, each seventh failed; two of them in the same second now and then."""

    def work(tx: Tx) -> None:
        rows = []
        for n in range(count):
            started = START + timedelta(minutes=n - n % 2)
            rows.append({
                "JobName": ("Alpha", "Beta", "Gamma")[n % 3], "JobId": str(n), "JobType": "Recurring",
                "StartedAt": started, "CompletedAt": started + timedelta(milliseconds=n), "DurationMs": n,
                "Success": int(n % 7 != 0), "ResultMessage": f"done {n}", "ErrorMessage": "no" if n % 7 == 0 else None,
                "StackTrace": "trace" if n % 7 == 0 else None, "ServerName": f"web-{n % 5}:1:ab",
                "TriggeredBy": "ann" if n % 50 == 0 else "System", "MemoryUsedMB": None, "CpuTimeMs": None,
            } | changes)  # fmt: skip
        for place in range(0, count, 2000):
            logged.add(tx, rows[place : place + 2000])

    tm.database.run(work)


def numbers(tm: TaskManager, wanted: WantedRuns, size: int = 10) -> list[int]:
    """The numbers of all runs, page by page, and back again: both ways tell the same."""
    found: list[int] = []
    edge = None
    while True:
        page = tm.database.read(lambda tx, at=edge: monitoring_logged.page(tx, wanted, limit=size, before=at))  # type: ignore[misc]
        found += [int(r.job_id or -1) for r in page.rows]
        if not page.has_older:
            break
        last = page.rows[-1]
        assert last.started is not None
        edge = (last.started, last.id)
    assert tm.database.read(lambda tx: monitoring_logged.count(tx, wanted)) == len(found)
    if len(found) > size and page.rows:
        first = page.rows[0]
        assert first.started is not None
        at = (first.started, first.id)
        back = tm.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=size, after=at))
        newer = found[: len(found) - len(page.rows)][-size:]
        assert [int(r.job_id or -1) for r in back.rows] == newer
        assert (back.has_older, back.has_newer) == (True, len(found) - len(page.rows) > size)
    return found


def test_pages_hold_every_run_once_newest_first_for_each_filter(tm: TaskManager) -> None:
    fill(tm, 100)
    everything = list(range(99, -1, -1))

    def those(meets: Any) -> list[int]:
        return [n for n in everything if meets(n)]

    assert numbers(tm, WantedRuns()) == everything
    assert numbers(tm, WantedRuns(name="Beta")) == those(lambda n: n % 3 == 1)
    assert numbers(tm, WantedRuns(succeeded=False)) == those(lambda n: n % 7 == 0)
    assert numbers(tm, WantedRuns(succeeded=True)) == those(lambda n: n % 7)
    assert numbers(tm, WantedRuns(name="Alpha", succeeded=False)) == those(lambda n: n % 21 == 0)
    assert numbers(tm, WantedRuns(server="WEB-3", by="sys")) == those(lambda n: n % 5 == 3 and n % 50)
    since, until = START + timedelta(minutes=20), START + timedelta(minutes=40)
    assert numbers(tm, WantedRuns(since=since, until=until)) == those(lambda n: 20 <= n < 40)
    assert numbers(tm, WantedRuns(name="Gamma", since=since)) == those(lambda n: n >= 20 and n % 3 == 2)
    assert numbers(tm, WantedRuns(by="%")) == []


def test_a_success_that_somebody_wrote_as_two_is_shown_as_one(tm: TaskManager) -> None:
    fill(tm, 1, Success=2)
    for wanted in (WantedRuns(), WantedRuns(succeeded=True), WantedRuns(name="Alpha", succeeded=True)):
        assert numbers(tm, wanted) == [0]
    assert numbers(tm, WantedRuns(succeeded=False)) == []


def test_a_search_ends_at_its_floor_and_goes_on_from_there(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_logged_searches, "SCANNED", 10)
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", 10)
    fill(tm, 40)
    wanted = WantedRuns(by="ann")
    page = tm.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=5))
    # The tenth of the newest runs that succeeded; those that failed are fewer than ten, and all looked at.
    assert (page.rows, page.floor, page.looked) == ((), START + timedelta(minutes=28), 10)
    assert page.older == (page.floor, 0)
    failed = WantedRuns(by="ann", succeeded=False)
    assert tm.database.read(lambda tx: monitoring_logged.page(tx, failed, limit=5)).floor is None
    edge = (START + timedelta(minutes=8), 0)
    page = tm.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=5, before=edge))
    assert ([r.job_id for r in page.rows], page.floor) == (["0"], None)


def ticking(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """A clock that each look moves by so much."""
    at = itertools.count()
    monkeypatch.setattr(windows, "clock", lambda: next(at) * seconds)


@pytest.mark.parametrize(
    ("first", "seconds"), [(6, 0.0), (6, windows.BUDGET / 4), (6, windows.BUDGET), (200, 0.0)],
    ids=["time for all", "time for some", "time for the first", "all at once"],
)  # fmt: skip
def test_pages_of_a_search_hold_every_match_once_however_far_each_looks(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, first: int, seconds: float
) -> None:
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", first)
    monkeypatch.setattr(monitoring_logged_searches, "FIRST_OF_NAME", first)
    monkeypatch.setattr(monitoring_logged_searches, "SCANNED", 40)
    ticking(monkeypatch, seconds)
    fill(tm, 120)
    searches: list[tuple[WantedRuns, Any]] = [
        (WantedRuns(by="ann"), lambda n: n % 50 == 0), (WantedRuns(server="WEB-3"), lambda n: n % 5 == 3),
        (WantedRuns(server="web", succeeded=False), lambda n: n % 7 == 0),
        (WantedRuns(text="nowhere"), lambda n: False),
        (WantedRuns("Beta", server="web-1"), lambda n: n % 3 == 1 and n % 5 == 1),
        (WantedRuns(text="done", since=START + timedelta(minutes=31)), lambda n: n >= 32),
    ]  # fmt: skip
    for wanted, meets in searches:
        for limit in (3, 50):
            assert _walked(tm, wanted, limit, older=True) == [n for n in range(119, -1, -1) if meets(n)], wanted
            assert _walked(tm, wanted, limit, older=False) == [n for n in range(120) if meets(n)], wanted


def _walked(tm: TaskManager, wanted: WantedRuns, limit: int, *, older: bool) -> list[int]:
    """What a search finds page by page, from the newest on, or from the oldest."""
    place: monitoring_logged.Place | None = None if older else (START - timedelta(days=9), 0)
    found: list[int] = []
    for _ in range(200):
        way = {"before" if older else "after": place}
        page = tm.database.read(lambda tx, w=way: monitoring_logged.page(tx, wanted, limit=limit, **w))  # type: ignore[misc]
        rows = [int(run.job_id or -1) for run in page.rows]
        found += rows if older else rows[::-1]
        place = page.older if older else page.newer
        if place is None:
            return found
    raise AssertionError("it never ends")


def test_a_slow_machine_looks_at_fewer_runs_and_tells_how_far(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", 10)
    fill(tm, 100, Success=1)
    wanted = WantedRuns(server="web-1")
    found = {}
    for looked, share in ((100, 1000), (50, 5), (20, 2), (10, 1)):
        ticking(monkeypatch, windows.BUDGET / share)
        page = tm.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=50, counted=True))
        if share < 1000:
            assert (page.looked, page.floor) == (looked, START + timedelta(minutes=100 - looked))
        assert page.number == len(page.rows) == looked // 5
        found[looked] = page.floor
    assert found[100] is None


def test_what_a_search_counts_is_what_it_looked_at(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", 30)
    fill(tm, 100, Success=1)
    wanted = WantedRuns(server="web-1")
    page = tm.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=4, counted=True))
    assert ([r.job_id for r in page.rows], page.has_older) == (["96", "91", "86", "81"], True)
    assert (page.number, page.looked, page.floor) == (6, 30, START + timedelta(minutes=70))
    assert tm.database.read(lambda tx: monitoring_logged.count(tx, wanted, first=page)) == 6


def test_statistics_are_of_the_newest_runs_of_the_name(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_logged_statistics, "MEASURED", 20)
    fill(tm, 90)
    found = tm.database.read(lambda tx: monitoring_logged_statistics.statistics(tx, "Alpha", shown=3))
    newest = [n for n in range(89, -1, -1) if n % 3 == 0][:20]
    assert (found.runs, found.is_capped) == (20, True)
    assert found.succeeded == sum(n % 7 != 0 for n in newest)
    assert (found.p50_ms, found.p95_ms) == (sorted(newest)[9], sorted(newest)[18])
    assert [r.duration_ms for r in found.last] == [81, 84, 87]
    none = tm.database.read(lambda tx: monitoring_logged_statistics.statistics(tx, "nobody"))
    assert (none.runs, none.p50_ms, none.last) == (0, None, ())


def test_names_and_one_run_are_found(tm: TaskManager) -> None:
    fill(tm, 8)
    assert tm.database.read(monitoring_logged.names) == ["Alpha", "Beta", "Gamma"]
    newest = tm.database.read(lambda tx: monitoring_logged.page(tx, WantedRuns(), limit=1)).rows[0]
    found = tm.database.read(lambda tx: monitoring_logged.run(tx, newest.id))
    assert found is not None
    assert (found["StackTrace"], found["ErrorMessage"], found["StartedAt"]) == ("trace", "no", newest.started)
    assert tm.database.read(lambda tx: monitoring_logged.run(tx, newest.id + 1)) is None


@pytest.fixture
def older(database_url: str) -> Iterator[TaskManager]:
    """A c_LoggedJob of TARGCC, which has other columns."""
    tm = TaskManager(database_url=database_url, doorbell=False)
    tm.database.create_tables()
    q = tm.database.product.quote
    columns = ("c_JobID", "ExecutionTimeSec", "SuccessCount", "FailureCount")
    texts = ("ActivatingUser", "LastRunBy", "enmRunStatus_JobStatus", "Remarks", "AddedBy")
    job_texts = ("lkpJob", "lkpJobRunner", "enmJobType", "WhenToRun", "ActivatingUser", "enmJobStatus", "LastRunBy")
    job_numbers = ("CyclicCount", "TimeOutSec", "Active", "WarningMailSent", "IsManaged")
    moment = "TIMESTAMP" if tm.database.product.name == "postgresql" else "DATETIME"

    def table(name: str, numbers: Any, texts: Any, moments: Any) -> str:
        parts = [f"{q('ID')} INT PRIMARY KEY"] + [f"{q(c)} INT" for c in numbers]
        parts += [f"{q(c)} VARCHAR(1000)" for c in texts] + [f"{q(c)} {moment}" for c in moments]
        return f"CREATE TABLE {q(name)} ({', '.join(parts)})"

    with tm.database.engine.begin() as connection:
        for name in ("c_LoggedJob", "c_Job"):
            connection.execute(text(f"DROP TABLE {q(name)}"))
        connection.execute(text(table("c_Job", job_numbers, job_texts, ("NextRunTime", "LastRunTime"))))
        connection.execute(text(table("c_LoggedJob", columns, texts, ("WhenStarted", "AddedOn"))))
        connection.execute(text(f"INSERT INTO {q('c_Job')} ({q('ID')}, {q('lkpJob')}) VALUES (1, 'BACKUP')"))
        for n in range(1, 5):
            connection.execute(
                text(
                    f"INSERT INTO {q('c_LoggedJob')} ({q('ID')}, {q('c_JobID')}, {q('WhenStarted')}, "
                    f"{q('ExecutionTimeSec')}, {q('enmRunStatus_JobStatus')}, {q('Remarks')}, {q('AddedOn')}) VALUES "
                    f"({n}, 1, '2026-03-01 12:0{n}:00', {n}, '{'Failure' if n == 2 else 'Success'}', 'r{n}', "
                    f"'2026-03-01 12:0{n}:00')"
                )
            )
    yield tm
    tm.close()


def test_an_older_table_is_shown_and_filtered_without_being_altered(older: TaskManager) -> None:
    def ids(wanted: WantedRuns) -> list[int]:
        return [r.id for r in older.database.read(lambda tx: monitoring_logged.page(tx, wanted, limit=10)).rows]

    assert ids(WantedRuns()) == [4, 3, 2, 1]
    assert ids(WantedRuns(succeeded=False)) == [2]
    assert ids(WantedRuns(name="backup", succeeded=True)) == [4, 3, 1]
    found = older.database.read(lambda tx: monitoring_logged.run(tx, 2))
    assert found is not None
    assert (found["ErrorMessage"], found["DurationMs"]) == ("r2", 2000)
    assert older.database.read(lambda tx: monitoring_logged.count(tx, WantedRuns())) is None


@pytest.mark.parametrize(
    "wanted",
    [WantedRuns(), WantedRuns(name="Beta"), WantedRuns(succeeded=False), WantedRuns(name="Beta", succeeded=True),
     WantedRuns(since=START + timedelta(minutes=60), until=START + timedelta(minutes=5000))],
    ids=["all", "name", "failed", "name and outcome", "days"],
)  # fmt: skip
def test_a_page_is_read_by_an_index_and_reads_no_more_of_a_long_table(
    tm: TaskManager, engine_name: str, wanted: WantedRuns
) -> None:
    read = []
    for more in (1000, 9000):
        fill(tm, more)
        table = "TABLE " if engine_name in ("mysql", "mariadb") else ""
        with tm.database.engine.begin() as connection:
            connection.execute(text(f"ANALYZE {table}{tm.database.product.quote('c_LoggedJob')}"))
        with tm.database.engine.connect() as connection:
            connection.begin()
            tx = Tx(tm.database.prepared, tm.database.clock, connection)
            before = _rows_read(connection, engine_name)
            page = monitoring_logged.page(tx, wanted, limit=20)
            read.append(_rows_read(connection, engine_name) - before)
            assert len(page.rows) == 20
            plan = _plan(tx, wanted)
            connection.rollback()
    assert "IX_c_LoggedJob" in plan, plan
    assert "Seq Scan on" not in plan
    assert "SCAN c_LoggedJob" not in plan.replace("SCAN c_LoggedJob USING", "")
    assert read[1] <= read[0] + 80, "ten times as long a table costs no more"


def test_a_search_finds_the_same_in_the_order_in_which_the_rows_lie(
    tm: TaskManager, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_name not in ("mysql", "mariadb"):
        pytest.skip("read by an index there")
    monkeypatch.setattr(monitoring_logged_searches, "SCANNED", 30)
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", 4)
    monkeypatch.setattr(windows, "clock", lambda: 0.0)
    fill(tm, 60)
    fill(tm, 60, Success=2)  # later numbers of the same time
    edge = (START + timedelta(minutes=50), 1 << 40)
    walked = list[str]()
    real = Tx.execute

    def execute(tx: Tx, build: Any, parameters: Any = None) -> Any:
        walked.extend(["key"] if "low" in (parameters or ()) else [])
        return real(tx, build, parameters)

    monkeypatch.setattr(Tx, "execute", execute)
    for wanted in (
        WantedRuns(server="WEB-3"), WantedRuns(by="sys", succeeded=False), WantedRuns(by="ANN", succeeded=True),
        WantedRuns(server="web", since=START + timedelta(minutes=42)), WantedRuns(server="nowhere"),
    ):  # fmt: skip
        for before in (None, edge):
            told = []
            for lies in (True, False):
                monkeypatch.setattr(type(tm.database.product), "rows_lie_by_key", lies)
                for limit in (3, 100):
                    told.append(
                        tm.database.read(
                            lambda tx, w=wanted, n=limit, b=before: monitoring_logged.page(tx, w, limit=n, before=b)  # type: ignore[misc]
                        )
                    )
            assert told[:2] == told[2:], wanted
    assert walked


def test_a_search_stops_at_the_day_that_it_begins_with(tm: TaskManager, engine_name: str) -> None:
    if engine_name not in ("mysql", "mariadb"):
        pytest.skip("read by their counters")
    fill(tm, 4000, Success=1)
    with tm.database.engine.begin() as connection:
        connection.execute(text(f"ANALYZE TABLE {tm.database.product.quote('c_LoggedJob')}"))
    wanted = WantedRuns(succeeded=True, since=START + timedelta(minutes=2000), server="nowhere")
    with tm.database.engine.connect() as connection:
        tx = Tx(tm.database.prepared, tm.database.clock, connection)
        before = _rows_read(connection, engine_name)
        assert monitoring_logged.page(tx, wanted, limit=20).rows == ()
        read = _rows_read(connection, engine_name) - before
    assert read <= 3 * 2000 + 200, "once for the floor, once for their numbers, once for the search"


def _plan(tx: Tx, wanted: WantedRuns) -> str:
    """How the server would read the page, in its own words."""
    seen: list[tuple[PlainText, Any]] = []
    real = Tx.run

    def spy(self: Tx, statement: PlainText, parameters: Any = None) -> Any:
        seen.append((statement, parameters))
        return real(self, statement, parameters)

    Tx.run = spy  # type: ignore[method-assign]
    try:
        monitoring_logged.page(tx, wanted, limit=20)
    finally:
        Tx.run = real  # type: ignore[method-assign]
    statement, parameters = seen[-1]
    explain = "EXPLAIN QUERY PLAN" if tx.prepared.is_embedded else "EXPLAIN"
    return "\n".join(
        str(column) for row in tx.run(PlainText(f"{explain} {statement.sql}"), parameters) for column in row
    )


def _rows_read(connection: Connection, engine_name: str) -> int:
    if engine_name not in ("mysql", "mariadb"):
        return 0
    return sum(int(row[1]) for row in connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")))

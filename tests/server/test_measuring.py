"""Figures of runs and queues: what a worker writes down, what a killed one loses, and what goes when it is old."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from benchmarks.wire import listening
from taskmanager import TaskManager
from taskmanager.domain.rollups import DAY, HOUR, KEPT, LATENCY, LENGTH, MINUTE, QUEUE, TYPE, Figures, floor
from taskmanager.server import measuring
from taskmanager.server.measuring import Measurer, Measures, Sampler
from taskmanager.storage import queues, rollups
from taskmanager.storage.transaction import Tx, as_moment
from tests.conftest import Hands
from tests.faults.test_kill import end, in_state, start_worker, wait_for
from tests.server.test_server import until
from tests.storage.test_retrying import error_of

pytestmark = pytest.mark.timeout(120)
JOBS = """
from taskmanager import job

@job(retries=0)
def nap(number: int) -> int:
    if number % 5 == 0:
        raise ValueError(number)
    return number
"""


def quick(number: int) -> int:
    return number


def fails(number: int) -> None:
    raise ValueError(number)


def rows(tm: TaskManager) -> dict[tuple[int, str, str, datetime], dict[str, Any]]:
    """All rows, by their key."""
    t = tm.database.tables.rollup
    with tm.database.engine.connect() as connection:
        found = [dict(row) for row in connection.execute(select(t)).mappings()]
    return {(row["Span"], row["Kind"], row["Key"], as_moment(row["Bucket"])): row for row in found}


def total(tm: TaskManager, span: int, kind: str, key: str, column: str = "Count") -> int:
    found = rows(tm).items()
    return sum(int(row[column]) for (s, k, name, _), row in found if (s, k, name) == (span, kind, key))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("killjobs", None)


def test_a_worker_that_stops_has_written_all_its_runs_by_type_and_queue(tm: TaskManager) -> None:
    for number in range(20):
        tm.enqueue(quick, number)
    for number in range(3):
        tm.job(fails, retries=0).enqueue(number)
    server = tm.server()
    server.start()
    until(lambda: in_state(tm, "Succeeded") == 20 and in_state(tm, "Failed") == 3, 30)
    server.stop(grace=5)
    for span in KEPT:
        assert total(tm, span, QUEUE, "default") == 23
        assert total(tm, span, QUEUE, "default", "Failed") == 3
        types = [key for s, kind, key, _ in rows(tm) if (s, kind) == (span, TYPE)]
        assert {total(tm, span, TYPE, key) for key in types} == {20, 3}
        assert total(tm, span, QUEUE, "default", "Waits") == 23, "of first runs it is known how long they waited"
        steps = sum(total(tm, span, QUEUE, "default", f"D{step}") for step in range(26))
        assert steps == 23


def test_without_the_setting_nothing_is_measured(url: str) -> None:
    tm = TaskManager(database_url=url, doorbell=False, metrics=False)
    try:
        job_id = tm.enqueue(quick, 1)
        server = tm.server()
        server.start()
        tm.wait(job_id, 20)
        server.stop(grace=5)
        assert rows(tm) == {}
    finally:
        tm.close()


def measured(tm: TaskManager, hands: Callable[..., Hands], jobs: int) -> Measurer:
    """A measurer that has not written these runs yet."""
    for number in range(jobs):
        tm.enqueue(quick, number)
    worker, measures = hands(), Measures()
    worker.completer._measures = measures
    worker.work()
    return Measurer(tm.database, measures)


def test_figures_are_added_to_what_others_wrote(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    one, two = measured(tm, hands, 3), measured(tm, hands, 2)
    assert one.flush() == 2
    assert two.flush() == 2
    assert one.flush() == 0
    assert [total(tm, span, QUEUE, "default") for span in (MINUTE, HOUR, DAY)] == [5, 5, 5]


def test_figures_wait_for_a_database_that_does_not_take_them(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    measurer = measured(tm, hands, 3)
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "add", lambda tx, sums: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            measurer.tick()
    measurer.close()
    assert total(tm, DAY, QUEUE, "default") == 3


def test_the_unit_runs_again_after_a_deadlock_and_counts_once(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    measurer, tries, added = measured(tm, hands, 3), [], rollups.add
    codes: dict[str, Any] = {"mysql": 1213, "mariadb": 1213, "postgresql": "40P01"}

    def once(tx: Tx, sums: rollups.Sums) -> None:
        added(tx, sums)
        tries.append(tx)
        if len(tries) == 1:
            raise _deadlock(tm, codes)

    monkeypatch.setattr(rollups, "add", once)
    measurer.flush()
    assert len(tries) == 2
    assert total(tm, MINUTE, QUEUE, "default") == 3


def _deadlock(tm: TaskManager, codes: dict[str, Any]) -> OperationalError:
    found = error_of(tm, codes.get(tm.database.product.name, sqlite3.SQLITE_BUSY))
    assert isinstance(found, OperationalError)
    return found


def test_many_processes_that_write_the_same_rows_lose_nothing(tm: TaskManager) -> None:
    minute = floor(tm.database.clock.now(), MINUTE)
    sums = {(minute, TYPE, f"type {n}"): Figures(count=1, ms=n, longest=n) for n in range(40)}
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for turn in range(5):
                some = list(sums.items())
                if turn % 2:
                    some.reverse()
                tm.database.run(lambda tx, part=dict(some): rollups.add(tx, part))  # type: ignore[misc]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for span in KEPT:
        assert [total(tm, span, TYPE, f"type {n}") for n in (0, 39)] == [20, 20]
        assert total(tm, span, TYPE, "type 39", "LongestMs") == 39


@pytest.mark.fault
@pytest.mark.one_server
def test_a_killed_worker_loses_at_most_what_it_had_not_written(tm: TaskManager, url: str, project: Path) -> None:
    import killjobs  # type: ignore[import-not-found]

    for number in range(50):
        tm.enqueue(killjobs.nap, number)
    worker = start_worker(url, project)
    try:
        wait_for(lambda: total(tm, DAY, QUEUE, "default") >= 50, 60, "the figures to be written")
        for number in range(50):
            tm.enqueue(killjobs.nap, number)
        wait_for(lambda: in_state(tm, "Succeeded") + in_state(tm, "Failed") == 100, 60, "the jobs to end")
        family = psutil.Process(worker.pid)
        gone = [*family.children(recursive=True), family]
        for one in gone:
            one.kill()
        psutil.wait_procs(gone, 20)
    finally:
        end(worker)
    found: dict[int, int] = dict.fromkeys(KEPT, 0)
    for (span, kind, _, _), row in rows(tm).items():
        found[span] += int(row["Count"]) if kind == QUEUE else 0
    assert 50 <= found[DAY] <= 100
    assert set(found.values()) == {found[DAY]}


def test_runs_are_measured_without_a_statement_more(tm: TaskManager, tmp_path: Path, url: str) -> None:
    with listening(tmp_path) as wire:
        heard = TaskManager(database_url=url, doorbell=False)
        measurer = Measurer(heard.database, Measures())
        try:
            heard.database.read(lambda tx: tx.now())
            before = len(wire.sent())
            for _ in range(3):
                measurer.tick()
            assert len(wire.sent()) == before, "who has nothing to write sends nothing"
        finally:
            heard.close()


def test_one_server_samples_each_queue_once_in_a_minute(tm: TaskManager) -> None:
    tm.database.run(lambda tx: queues.push(tx, [(n, "slow", 0) for n in range(7)]))
    tm.enqueue(quick, 1)
    for _ in range(3):
        Sampler(tm.database).tick()
    found = rows(tm)
    minutes = {at for *_, at in found if _[0] == MINUTE}
    assert len(minutes) <= 2
    assert total(tm, MINUTE, LENGTH, "slow", "DurationMs") == 7 * len(minutes)
    assert total(tm, MINUTE, LENGTH, "slow") == len(minutes)
    assert total(tm, MINUTE, LATENCY, "default") == len(minutes)


def test_old_buckets_go_and_the_others_stay(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    now = floor(tm.database.clock.now(), MINUTE)
    for days in (0, 1, 3, 89, 100, 700, 800):
        sums = {(now - timedelta(days=days), TYPE, f"old {days}"): Figures(count=1)}
        tm.database.run(lambda tx, part=sums: rollups.add(tx, part))  # type: ignore[misc]
    monkeypatch.setattr(rollups, "_BUCKETS", 2)
    parts = [tm.database.run(rollups.expire) for _ in range(5)]
    assert parts == [True] * 4 + [False], "two buckets in a transaction"
    left = {span: {key for s, _, key, _ in rows(tm) if s == span} for span in KEPT}
    assert left == {
        MINUTE: {"old 0", "old 1"},
        HOUR: {"old 0", "old 1", "old 3", "old 89"},
        DAY: {"old 0", "old 1", "old 3", "old 89", "old 100", "old 700"},
    }


def test_sums_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_MOST", 3)
    measures = Measures()
    measures.put_back({(datetime(2026, 1, 1, 0, n), TYPE, "a"): Figures(count=1) for n in range(9)})
    assert len(measures.take()) == 3

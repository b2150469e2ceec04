"""What a row of c_Job costs, in statements: while nothing is due, and when it is forced."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.wire import commits, listening
from taskmanager import TaskManager
from taskmanager.engine.legacy import LegacyJobs
from taskmanager.server.schedulers import LegacyScheduler
from taskmanager.storage import glance, legacy
from tests.conftest import Hands

pytestmark = pytest.mark.timeout(120)
_ROWS = 60
_INSERT = "INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive) VALUES (:name, '0 2 31 12 *', :of, 1)"


def sql(tm: TaskManager, statement: str, *values: dict[str, object]) -> None:
    with tm.database.engine.begin() as connection:
        connection.execute(text(statement), list(values) or None)


def told(sent: list[str]) -> str:
    return "\n".join(f"{count:4} {sql[:120]}" for sql, count in Counter(sent).most_common())


def force(tm: TaskManager, count: int) -> LegacyJobs:
    """So many rows, planned, and all told to run now; who fires them."""
    sql(tm, "DROP PROCEDURE IF EXISTS SP_Cheap")
    sql(tm, "CREATE PROCEDURE SP_Cheap() SELECT 1")
    sql(tm, _INSERT, *({"name": f"row {n}", "of": "SP_Cheap"} for n in range(count)))
    assert isinstance(tm.legacy_jobs, LegacyJobs)
    tm.legacy_jobs.fire_due()
    sql(tm, "UPDATE c_Job SET NextRun = NOW()")
    return tm.legacy_jobs


@pytest.fixture
def is_mysql(engine_name: str) -> None:
    if engine_name not in ("mysql", "mariadb"):
        pytest.skip("what calls cost is counted at PyMySQL")


@pytest.mark.usefixtures("is_mysql")
def test_while_nothing_is_due_a_look_is_one_statement_that_answers_one_column(url: str, tmp_path: Path) -> None:
    with listening(tmp_path) as wire:
        tm = TaskManager(database_url=url, doorbell=False)
        try:
            sql(tm, _INSERT, *({"name": f"row {n}", "of": "SP_None"} for n in range(_ROWS)))
            assert tm.legacy_jobs is not None
            scheduler = LegacyScheduler(tm.legacy_jobs)  # type: ignore[arg-type]
            for _ in range(3):  # they are planned, and that is seen
                scheduler.tick()
            before = len(wire.sent())
            for _ in range(4):
                scheduler.tick()
            sent = wire.sent()[before:]
            assert len(sent) == 4, told(sent)
            watcher = glance.Watcher(tm.database, ["default"], "nobody")
            watcher.look()
            look = tm.database.prepared.plain(glance.glance(tm.database.tables, tm.database.product))
            asked = {"queue": "default", "server": "nobody"}
            assert len(tm.database.read(lambda tx: tx.run(look, asked)).keys) == 1
            assert len(tm.database.read(lambda tx: tx.execute(legacy.glance_at_rows)).keys) == 1
            watcher.close()
        finally:
            tm.close()


@pytest.mark.usefixtures("is_mysql")
def test_a_forced_row_is_run_by_few_statements(
    url: str, tmp_path: Path, hands: Callable[..., Hands], tm: TaskManager
) -> None:
    rows = force(tm, _ROWS)
    tm.database.dispose()  # so that it is listened to all connections
    with listening(tmp_path) as wire:
        assert rows.fire_due() == _ROWS
        fired, worker = wire.sent(), hands(threads=_ROWS)
        claims = worker.claim()
        assert len(claims) == _ROWS
        before = len(wire.sent())
        for claim in claims:
            worker.worker.perform(claim)
        performed = wire.sent()[before:]
        before = len(wire.sent())
        worker.completer.flush()
        written = wire.sent()[before:]
    assert len(fired) <= _ROWS + 30, told(fired)
    # SET NAMES, who it is, CALL and COMMIT on a connection of its own; job and claim locked, the mark and its COMMIT.
    when_it_began = [one for one in performed if one.startswith("SHOW GLOBAL STATUS")]
    assert len(performed) - len(when_it_began) <= _ROWS * 8 + 20, told(performed)
    with tm.database.engine.connect() as connection:
        if connection.execute(text("SELECT CONNECTION_ID()")).scalar_one() > 2 * _ROWS + 200:  # else it is too young
            assert len(when_it_began) <= _ROWS // 2, told(performed)
    assert commits(performed) == _ROWS * 2, told(performed)
    assert len(written) <= _ROWS + 30, told(written)
    sql(tm, "DROP PROCEDURE SP_Cheap")


@pytest.mark.usefixtures("is_mysql")
def test_of_rows_that_begin_at_once_only_the_one_waits_whose_claim_is_locked(
    hands: Callable[..., Hands], tm: TaskManager
) -> None:
    count = 8
    force(tm, count).fire_due()
    worker = hands(threads=count)
    claims = worker.claim()
    threads = [threading.Thread(target=worker.worker.perform, args=(claim,)) for claim in claims]
    with tm.database.engine.connect() as operator:
        held = {"id": claims[0].queue_id}
        operator.execute(text("SELECT 1 FROM HangfireJobQueue WHERE Id = :id FOR UPDATE"), held)
        for thread in threads:
            thread.start()
        for thread in threads[1:]:
            thread.join(8)
        assert [thread.is_alive() for thread in threads] == [True] + [False] * (count - 1)
        operator.rollback()
    threads[0].join(60)
    worker.completer.flush()
    with tm.database.engine.connect() as connection:
        results = connection.execute(text("SELECT LastResult FROM c_Job")).scalars().all()
    assert results == ["1"] * count
    sql(tm, "DROP PROCEDURE SP_Cheap")


def test_the_completer_rests_until_a_job_begins_or_ends(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    def quick() -> int:
        return 1

    worker = hands()
    completer = worker.completer
    assert completer.tick() > 5
    assert not completer.alarm.is_set()
    tm.job(quick).enqueue()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    assert completer.alarm.is_set(), "who begins a job wakes it"
    completer.alarm.clear()
    completer.tick()
    assert not completer.running
    assert completer.tick() > 5
    completer.add(worker.worker.performer.failed(claim, LookupError("it is not even begun")))
    assert completer.alarm.is_set(), "and an outcome that comes just after others is not left lying"

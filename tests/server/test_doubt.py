"""COMMITs of a worker that were carried out while their answers were lost: no job is stranded, none cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError

from taskmanager import JobCancelled, JobContext, TaskManager
from taskmanager.domain.errors import CreationCancelled, StorageError
from taskmanager.storage import legacy_shape, logged, schema
from tests.conftest import history

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Loses the answers of the next COMMITs of this process."""
    real, left = Connection.commit, [0]

    def commit(connection: Connection) -> None:
        real(connection)
        if left[0]:
            left[0] -= 1
            raise OperationalError("COMMIT", {}, ConnectionResetError(), connection_invalidated=True)

    monkeypatch.setattr(Connection, "commit", commit)
    monkeypatch.setattr("taskmanager.storage.dialects.SQLite.verdict", _verdict)
    return lambda times: left.__setitem__(0, times)


def _verdict(product: Any, error: BaseException) -> Any:
    from taskmanager.storage.dialects import Verdict

    return Verdict.RECONNECT if isinstance(error, OperationalError) else Verdict.FATAL


def double(n: int) -> int:
    return n * 2


def held(tm: TaskManager) -> int:
    queue = tm.database.tables.queue
    with tm.database.engine.connect() as connection:
        return len(connection.execute(select(queue.c.Id).where(queue.c.FetchToken.is_not(None))).all())


def test_rows_of_a_claim_in_doubt_are_given_back_though_the_next_try_found_others(
    tm: TaskManager, hands: Any, lose: Callable[[int], None]
) -> None:
    ids = [tm.enqueue(double, n) for n in range(8)]
    worker = hands()
    tm.database.read(lambda tx: None)
    lose(1)
    first = worker.claim()
    assert (len(first), held(tm)) == (4, 8), "the second try took the next four"
    for claim in first:
        worker.worker.perform(claim)
    worker.completer.flush()
    assert worker.work() == 4, "those nobody knew of came back"
    assert all(history(tm, i) == ["Enqueued", "Processing", "Succeeded"] for i in ids)


@pytest.mark.parametrize("patience", [90.0, 0.0])
def test_a_running_job_whose_processing_was_in_doubt_is_neither_cancelled_nor_lost(
    tm: TaskManager, hands: Any, lose: Callable[[int], None], patience: float
) -> None:
    go, cancelled = threading.Event(), list[bool]()

    def long(ctx: JobContext) -> str:
        go.wait(20)
        cancelled.append(ctx.cancellation.is_cancelled)
        return "done"

    job_id = tm.job(long).enqueue()
    worker = hands()
    (claim,) = worker.claim()
    thread = threading.Thread(target=worker.worker.perform, args=(claim,))
    thread.start()
    while not worker.completer.running:
        pass
    (running,) = worker.completer.running.values()
    tm.database.patience_seconds = patience
    lose(1)
    try:
        worker.completer.record_processing(at_once=running)
    except StorageError:
        assert patience == 0, "nobody knows; the job ends meanwhile"
    go.set()
    thread.join()
    worker.completer.flush()
    assert cancelled == [False]
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    assert held(tm) == 0


@pytest.mark.parametrize("meanwhile", ["nothing", "requeued", "deleted", "cancelled"])
def test_the_row_of_a_run_whose_outcome_was_in_doubt_stands_in_the_history_once(
    tm: TaskManager, hands: Any, lose: Callable[[int], None], meanwhile: str
) -> None:
    def work(ctx: JobContext) -> None:
        if meanwhile == "requeued":
            tm.requeue(ctx.job_id)
        if meanwhile == "deleted":
            tm.delete(ctx.job_id)
        if meanwhile == "cancelled":
            raise JobCancelled("no longer wanted")

    job_id = tm.job(work).enqueue()
    worker = hands()
    (claim,) = worker.claim()
    worker.worker.perform(claim)
    lose(1)
    worker.completer.flush()
    found = tm.database.read(lambda tx: logged.history(tx, name=None, limit=9))
    assert [row["JobId"] for row in found] == [str(job_id)]


def test_a_row_of_c_job_whose_trigger_was_in_doubt_runs_once(tm: TaskManager, lose: Callable[[int], None]) -> None:
    table = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.delete())
        connection.execute(table.insert().values(JobName="Report", StoredProcName="SP_Report", IsActive=0))
        (row_id,) = connection.execute(select(table.c.ID)).scalars()
    lose(1)
    job_id = tm.trigger(f"c_job:{row_id}")
    assert history(tm, job_id) == ["Enqueued"], "it waits for no other run, for there is none"
    assert all_jobs(tm) == [job_id]


def test_a_row_of_the_older_c_job_whose_trigger_was_in_doubt_is_not_refused(
    tmp_path: Path, lose: Callable[[int], None]
) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/older.db", doorbell=False)
    columns = ", ".join(f'"{c}" text' for c in legacy_shape._TARGCC[1:])
    with tm.database.engine.begin() as connection:
        connection.execute(text(f'CREATE TABLE "c_Job" ("ID" integer primary key, {columns})'))
        connection.execute(text("""INSERT INTO "c_Job" ("lkpJob", "Active", "IsManaged") VALUES ('mnTM_X', 1, 1)"""))
    schema.upgrade(tm.database.engine, "Hangfire")
    tm.recurring_list()
    lose(1)
    job_id = tm.trigger("c_job:1")
    assert all_jobs(tm) == [job_id]
    with pytest.raises(CreationCancelled, match="is running"):
        tm.trigger("c_job:1")
    tm.close()


def all_jobs(tm: TaskManager) -> list[int]:
    with tm.database.engine.connect() as connection:
        return list(connection.execute(select(tm.database.tables.job.c.Id)).scalars())

"""COMMITs of a worker that were carried out while their answers were lost: no job is stranded, none cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from taskmanager import JobContext, TaskManager
from taskmanager.domain.errors import StorageError
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

"""A database that cannot be written: read-only, or its disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from taskmanager import TaskManager
from taskmanager.domain.errors import (
    StorageError,
)
from tests.conftest import Hands, history
from tests.faults.bad import greet

pytestmark = pytest.mark.timeout(120)


@contextmanager
def mode(tm: TaskManager, bad: str, good: str) -> Iterator[None]:
    """Each connection is put into a mode as it leaves the pool."""
    now = [bad]

    def on_checkout(connection: Any, _: Any, __: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(now[0])
        cursor.close()
        if tm.database.product.name == "postgresql":
            connection.commit()

    event.listen(tm.database.engine, "checkout", on_checkout)
    try:
        yield
    finally:
        now[0] = good
        with tm.database.engine.connect():
            pass
        event.remove(tm.database.engine, "checkout", on_checkout)
        tm.database.engine.dispose()


READ_ONLY = {
    "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION READ WRITE"),
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    ),
}
READ_ONLY["mariadb"] = READ_ONLY["mysql"]


def test_while_a_database_is_read_only_calls_are_refused_and_outcomes_wait_in_memory(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    tm.database.patience_seconds = 0.2
    job_id = tm.enqueue(greet, "x")
    worker = hands()
    claims = worker.claim()
    with mode(tm, *READ_ONLY[tm.database.product.name]):
        with pytest.raises(StorageError, match=r"(?i)read[- ]?only"):
            tm.enqueue(greet, "refused")
        for claim in claims:
            worker.worker.perform(claim)
        for _ in range(2):
            with pytest.raises(StorageError, match=r"(?i)read[- ]?only"):
                worker.completer.flush()
        assert len(worker.completer._outcomes) == 2
    assert tm.get(job_id).state == "Enqueued"
    assert worker.completer.flush() == 2
    assert history(tm, job_id) == ["Enqueued", "Processing", "Succeeded"]
    others(worker)


def test_while_the_disk_is_full_outcomes_wait_in_memory(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/full.db", doorbell=False)
    tm.database.create_tables()
    worker = Hands(tm, tmp_path)

    def long() -> str:
        return "x" * 60_000

    ids = [tm.job(long).enqueue(), tm.enqueue(greet, "x")]
    claims = worker.claim()
    with tm.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with mode(tm, f"PRAGMA max_page_count = {pages}", f"PRAGMA max_page_count = {1 << 30}"):
        with pytest.raises(StorageError, match=r"cannot be written: .*full"):
            tm.enqueue(greet, "y" * 60_000)
        for claim in claims:
            worker.worker.perform(claim)
        with pytest.raises(StorageError, match=r"cannot be written: .*full"):
            worker.completer.flush()
        assert len(worker.completer._outcomes) == 2
    assert worker.completer.flush() == 2
    assert [history(tm, i) for i in ids] == [["Enqueued", "Processing", "Succeeded"]] * 2
    worker.close()
    tm.close()

"""The other driver of MySQL and MariaDB: the same walks, where mysqlclient is installed."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from taskmanager import TaskManager
from taskmanager.storage import procedures
from tests.conftest import Hands, history

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("MySQLdb") is None,
    reason="mysqlclient is not installed: pip install 'taskmanager[mysqlclient]'",
)


@pytest.fixture
def tm(url: str, engine_name: str) -> Iterator[TaskManager]:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("a driver for MySQL and MariaDB")
    given = make_url(url).set(drivername="mysql+mysqldb")
    made = TaskManager(database_url=given.render_as_string(hide_password=False))
    yield made
    made.close()


def greet(name: str) -> str:
    return f"hello {name}"


def broken() -> None:
    raise ValueError("broken 💥 100%")


def test_jobs_run_fail_and_are_retried(tm: TaskManager, tmp_path: Path) -> None:
    worker = Hands(tm, tmp_path)
    good = tm.enqueue(greet, "wörld 😀 %s %(x)s")
    bad = tm.job(retries=1, delays=[0])(broken).enqueue()
    ids = tm.enqueue_many(greet, [(f"n{i}",) for i in range(250)])
    while worker.work():
        continue
    assert tm.get(good).result == "hello wörld 😀 %s %(x)s"
    assert history(tm, bad).count("Failed") == 2
    assert {tm.get(i).state for i in ids} == {"Succeeded"}
    worker.close()


def test_a_doorbell_wakes_an_idle_server(tm: TaskManager) -> None:
    server = tm.server()
    server.start()
    try:
        assert tm.wait(tm.enqueue(greet, "first"), 10) == "hello first"
        time.sleep(1.5)
        assert tm.wait(tm.enqueue(greet, "second"), 10) == "hello second"
    finally:
        server.stop(grace=2)


def test_a_deadlock_is_recognised_and_the_unit_runs_again(tm: TaskManager) -> None:
    ids = tm.enqueue_many(greet, [("a",), ("b",)])
    met = threading.Barrier(2, timeout=5)
    tries: list[int] = []

    def cross(first: int, second: int) -> None:
        waited = False

        def work(tx: object) -> None:
            nonlocal waited
            tries.append(1)
            lock(tx, first)
            if not waited:
                waited = True
                met.wait()
            lock(tx, second)

        tm.database.run(work)

    def lock(tx: object, job_id: int) -> None:
        statement = text("SELECT Id FROM HangfireJob WHERE Id = :id FOR UPDATE")
        tx.connection.execute(statement, {"id": job_id})  # type: ignore[attr-defined]

    threads = [threading.Thread(target=cross, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(tries) == 3


def test_a_procedure_is_called_and_its_signal_is_told(tm: TaskManager) -> None:
    with tm.database.engine.begin() as connection:
        bodies = {"tm_says": "SELECT 'done', 2", "tm_fails": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT='no'"}
        for name, body in bodies.items():
            connection.exec_driver_sql(f"DROP PROCEDURE IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE PROCEDURE {name}() {body}")
    assert procedures.call(tm.database, "tm_says") == "done"
    with pytest.raises(procedures.ProcedureFailed, match=r"^no$"):
        procedures.call(tm.database, "tm_fails")

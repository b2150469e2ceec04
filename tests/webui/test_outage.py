"""A real server is killed, or made read-only, under the pages: they say so, soon, with the last known figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from taskmanager import TaskManager
from tests.conftest import new_database, own_server
from tests.servers import local
from tests.webui.conftest import USERS, Browser
from webui import create_app

pytestmark = [pytest.mark.each_engine, pytest.mark.fault, pytest.mark.timeout(120)]
#: Nobody in front of a page waits longer for it to say that the database is away.
SOON = 8.0


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    with own_server(request, request.param) as made:
        yield made


@pytest.fixture
def ann(server: local.Server) -> Iterator[tuple[TaskManager, Browser]]:
    tm = TaskManager(database_url=new_database(server), doorbell=False)
    tm.database.create_tables()
    yield tm, Browser(create_app(tm, users=USERS))
    tm.close()


def soon(ask: Any) -> Any:
    began = time.monotonic()
    answer = ask()
    assert time.monotonic() - began < SOON
    return answer


def test_a_server_killed_in_the_middle(server: local.Server, ann: tuple[TaskManager, Browser]) -> None:
    tm, browser = ann
    ids = tm.enqueue_many(len, [("x",)] * 4)
    tm.client.fail(ids[0], ValueError(), "no")
    assert browser.get("/hangfire/").status_code == 200
    token = browser.token()
    server.kill()
    time.sleep(1.1)  # what was seen last is no longer fresh
    for path in ("jobs/failed", "recurring", f"jobs/details/{ids[0]}", "search?q=x"):
        answer = soon(lambda path=path: browser.get(f"/hangfire/{path}"))
        assert answer.status_code == 503, path
        assert "The database does not answer" in answer.text
        assert "Failed 1" in answer.text
        assert "Enqueued 3" in answer.text
        assert "Last known," in answer.text
        assert "Traceback" not in answer.text
    press = soon(lambda: browser.post(f"/hangfire/jobs/actions/requeue/{ids[0]}", token=token))
    assert press.status_code == 503
    stats = soon(lambda: browser.get("/hangfire/stats", Accept="application/json"))
    assert stats.json["stale"]
    assert stats.json["age"] > 1
    assert stats.json["counts"]["failed"]["value"] == 1
    server.start()
    for _ in range(40):
        if browser.get("/hangfire/jobs/failed").status_code == 200:
            break
        time.sleep(0.25)
    assert browser.get("/hangfire/jobs/failed").status_code == 200
    assert tm.get(ids[0]).state == "Failed"
    assert browser.post(f"/hangfire/jobs/actions/requeue/{ids[0]}").status_code == 204


def test_a_read_only_server_shows_its_pages_and_says_that_nothing_was_changed(
    server: local.Server, ann: tuple[TaskManager, Browser]
) -> None:
    tm, browser = ann
    job_id = tm.enqueue(len, "x")
    token = browser.token()
    _make_read_only(server, tm)
    assert browser.get("/hangfire/jobs/enqueued/default").status_code == 200
    answer = soon(lambda: browser.post(f"/hangfire/jobs/actions/delete/{job_id}", token=token, Accept="text/html"))
    assert answer.status_code == 503
    assert "The database cannot be written" in answer.text
    assert "Nothing was changed." in answer.text
    assert tm.get(job_id).state == "Enqueued"


def _make_read_only(server: local.Server, tm: TaskManager) -> None:
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if server.product == "postgresql":
            name = tm.database.url.database
            connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        else:
            connection.execute(text("SET GLOBAL read_only = 1"))
            connection.execute(text("REVOKE READ ONLY ADMIN ON *.* FROM 'test'@'%'"))
    engine.dispose()
    tm.database.dispose()


@pytest.mark.timeout(120)
def test_a_database_that_is_slow_is_told_soon_with_the_last_known_figures(tm: TaskManager, engine_name: str) -> None:
    if engine_name == "sqlite":
        pytest.skip("its readers wait for nobody")
    browser = Browser(create_app(tm, users=USERS))
    tm.client.fail(tm.enqueue(len, "x"), ValueError(), "no")
    assert browser.get("/hangfire/jobs/failed").status_code == 200
    name = tm.database.product.quote(tm.database.tables.job.name)
    lock = f"LOCK TABLE {name}" if engine_name == "postgresql" else f"LOCK TABLES {name} WRITE"
    with tm.database.engine.connect() as other:
        other.exec_driver_sql(lock)
        time.sleep(1.1)  # what was seen last is no longer fresh
        answer = soon(lambda: browser.get("/hangfire/jobs/failed"))
        other.rollback()
        if engine_name != "postgresql":
            other.exec_driver_sql("UNLOCK TABLES")
    assert answer.status_code == 503
    assert "The database is slow" in answer.text
    assert "Failed 1" in answer.text
    assert "Last known," in answer.text
    time.sleep(1.1)
    assert browser.get("/hangfire/jobs/failed").status_code == 200

"""Fixtures of the tests of stored procedures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.server import Server
from tests.legacy_procedures.bench import SERVERS, Bench, end, logs


@pytest.fixture
def bench(tm: TaskManager) -> Iterator[Bench]:
    """A database as people at a console use it."""
    made = Bench(tm)
    yield made
    made.close()


def on(products: Sequence[str], request: pytest.FixtureRequest, reason: str) -> Bench:
    """The same on some products; on others the test is skipped before a database is made ready for it."""
    if request.getfixturevalue("engine_name") not in products:
        pytest.skip(reason)
    made: Bench = request.getfixturevalue("bench")
    return made


@pytest.fixture
def server(request: pytest.FixtureRequest, engine_name: str) -> Bench:
    """The same, where the database has procedures."""
    return on(SERVERS, request, "SQLite has no procedures")


@pytest.fixture
def mysql(request: pytest.FixtureRequest, engine_name: str) -> Bench:
    """The same, on MySQL and MariaDB."""
    return on(("mysql", "mariadb"), request, "a rule of MySQL and MariaDB")


@pytest.fixture
def postgresql(request: pytest.FixtureRequest, engine_name: str) -> Bench:
    """The same, on PostgreSQL."""
    return on(("postgresql",), request, "a rule of PostgreSQL")


@pytest.fixture
def sqlite(request: pytest.FixtureRequest, engine_name: str) -> Bench:
    """The same, on SQLite."""
    return on(("sqlite",), request, "a rule of SQLite")


@pytest.fixture
def worker(bench: Bench, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts real workers with these settings, and ends them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*more: str, **settings: Any) -> subprocess.Popen[bytes]:
        started.append(bench.worker(tmp_path, *more, **settings))
        return started[-1]

    yield start
    end(*started)
    assert "Traceback" not in logs(tmp_path)


@pytest.fixture
def serve(bench: Bench, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Server]]:
    """Starts servers in this process, where a test is about procedures and kills no process, and stops them.

    They do all that a worker process does but start, which takes more processor time than the rest of such a test.
    """
    started: list[tuple[TaskManager, Server]] = []

    def start(**settings: Any) -> Server:
        url = bench.tm.database.url.render_as_string(hide_password=False)
        tm = TaskManager(database_url=url, threads=4, **settings)
        started.append((tm, tm.server()))
        started[-1][1].start()
        return started[-1][1]

    yield start
    for tm, one in started:
        one.stop(1)
        tm.close()
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []

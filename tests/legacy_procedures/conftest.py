"""Fixtures of the tests of stored procedures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskmanager import TaskManager
from tests.legacy_procedures.bench import SERVERS, Bench


@pytest.fixture
def bench(tm: TaskManager) -> Iterator[Bench]:
    """A database as people at a console use it."""
    made = Bench(tm)
    yield made
    made.close()


@pytest.fixture
def server(bench: Bench) -> Bench:
    """The same, where the database has procedures."""
    if bench.product not in SERVERS:
        pytest.skip("SQLite has no procedures")
    return bench


@pytest.fixture
def mysql(bench: Bench) -> Bench:
    """The same, on MySQL and MariaDB."""
    if bench.product not in ("mysql", "mariadb"):
        pytest.skip("a rule of MySQL and MariaDB")
    return bench


@pytest.fixture
def postgresql(bench: Bench) -> Bench:
    """The same, on PostgreSQL."""
    if bench.product != "postgresql":
        pytest.skip("a rule of PostgreSQL")
    return bench


@pytest.fixture
def sqlite(bench: Bench) -> Bench:
    """The same, on SQLite."""
    if bench.product != "sqlite":
        pytest.skip("a rule of SQLite")
    return bench

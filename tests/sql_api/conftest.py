"""The SQL API as its users meet it: a plain connection of the driver, on every product that has procedures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import sql_api
from taskmanager.storage.sql_api import Options

pytest.register_assert_rewrite("tests.sql_api.shots")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """SQLite has no procedures: these tests are not for it."""
    items[:] = [i for i in items if not (HERE in i.path.parents and _product(i) == "sqlite")]


def _product(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("engine_name", "")) if callspec else ""


class Sql:
    """A connection as a SQL client has it: autocommit, the server's default isolation, no line of ours between."""

    def __init__(self, connection: Any, *, is_postgresql: bool) -> None:
        self.connection = connection
        self.is_postgresql = is_postgresql

    def run(self, statement: str, *values: Any) -> list[Any]:
        """One statement; its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def call(self, name: str, *values: Any, answers: bool = False) -> Any:
        """A procedure; the id it answers."""
        marks = ["%s"] * len(values)
        if self.is_postgresql:
            return self.run(f"SELECT {name}({', '.join(marks)})", *values)[0][0]
        self.run(f"CALL {name}({', '.join([*marks, '@id'] if answers else marks)})", *values)
        return self.run("SELECT @id")[0][0] if answers else None

    def enqueue(self, job: str, arguments: str | None = "[]", queue: str | None = "default") -> int:
        """tm_enqueue_v1."""
        return int(self.call("tm_enqueue_v1", job, arguments, queue, answers=True))

    def requeue(self, job_id: int, reason: str | None = None) -> None:
        """tm_requeue_v1."""
        self.call("tm_requeue_v1", job_id, reason)

    def delete(self, job_id: int, reason: str | None = None) -> None:
        """tm_delete_v1."""
        self.call("tm_delete_v1", job_id, reason)

    def trigger(self, recurring_id: str) -> int:
        """tm_trigger_recurring_v1."""
        return int(self.call("tm_trigger_recurring_v1", recurring_id, answers=True))


@pytest.fixture
def api(tm: TaskManager) -> None:
    """The procedures are installed."""
    sql_api.install(tm.database.engine, Options())


@pytest.fixture
def connect(tm: TaskManager, api: None) -> Iterator[Any]:
    """Makes plain connections; as another user when one is named."""
    opened = []

    def make(user: str | None = None, password: str | None = None, **options: Any) -> Sql:
        url = tm.database.engine.url
        if user is not None:
            url = url.set(username=user, password=password)
        arguments = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
        if url.get_backend_name() == "postgresql":
            import psycopg

            opened.append(psycopg.connect(dbname=url.database, autocommit=True, **arguments, **options))  # type: ignore[arg-type]
            return Sql(opened[-1], is_postgresql=True)
        import pymysql

        arguments |= {"database": url.database, "autocommit": True, "ssl_disabled": True}
        opened.append(pymysql.connect(**(arguments | options)))  # type: ignore[arg-type]
        return Sql(opened[-1], is_postgresql=False)

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def sql(connect: Any) -> Sql:
    """One plain connection."""
    made: Sql = connect()
    return made

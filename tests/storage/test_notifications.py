"""What notifications cost: their statements are served by indexes, however much else the tables hold."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import notifications
from taskmanager.storage.dialects import Plan
from taskmanager.storage.transaction import Tx
from tests.storage.test_hot_statements import analyze

USERS = 60
MARK = notifications._digest("user1")


@pytest.fixture
def full(tm: TaskManager) -> TaskManager:
    """Thousands of rows of others, and many users with news."""
    lists, sets = tm.database.tables.list, tm.database.tables.set
    with tm.database.engine.begin() as connection:
        connection.execute(lists.insert(), [{"Key": f"console:{n % 50}", "Value": "x"} for n in range(5000)])
        connection.execute(sets.insert(), [{"Key": "schedule", "Value": str(n), "Score": n} for n in range(5000)])
        digests = [notifications._digest(f"user{n}") for n in range(2000)]
        connection.execute(sets.insert(), [{"Key": "notifications", "Value": d, "Score": 1} for d in digests])
    for n in range(USERS):
        tm.notify(f"user{n}", "Info", "x")
    for name in ("HangfireList", "HangfireSet"):
        analyze(tm, name)
    return tm


READS = [
    (notifications.marks_of, {"key": "notifications", "users": [MARK, "0" * 64]}, "Set_Key_Value"),
    (notifications.notifications_after, {"key": "notifications:" + MARK, "after": 7, "limit": 110}, "List_Key"),
    (notifications.newest_ids, {"key": "notifications:" + MARK}, "List_Key"),
]


def test_reads_are_served_by_their_index_without_a_sort(full: TaskManager) -> None:
    for build, given, index in READS:
        plan = plan_of(full, build, given)
        name = "sqlite_autoindex_HangfireSet_1" if full.database.is_embedded and index == "Set_Key_Value" else None
        assert plan.indexes == {name or f"IX_Hangfire{index}"}, build
        assert not plan.sorts, build


def test_a_look_for_news_reads_as_many_rows_as_there_are_users_who_ask(full: TaskManager, engine_name: str) -> None:
    if engine_name not in ("mariadb", "mysql"):
        pytest.skip("only MySQL and MariaDB count the rows a session reads")
    known = {f"user{n}": 1 << 40 for n in range(20)}
    with full.database.engine.connect() as connection:
        connection.begin()
        tx = Tx(full.database.prepared, full.database.clock, connection)
        before = _rows_read(connection)
        assert len(notifications.news(tx, known)) == 20
        assert _rows_read(connection) - before <= 2 * 20 + 20
        connection.rollback()


def _rows_read(connection: Any) -> int:
    return sum(int(row[1]) for row in connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")))


def plan_of(tm: TaskManager, build: Any, given: dict[str, Any]) -> Plan:
    """How the server would run a statement."""
    product = tm.database.product
    made = build(tm.database.tables, product).params(**given)
    sql = str(made.compile(dialect=tm.database.engine.dialect, compile_kwargs={"literal_binds": True}))
    with tm.database.engine.connect() as connection:
        return product.plan([dict(row) for row in connection.exec_driver_sql(f"{product.explain} {sql}").mappings()])

"""What is set in every connection of the pool."""

from __future__ import annotations

from sqlalchemy import text

from taskmanager import TaskManager

#: What is asked, and the answer, by product.
SET: dict[str, dict[str, str | int]] = {
    "postgresql": {
        "SHOW default_transaction_isolation": "read committed", "SHOW TimeZone": "UTC", "SHOW lock_timeout": "10s",
        "SHOW jit": "off",
    },
    "mysql": {"SELECT @@transaction_isolation": "READ-COMMITTED", "SELECT @@innodb_lock_wait_timeout": 10},
    "mariadb": {"SELECT @@tx_isolation": "READ-COMMITTED", "SELECT @@innodb_lock_wait_timeout": 10},
    "sqlite": {"PRAGMA journal_mode": "wal"},
}  # fmt: skip


def test_every_connection_is_set_for_short_transactions(tm: TaskManager, engine_name: str) -> None:
    with tm.database.engine.connect() as connection:
        found = {asked: connection.execute(text(asked)).scalar_one() for asked in SET[engine_name]}
    assert found == SET[engine_name]

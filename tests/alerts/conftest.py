"""Fixtures: a mailbox, a receiver of webhooks, a TaskManager that knows both, and rules by SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from taskmanager import TaskManager
from tests.alerts import receivers
from tests.alerts.receivers import Mailbox, Receiver


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server without TLS."""
    box = receivers.start_mail()
    yield box
    box.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks over plain HTTP."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def alerting(url: str, mailbox: Mailbox) -> Iterator[TaskManager]:
    """A TaskManager on empty tables that mails, and may call local webhooks. Its rules are read at each outcome."""
    made = TaskManager(
        database_url=url, doorbell=False, smtp_host="127.0.0.1", smtp_port=mailbox.port, smtp_tls="off",
        smtp_from="Jobs <jobs@example.com>", alert_recipients="ops@example.com", environment="staging",
        alert_allow_http=True, alert_allow_private=True, server_name="host",
    )  # fmt: skip
    yield made
    made.close()


Rule = Callable[..., int]


@pytest.fixture
def rule(alerting: TaskManager) -> Rule:
    """Writes a row of c_JobAlert."""

    def write(name: str, **columns: Any) -> int:
        return insert(alerting, "alert", JobName=name, **columns)

    return write


def insert(tm: TaskManager, table: str, **columns: Any) -> int:
    """Write a row into one of the c_ tables; its ID."""
    target = getattr(tm.database.tables.legacy, table)
    with tm.database.engine.begin() as connection:
        return int(connection.execute(target.insert().values(**columns)).inserted_primary_key[0])


def change(tm: TaskManager, table: str, row_id: int, **columns: Any) -> None:
    """Change a row of one of the c_ tables."""
    target = getattr(tm.database.tables.legacy, table)
    with tm.database.engine.begin() as connection:
        connection.execute(update(target).where(row_id == target.c.ID).values(**columns))


def rows(tm: TaskManager, table: str) -> list[dict[str, Any]]:
    """The rows of one of the c_ tables."""
    with tm.database.engine.connect() as connection:
        return [dict(r) for r in connection.execute(getattr(tm.database.tables.legacy, table).select()).mappings()]


def forget(tm: TaskManager) -> None:
    """Let the next outcome read the rules anew, as it would a second later."""
    tm.alerts.book._read_at = 0.0
    tm.alerts.book._rules.until = 0.0

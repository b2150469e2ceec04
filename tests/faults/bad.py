"""What the tests of bad input have in common."""

from __future__ import annotations

import os
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.conftest import history

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def greet(name: str) -> str:
    return f"hello {name}"


def add(a: int, b: int) -> int:
    return a + b


def message(tm: TaskManager, job_id: int) -> str:
    """What a failed job says."""
    record = tm.get(job_id)
    assert record.state == "Failed", (record.state, history(tm, job_id))
    assert record.current is not None
    return str(record.current.data["ExceptionMessage"])


def change_job(tm: TaskManager, job_id: int, **values: Any) -> None:
    """Edit a Job row by hand."""
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == job_id).values(**values))


def rows(tm: TaskManager) -> int:
    table = tm.database.tables.job
    with tm.database.engine.connect() as connection:
        return len(connection.execute(table.select()).all())

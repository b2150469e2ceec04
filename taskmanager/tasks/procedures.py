"""The job behind every c_Job row: run its stored procedure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taskmanager.storage import procedures
from taskmanager.storage.database import Database


class Procedures:
    """Python functions that stand in for stored procedures on SQLite, by name."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[[], Any]] = {}


def run_procedure(database: Database, known: Procedures, row_id: int, name: str | None = None) -> str | None:
    """Run the stored procedure of row `row_id` of c_Job; its first cell is the result."""
    return procedures.call(database, name, known.functions)

"""The blueprint all pages stand on, and what each of them asks of the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from flask import Blueprint, current_app

from taskmanager import TaskManager
from taskmanager.storage.transaction import Tx

T = TypeVar("T")

pages = Blueprint("pages", "webui", static_folder="static", static_url_path="/static")

#: How long a page waits for a database that is away, before it says so.
PATIENCE_SECONDS = 1.5
#: How long all that a page reads may take together, before it says that the database is slow.
READING_SECONDS = 3.0


def manager() -> TaskManager:
    """The TaskManager these pages are of."""
    return cast(TaskManager, current_app.config["TASKMANAGER"])


def read(work: Callable[[Tx], T]) -> T:
    """Read from the database. Raises StorageError soon when it is away: people wait in front of the page."""
    return manager().database.read(work, patience=PATIENCE_SECONDS)

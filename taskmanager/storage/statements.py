"""Named statements: written once, built once for each database, run many times, and printed by `sql show`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ClauseElement, TextClause, text

from taskmanager.storage.dialects import Product
from taskmanager.storage.tables import Tables

Builder = Callable[[Tables, Product], Any]

#: Every statement of the storage room by name; the golden files and `taskmanager sql show` print it.
REGISTRY: dict[str, Builder] = {}


def statement(build: Builder) -> Builder:
    """Register the builder of one statement. It may return a Core construct or plain SQL text."""
    REGISTRY[f"{build.__module__.rpartition('.')[2]}.{build.__name__}"] = build
    return build


class Prepared:
    """The statements of one database, each built at its first use: building costs 2-3 times the CPU of reusing."""

    def __init__(self, tables: Tables, product: Product) -> None:
        self.tables = tables
        self.product = product
        self._built: dict[Builder, ClauseElement] = {}

    def get(self, build: Builder) -> Any:
        """The statement, built at most once."""
        found = self._built.get(build)
        if found is None:
            made = build(self.tables, self.product)
            found = text(made) if isinstance(made, str) else made
            self._built[build] = found
        return found


def render(build: Builder, tables: Tables, product: Product, dialect: Any) -> str:
    """The statement as SQL text for people."""
    made = build(tables, product)
    if isinstance(made, TextClause):
        return made.text
    return made if isinstance(made, str) else str(made.compile(dialect=dialect))

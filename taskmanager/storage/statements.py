"""Named statements: written once, built once for each database, run many times, and printed by `sql show`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, Dialect

from taskmanager.storage.dialects import Product
from taskmanager.storage.dialects.product import InsertText
from taskmanager.storage.tables import Tables

Builder = Callable[[Tables, Product], Any]

#: Every statement of the storage room by name; the golden files and `taskmanager sql show` print it.
REGISTRY: dict[str, Builder] = {}


def statement(build: Builder) -> Builder:
    """Register the builder of one statement. It may return a Core construct or plain SQL text."""
    REGISTRY[f"{build.__module__.rpartition('.')[2]}.{build.__name__}"] = build
    return build


@dataclass(frozen=True, slots=True)
class PlainText:
    """A statement of plain SQL text, written for one driver.

    many: the same for many rows, given as arrays. columns: of the values of a row, where many are given as such.
    """

    sql: str
    many: str | None = None
    columns: tuple[str, ...] = ()


_NAME = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def for_driver(sql: str, paramstyle: str) -> str:
    """`:name` as a driver writes it: as it stands (SQLite), else `%(name)s`, and each % of the text doubled."""
    if paramstyle in ("qmark", "named", "numeric"):
        return sql
    return _NAME.sub(r"%(\1)s", sql.replace("%", "%%"))


class Prepared:
    """The statements of one database, each built at its first use: building costs 2-3 times the CPU of reusing."""

    def __init__(self, tables: Tables, product: Product, dialect: Dialect) -> None:
        self.tables = tables
        self.product = product
        self.is_embedded = dialect.name == "sqlite"
        self._paramstyle = dialect.paramstyle
        self._built: dict[Builder, ClauseElement | PlainText] = {}

    def get(self, build: Builder) -> Any:
        """The statement, built at most once: a PlainText or a Core construct."""
        found = self._built.get(build)
        if found is None:
            made = build(self.tables, self.product)
            found = self.plain(made) if isinstance(made, str) else made
            self._built[build] = found
        return found

    def plain(self, sql: str) -> PlainText:
        """SQL text with `:name` as this database's driver takes it."""
        plain = for_driver(sql, self._paramstyle)
        if not isinstance(sql, InsertText):
            return PlainText(plain)
        return PlainText(plain, None if sql.many is None else for_driver(sql.many, self._paramstyle), sql.columns)


def render(build: Builder, tables: Tables, product: Product, dialect: Any) -> str:
    """The statement as SQL text for people."""
    made = build(tables, product)
    if isinstance(made, InsertText) and made.many is not None:
        return f"{made};\n-- of many rows\n{made.many}"
    return made if isinstance(made, str) else str(made.compile(dialect=dialect))

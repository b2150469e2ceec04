"""What the revisions in `migrations/` are written with: steps that look first, and may therefore be run again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic import context, op  # only revisions and a running upgrade import this file
from sqlalchemy import Column, Connection, Constraint, Dialect, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ColumnCollectionConstraint

from taskmanager.domain.errors import SchemaError
from taskmanager.storage import shape
from taskmanager.storage.shape import TableShape

#: Among the attributes of Alembic's configuration: where env.py and the revisions find the Run.
ATTRIBUTE = "taskmanager.run"


def current_run() -> Run:
    """The upgrade under way, for env.py and the revisions."""
    run = context.config.attributes.get(ATTRIBUTE)
    if not isinstance(run, Run):
        raise SchemaError("migrations are run by `taskmanager db upgrade`, which knows prefix and connection")
    return run


class Key(ColumnCollectionConstraint):
    """An index written inside CREATE TABLE: on MySQL a table then never exists without it, whatever crashes."""

    def __init__(self, name: str, *columns: str, unique: bool = False) -> None:
        super().__init__(*columns, name=name)
        self.column_names = list(columns)
        self.unique = unique


@compiles(Key)
def _write_key(key: Key, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote
    columns = ", ".join(quote(c) for c in key.column_names)
    return f"{'UNIQUE ' if key.unique else ''}KEY {quote(key.name)} ({columns})"


@dataclass
class Run:
    """One upgrade under way. Without a connection it is written down as SQL instead (`--sql`).

    assumed: without a connection, the tables that are taken to be there.
    """

    prefix: str
    dialect: Dialect
    connection: Connection | None = None
    assumed: Mapping[str, TableShape] = field(default_factory=dict)
    #: Without a connection: the foreign keys, when somebody looked them up.
    foreign: list[Any] | None = None
    on_step: Callable[[str], None] | None = None
    steps: list[str] = field(default_factory=list)

    @property
    def is_offline(self) -> bool:
        """Whether SQL is written down, not run."""
        return self.connection is None

    @property
    def is_mysql(self) -> bool:
        """Whether the product is MySQL or MariaDB."""
        return shape.is_mysql(self.dialect)

    @property
    def has_invisible_columns(self) -> bool:
        """Whether a column can be kept out of `SELECT *`: MySQL 8.0.23, MariaDB 10.3."""
        version = self.dialect.server_version_info or (9,)
        return self.is_mysql and (getattr(self.dialect, "is_mariadb", False) or version >= (8, 0, 23))

    def name(self, table: str) -> str:
        """A table's name with the prefix."""
        return self.prefix + table

    def shapes(self, names: Collection[str]) -> dict[str, TableShape]:
        """Those of these tables that are there."""
        if self.connection is None:
            return {n: s for n, s in self.assumed.items() if n in names}
        return shape.read(self.connection, names)

    def has_table(self, name: str) -> bool:
        """Whether a table, by its whole name, is there."""
        if self.connection is None:
            return name in self.assumed
        return name in shape.names_present(self.connection)

    def has_column(self, table: str, column: str) -> bool:
        """Whether a table, by its whole name, has a column."""
        found = self.shapes([table])
        return table in found and column in found[table].columns

    def create(self, name: str, *items: Column[Any] | Constraint, keys: Collection[Key] = (), **options: Any) -> None:
        """Create a table, by its whole name, with its indexes, if it is absent.

        One that is there stays as it is; but of our own, indexes that somebody dropped are made again, which revision
        0003 does on MySQL. The c_* tables are their owners' matter.
        """
        if self.has_table(name):
            if not self.is_mysql and name.startswith(self.prefix) and not name.startswith("c_"):
                self._create_lost(keys, name)
            return
        if self.is_mysql:
            op.create_table(name, *items, *keys, **options)
        else:
            op.create_table(name, *items, **options)
            for key in keys:
                op.create_index(str(key.name), name, key.column_names, unique=key.unique)
        self.done(f"created table {name}")

    def _create_lost(self, keys: Collection[Key], name: str) -> None:
        present = {index.name for index in self.shapes([name])[name].indexes} if keys else set()
        for key in keys:
            if key.name not in present:
                op.create_index(str(key.name), name, key.column_names, unique=key.unique)
                self.done(f"created index {key.name}")

    def execute(self, sql: str, step: str = "") -> int:
        """Run one statement of plain SQL; the rows it touched. step: what has been done by it, for people."""
        statement = text(sql.replace(":", r"\:"))
        if self.connection is None:
            op.execute(statement)
            touched = 0
        else:
            touched = self.connection.execute(statement).rowcount
        if step:
            self.done(step)
        return touched

    def done(self, step: str) -> None:
        """Note a step for who watches."""
        self.steps.append(step)
        if self.on_step is not None:
            self.on_step(step)

    def quote(self, name: str) -> str:
        """An identifier, quoted."""
        return self.dialect.identifier_preparer.quote_identifier(name)

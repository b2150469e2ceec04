"""The shape of tables: read from a database or as defined, and what one lacks. As text: `shape_notation.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Double,
    Float,
    Inspector,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.dialects import mysql

#: Kinds of column by family, the narrower before the wider. What is not listed here is not judged.
_FAMILIES = (
    ("smallint", "integer", "bigint"),
    ("float", "double"),
    ("varchar", "tinytext", "text", "mediumtext", "longtext"),
    ("datetime",),
)
_RANKS = {kind: (family, rank) for family, kinds in enumerate(_FAMILIES) for rank, kind in enumerate(kinds)}
#: The first that fits; a subclass stands before its parent.
_KINDS: tuple[tuple[type[Any], str], ...] = (
    (BigInteger, "bigint"),
    (SmallInteger, "smallint"),
    (Integer, "integer"),
    (Double, "double"),
    (Float, "float"),
    (mysql.LONGTEXT, "longtext"),
    (mysql.MEDIUMTEXT, "mediumtext"),
    (mysql.TINYTEXT, "tinytext"),
    (Text, "text"),
    (String, "varchar"),
    (DateTime, "datetime"),
)


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column. `length` is characters of a varchar, or digits of the fraction of a datetime's second."""

    name: str
    kind: str
    length: int | None = None
    nullable: bool = False
    default: str | None = None
    numbered: bool = False
    #: Of text on MySQL and MariaDB only; the name of the character set where that is all the server says.
    collation: str | None = None

    @property
    def words(self) -> str:
        """As people write it: `VARCHAR(50)`."""
        return self.kind.upper() + (f"({self.length})" if self.length else "")

    def is_narrower_than(self, want: ColumnShape) -> bool:
        """Whether values of `want` may not fit."""
        family, rank = _RANKS.get(self.kind, (-1, 0))
        wanted_family, wanted_rank = _RANKS.get(want.kind, (-2, 0))
        if family != wanted_family or rank != wanted_rank:
            return family == wanted_family and rank < wanted_rank
        return (self.length or 0) < (want.length or 0)

    def is_collated_as(self, want: ColumnShape) -> bool:
        """Whether text of `want` is kept, and told apart by case, as it should be."""
        if want.collation is None or self.collation is None:
            return True
        wanted = want.collation.partition("_")[0]
        return self.collation.endswith("_bin") and self.collation.startswith(("utf8mb4_", f"{wanted}_"))

    def widened_to(self, want: ColumnShape) -> ColumnShape:
        """`want`, but never narrower than this one, nor refusing the NULL that this one may hold."""
        wider = want if self.is_narrower_than(want) else self
        return replace(
            want, kind=wider.kind, length=wider.length, nullable=want.nullable or (self.nullable and not want.numbered)
        )


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index, or a unique constraint."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False

    def serves(self, want: IndexShape, implied: tuple[str, ...]) -> bool:
        """Whether `want` is not needed beside this one. implied: columns that every index ends with."""
        if want.unique:
            return self.unique and set(self.columns) == set(want.columns)
        return (*self.columns, *implied)[: len(want.columns)] == want.columns

    @property
    def words(self) -> str:
        """As people write it."""
        return f"{'unique ' if self.unique else ''}index {self.name} on ({', '.join(self.columns)})"


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table; `columns` in order."""

    name: str
    columns: Mapping[str, ColumnShape] = field(default_factory=dict)
    indexes: tuple[IndexShape, ...] = ()
    primary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that a table lacks: itself, a column, the width of one, an index, or its primary key."""

    table: str
    column: ColumnShape | None = None
    index: IndexShape | None = None
    #: The column that is there but not wide enough.
    narrow: ColumnShape | None = None
    key: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.narrow is not None and self.column is not None:
            return f"column {self.table}.{self.column.name} is {_unlike(self.narrow, self.column)} is needed"
        if self.column is not None:
            return f"table {self.table} lacks column {self.column.name}"
        if self.index is not None:
            return f"table {self.table} lacks {self.index.words}"
        return f"table {self.table} lacks a primary key" if self.key else f"table {self.table} is missing"

    @property
    def cured(self) -> str:
        """What was done when it lacks no more, without the table's name."""
        if self.narrow is not None and self.column is not None:
            return f"{self.column.name} is {_unlike(self.narrow, self.column).rpartition(', ')[2]}"
        added = self.index.words if self.index else f"column {self.column.name}" if self.column else "a primary key"
        return f"{added} added"


def _unlike(have: ColumnShape, want: ColumnShape) -> str:
    if have.is_narrower_than(want):
        return f"{have.words}, {want.words}"
    if not have.is_collated_as(want):
        return f"{have.collation}, {want.collation}"
    return "NOT NULL, NULL"


def compare(want: TableShape, have: TableShape | None, *, implied: bool) -> list[Lack]:
    """What `have` lacks to serve as `want`. implied: whether each index ends with the primary key by itself."""
    name = want.name
    if have is None:
        return [Lack(name)]
    lacks = []
    for column in want.columns.values():
        there = have.columns.get(column.name)
        if there is None:
            lacks.append(Lack(name, column=column))
        elif _is_short(there, column):
            lacks.append(Lack(name, column=column, narrow=there))
    if want.primary and not have.primary:
        lacks.append(Lack(name, key=want.primary))
    ends = (have.primary or want.primary) if implied else ()
    for index in want.indexes:
        if not any(i.serves(index, ends) for i in have.indexes):
            lacks.append(Lack(name, index=index))
    return lacks


def _is_short(have: ColumnShape, want: ColumnShape) -> bool:
    refuses_null = want.nullable and not have.nullable
    return have.is_narrower_than(want) or not have.is_collated_as(want) or refuses_null


def defined(table: Table, dialect: Dialect) -> TableShape:
    """The shape of a table as it is defined, for one product."""
    columns = {c.name: _column(c.name, _resolved(c.type, dialect), c.nullable, dialect) for c in table.columns}
    indexes = [IndexShape(str(i.name), tuple(c.name for c in i.columns), bool(i.unique)) for i in table.indexes]
    indexes += [
        IndexShape(str(u.name), tuple(c.name for c in u.columns), True)
        for u in table.constraints
        if isinstance(u, UniqueConstraint)
    ]
    default = table.dialect_options["mysql"].get("collate") if is_mysql(dialect) else None
    with_collation = {n: collated(c, default) for n, c in columns.items()}
    ordered = tuple(sorted(indexes, key=lambda i: i.name))
    return TableShape(table.name, with_collation, ordered, tuple(c.name for c in table.primary_key.columns))


def _resolved(type_: Any, dialect: Dialect) -> Any:
    """The type for one product; psycopg's own kind of Double would not tell its width."""
    return type_ if isinstance(type_, Double) else type_.dialect_impl(dialect)


def read(connection: Connection, names: Iterable[str]) -> dict[str, TableShape]:
    """The shapes of those of these tables that are there, under the names asked for. Needs SELECT rights only."""
    inspector = inspect(connection)
    present = names_present(connection, inspector)
    return {n: _read_table(inspector, n, connection.dialect) for n in names if n in present}


class Names(frozenset[str]):
    """Names of tables as the server compares them."""

    folded = False

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower() if self.folded else name)


def names_present(connection: Connection, inspector: Inspector | None = None) -> Names:
    """The names of all tables of the database. MySQL on Windows and macOS does not tell case."""
    found = (inspector or inspect(connection)).get_table_names()
    folded = is_mysql(connection.dialect) and connection.scalar(text("SELECT @@lower_case_table_names")) != 0
    names = Names(n.lower() for n in found) if folded else Names(found)
    names.folded = bool(folded)
    return names


def is_mysql(dialect: Dialect) -> bool:
    """Whether the product is MySQL or MariaDB."""
    return dialect.name in ("mysql", "mariadb")


def _read_table(inspector: Inspector, name: str, dialect: Dialect) -> TableShape:
    columns = {c["name"]: _column(c["name"], c["type"], c["nullable"], dialect) for c in inspector.get_columns(name)}
    if is_mysql(dialect):
        default = _default_collation(inspector.get_table_options(name), dialect)
        columns = {n: collated(c, default) for n, c in columns.items()}
    indexes = [
        IndexShape(str(i["name"]), tuple(str(c) for c in i["column_names"]), bool(i["unique"]))
        for i in inspector.get_indexes(name)
        # An index of a column's first characters does not serve where the whole column is asked for.
        if not any(i.get("dialect_options", {}).get(f"{dialect.name}_length", {}).values())
    ]
    indexes += [
        IndexShape(str(u["name"]), tuple(u["column_names"]), True) for u in inspector.get_unique_constraints(name)
    ]
    primary = tuple(inspector.get_pk_constraint(name)["constrained_columns"])
    return TableShape(name, columns, tuple(indexes), primary)


def _column(name: str, type_: Any, nullable: bool | None, dialect: Dialect) -> ColumnShape:
    kind = next((k for cls, k in _KINDS if isinstance(type_, cls)), str(type_).lower())
    length = getattr(type_, "length", None) if kind == "varchar" else None
    if kind == "datetime":
        # PostgreSQL keeps microseconds unless told otherwise, MySQL none.
        full = getattr(type_, "precision", None)
        length = getattr(type_, "fsp", None) if is_mysql(dialect) else full
        length = 6 if length is None and dialect.name == "postgresql" else length
    if dialect.name == "sqlite":  # holds any value in any column: width means nothing
        kind, length = ("bigint" if kind == "integer" else kind), None
    return ColumnShape(name, kind, length, bool(nullable), collation=_own_collation(type_))


def _own_collation(type_: Any) -> str | None:
    charset, collation = getattr(type_, "charset", None), getattr(type_, "collation", None)
    return collation or charset


def collated(column: ColumnShape, default: str | None) -> ColumnShape:
    """The column with the collation it has where none is named: text has the table's, other kinds none."""
    is_text = _RANKS.get(column.kind, (-1, 0))[0] == _RANKS["varchar"][0]
    return replace(column, collation=column.collation or default) if is_text else replace(column, collation=None)


def _default_collation(options: Mapping[str, Any], dialect: Dialect) -> str:
    collation = options.get(f"{dialect.name}_collate")
    charset = options.get(f"{dialect.name}_default charset") or options.get(f"{dialect.name}_charset")
    return str(collation or charset)

"""All tables as CREATE statements, for one product, and the generated files of `sql/schema/`."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Column, Dialect, make_url
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import UserDefinedType

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import shape
from taskmanager.storage.tables import Tables

PRODUCTS = ("mysql", "mariadb", "postgresql", "sqlite")
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}
_HEADING = "-- All tables, for {title}. Generated from taskmanager/storage/tables.py; do not edit.\n\n"
_FILES = {"mysql": "MySQL and MariaDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}


def dialect_of(product: str) -> Dialect:
    """How to write SQL for a product; neither its driver nor a server is needed."""
    if product not in PRODUCTS:
        raise InvalidArgument(f"product {product!r}: one of {', '.join(PRODUCTS)}")
    return make_url(f"{_DRIVERS.get(product, product)}://").get_dialect()()


class _RunDate(UserDefinedType[Any]):
    """The older name of StartedAt, which `SELECT *` does not show."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "DATETIME GENERATED ALWAYS AS (`StartedAt`) VIRTUAL INVISIBLE"


def schema_sql(product: str, prefix: str = "Hangfire") -> str:
    """CREATE statements of all tables as `tables.py` defines them now."""
    dialect = dialect_of(product)
    tables = Tables(prefix)  # of its own: a column is added, which other products do not have
    if shape.is_mysql(dialect):
        tables.legacy.logged.append_column(Column("RunDate", _RunDate()))
    parts = []
    for each in (*tables.hangfire(), *tables.legacy.all()):
        create = (
            str(CreateTable(each).compile(dialect=dialect)).strip().replace("\t", "    ").replace(")ENGINE", ") ENGINE")
        )
        parts.append(re.sub(r" +$", "", create, flags=re.MULTILINE) + ";")
        indexes = sorted(each.indexes, key=lambda i: str(i.name))
        parts += [str(CreateIndex(i).compile(dialect=dialect)).strip() + ";" for i in indexes]
    return "\n\n".join(parts) + "\n"


def schema_files() -> dict[str, str]:
    """What the files of `sql/schema/` hold, by name."""
    return {f"{p}.sql": _HEADING.format(title=title) + schema_sql(p) for p, title in _FILES.items()}

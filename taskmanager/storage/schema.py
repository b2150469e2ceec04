"""The tables as they are against the tables as they should be: created when absent, checked at every start."""

from __future__ import annotations

from sqlalchemy import inspect
from sqlalchemy.schema import CreateIndex, CreateTable

from taskmanager.domain.errors import SchemaError
from taskmanager.storage.database import Database
from taskmanager.storage.tables import Tables


def is_empty(database: Database) -> bool:
    """Whether none of Hangfire's tables is there."""
    present = set(inspect(database.engine).get_table_names())
    return not any(t.name in present for t in database.tables.hangfire())


def upgrade(database: Database) -> list[str]:
    """Create what is absent; returns the names of the tables that were. Existing tables are not altered."""
    present = set(inspect(database.engine).get_table_names())
    absent = [t.name for t in database.tables.metadata.sorted_tables if t.name not in present]
    if absent:
        database.create_tables()
    return absent


def missing(database: Database) -> list[str]:
    """What the database lacks, a sentence each."""
    inspector = inspect(database.engine)
    present = set(inspector.get_table_names())
    sentences = []
    for table in database.tables.hangfire():
        if table.name not in present:
            sentences.append(f"table {table.name} is missing")
            continue
        columns = {c["name"] for c in inspector.get_columns(table.name)}
        sentences += [f"table {table.name} lacks column {c.name}" for c in table.columns if c.name not in columns]
    return sentences


def check(database: Database) -> None:
    """Raise SchemaError that names what is missing, and the cure."""
    lacking = missing(database)
    if lacking:
        raise SchemaError(
            "the database is not ready: " + "; ".join(lacking)
            + ". Run `taskmanager db upgrade`, or give a DBA the output of `taskmanager db sql`."
        )  # fmt: skip


def schema_sql(tables: Tables, dialect: object) -> str:
    """All CREATE statements, for a DBA."""
    parts = []
    for table in tables.metadata.sorted_tables:
        parts.append(str(CreateTable(table).compile(dialect=dialect)).strip() + ";")  # type: ignore[arg-type]
        indexes = sorted(table.indexes, key=lambda i: str(i.name))
        parts += [str(CreateIndex(i).compile(dialect=dialect)).strip() + ";" for i in indexes]  # type: ignore[arg-type]
    return "\n\n".join(parts) + "\n"

"""What the database's own catalogue tells of our tables: about how many rows, how large, which indexes lack."""

from __future__ import annotations

from dataclasses import dataclass

from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table; the whole file of SQLite, which knows no others without reading all of it, has no name.

    rows: an estimate; size: bytes with its indexes. Each None where the database keeps no such figure.
    """

    name: str
    rows: int | None
    size: int | None


@statement
def table_sizes(t: Tables, p: Product) -> str:
    """No row of a table is read for this."""
    names = ", ".join(p.literal(name) for name in sorted(t.metadata.tables))
    if p.name in ("mysql", "mariadb"):
        return (
            "SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES "
            f"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({names})"
        )
    if p.name == "postgresql":
        return (
            "SELECT c.relname, CAST(c.reltuples AS BIGINT), pg_total_relation_size(c.oid) FROM pg_class c "
            "WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p') "
            f"AND c.relname IN ({names})"
        )
    return (
        "SELECT '', NULL, p.page_count * s.page_size FROM pragma_page_count p, pragma_page_size s UNION ALL "
        f"SELECT name, NULL, NULL FROM sqlite_master WHERE type = 'table' AND name IN ({names})"
    )


@statement
def index_names(t: Tables, p: Product) -> str:
    names = ", ".join(p.literal(name) for name in sorted(t.metadata.tables))
    if p.name in ("mysql", "mariadb"):
        return (
            "SELECT DISTINCT TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS "
            f"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({names})"
        )
    if p.name == "postgresql":
        ours = f"schemaname = current_schema() AND tablename IN ({names})"
        return f"SELECT tablename, indexname FROM pg_indexes WHERE {ours}"
    return f"SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND tbl_name IN ({names})"


def sizes(tx: Tx) -> list[TableSize]:
    """Our tables, by name."""
    found = [TableSize(str(r[0]), _figure(r[1]), _figure(r[2])) for r in tx.execute(table_sizes)]
    return sorted(found, key=lambda one: one.name)


def lacking(tx: Tx) -> list[tuple[str, str]]:
    """Table and name of each index of ours that is not there; only of tables that are."""
    there: dict[str, set[str]] = {}
    for table, index in tx.execute(index_names):
        there.setdefault(str(table), set()).add(str(index).lower())
    return [
        (table.name, str(index.name))
        for table in tx.tables.metadata.sorted_tables if table.name in there
        for index in sorted(table.indexes, key=lambda one: str(one.name))
        if str(index.name).lower() not in there[table.name]
    ]  # fmt: skip


def _figure(value: object) -> int | None:
    """PostgreSQL says -1 before it has looked at a table the first time."""
    number = None if value is None else int(str(value))
    return None if number is None or number < 0 else number

"""The named statements as text, one file a product: a change of SQL is seen in review, not found in production."""

from __future__ import annotations

import importlib
import os
import pkgutil
from pathlib import Path

import pytest

from taskmanager import storage
from taskmanager.storage import ddl, statements
from taskmanager.storage.dialects import MariaDB, MySQL, PostgreSQL, Product, SQLite
from taskmanager.storage.tables import Tables

for module in pkgutil.iter_modules(storage.__path__, "taskmanager.storage."):
    importlib.import_module(module.name)
PLACE = Path(__file__).parent.parent / "golden"
PRODUCTS: dict[str, Product] = {
    "mysql": MySQL(), "mariadb": MariaDB(), "postgresql": PostgreSQL(), "sqlite": SQLite(),
}  # fmt: skip


def written(product: str) -> str:
    tables, dialect = Tables("Hangfire"), ddl.dialect_of(product)
    parts = []
    for name, build in sorted(statements.REGISTRY.items()):
        text = statements.render(build, tables, PRODUCTS[product], dialect)
        parts.append(f"-- {name}\n{text.strip()};\n")
    return "\n".join(parts)


@pytest.mark.parametrize("product", list(PRODUCTS))
def test_every_named_statement_reads_as_its_golden_file(product: str) -> None:
    file = PLACE / f"{product}.sql"
    if os.environ.get("TASKMANAGER_TEST_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(written(product), "utf-8")
    assert written(product) == file.read_text("utf-8"), (
        "a statement changed: look at it, then write the files anew with TASKMANAGER_TEST_WRITE_GOLDEN=1"
    )

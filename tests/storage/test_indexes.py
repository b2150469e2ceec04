"""Each index earns its writes: a named statement reads by it, or the document of indexes says what it is for."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import UniqueConstraint

from taskmanager import TaskManager, storage
from taskmanager.storage import ddl, statements
from taskmanager.storage.dialects import SQLite
from taskmanager.storage.tables import Tables

for module in pkgutil.iter_modules(storage.__path__, "taskmanager.storage."):
    importlib.import_module(module.name)

_DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "indexes.md"
#: Read by no named statement: by filters that are put together, by .NET servers, or by the database for uniqueness.
_OTHERWISE = {
    "IX_HangfireAudit_Action", "IX_HangfireAudit_Outcome", "IX_HangfireDistributedLock_Resource",
    "UQ_c_JobAlert_JobName",
}  # fmt: skip
_GIVEN = re.compile(r"\(__\[POSTCOMPILE_\w+\]\)|(?<![\w:']):[A-Za-z_]\w*|\?")
#: Of the older shape of c_Job, whose tables are not ours; SIGNAL and SET of others are no reads.
_NOT_OURS = re.compile(r"targcc(?!_mail\.recipients_without)|legacy_edits|wait_|plan_anew|as_they_lie|logged_search")


def indexes(tables: Tables) -> Iterator[tuple[str, str]]:
    """Table and name of each index but primary keys."""
    for table in tables.metadata.sorted_tables:
        yield from ((table.name, str(index.name)) for index in table.indexes)
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                yield table.name, str(constraint.name)


@pytest.fixture
def read_by(tmp_path: Path) -> dict[str, set[str]]:
    """Which named statements read by an index, as SQLite plans them in empty tables."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/plans.db", doorbell=False)
    tm.database.create_tables()
    tables = tm.database.tables
    tm.close()
    found: dict[str, set[str]] = defaultdict(set)
    raw = sqlite3.connect(tmp_path / "plans.db")
    for name, build in statements.REGISTRY.items():
        if _NOT_OURS.search(name):
            continue
        sql = statements.render(build, tables, SQLite(), ddl.dialect_of("sqlite"))
        plan = raw.execute("EXPLAIN QUERY PLAN " + _GIVEN.sub("(NULL)", sql)).fetchall()
        for step in plan:
            for index in re.findall(r"INDEX (\w+)", step[3]):
                found[index].add(name)
    raw.close()
    for table in tables.metadata.sorted_tables:
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):  # SQLite names its index by the table
                found[str(constraint.name)] = found[f"sqlite_autoindex_{table.name}_1"]
    return found


@pytest.mark.one_engine
def test_each_index_is_read_by_a_named_statement_or_has_another_reason(read_by: dict[str, set[str]]) -> None:
    unread = {index for _, index in indexes(Tables("Hangfire")) if not read_by.get(index)}
    assert unread == _OTHERWISE


@pytest.mark.one_engine
def test_the_document_of_indexes_tells_what_each_is_for() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \([^|]+\) \| ([^|]+) \|$", _DOCUMENT.read_text("utf-8"), re.M)
    assert {(table, index) for table, index, _ in rows} == set(indexes(Tables("Hangfire")))
    assert all(len(reason) > 10 for *_, reason in rows)

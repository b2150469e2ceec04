"""Tables of MySQL and MariaDB widened in place: one ALTER each, foreign keys taken out and put back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, inspect, text

from taskmanager.domain.errors import SchemaError
from taskmanager.storage.migrating import Run
from taskmanager.storage.shape import ColumnShape, IndexShape, Lack, TableShape, compare

#: Row of the Hash table in which dropped foreign keys are remembered until they are back, whatever crashes.
MARKER_KEY, MARKER_FIELD = "taskmanager:schema-upgrade", "foreign-keys"


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of one column."""

    name: str
    table: str
    column: str
    referred_table: str
    referred_column: str
    on_delete: str = "CASCADE"
    on_update: str = "CASCADE"


def widen(
    run: Run,
    want: Mapping[str, TableShape],
    have: Mapping[str, TableShape],
    foreign: Sequence[ForeignKey],
    *,
    superseded: Iterable[str] = (),
) -> None:
    """Bring the tables `have` to the shapes `want`; those that are absent stay so. superseded: indexes to drop."""
    lacks = {n: compare(want[n], have[n], implied=True) for n in have}
    lacks = {n: found for n, found in lacks.items() if found}
    taken_out = [k for k in foreign if _changes(lacks, k)]
    _refuse_strangers(taken_out, want)
    _remember(run, taken_out)
    for key in taken_out:
        run.execute(
            f"ALTER TABLE {run.quote(key.table)} DROP FOREIGN KEY {run.quote(key.name)}",
            f"took out foreign key {key.name} of {key.table}",
        )
    for name, found in lacks.items():
        drops = [i.name for i in have[name].indexes if i.name in superseded]
        run.execute(
            alter(run.quote, have[name], found, drops), f"altered table {name}: {', '.join(f.cured for f in found)}"
        )
    _put_back(run, taken_out if run.is_offline else remembered(run))


def alter(quote: Callable[[str], str], have: TableShape, lacks: Sequence[Lack], drops: Sequence[str] = ()) -> str:
    """One ALTER TABLE, so that the table is written anew once only, and either wholly or not at all."""
    clauses = [_clause(quote, have, lack) for lack in lacks]
    present = {i.name for i in have.indexes}
    replaced = [lack.index.name for lack in lacks if lack.index is not None and lack.index.name in present]
    clauses += [f"DROP KEY {quote(name)}" for name in dict.fromkeys([*replaced, *drops])]
    if any(lack.column is not None and lack.column.collation for lack in lacks):
        # Compact rows, as old servers made them, cannot index 200 characters of four bytes.
        clauses += ["ROW_FORMAT=DYNAMIC", "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"]
    return f"ALTER TABLE {quote(have.name)}\n  " + ",\n  ".join(clauses)


def _clause(quote: Callable[[str], str], have: TableShape, lack: Lack) -> str:
    if lack.index is not None:
        return f"ADD {_index(quote, lack.index)}"
    if lack.key:
        return f"ADD PRIMARY KEY ({', '.join(quote(c) for c in lack.key)})"
    assert lack.column is not None, "an absent table is created, not altered"
    if lack.narrow is not None:
        return f"MODIFY COLUMN {definition(quote, lack.narrow.widened_to(lack.column))}"
    first = " FIRST" if lack.column.numbered else ""
    return f"ADD COLUMN {definition(quote, lack.column)}{first}"


def _index(quote: Callable[[str], str], index: IndexShape) -> str:
    columns = ", ".join(quote(c) for c in index.columns)
    return f"{'UNIQUE ' if index.unique else ''}KEY {quote(index.name)} ({columns})"


def definition(quote: Callable[[str], str], column: ColumnShape) -> str:
    """A column as ALTER TABLE wants it."""
    words = [quote(column.name), column.words]
    if column.collation:
        words.append(f"CHARACTER SET {column.collation.partition('_')[0]} COLLATE {column.collation}")
    words.append("NULL" if column.nullable else "NOT NULL")
    if column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.numbered:
        words.append("AUTO_INCREMENT")
    return " ".join(words)


def foreign_keys(connection: Connection, tables: Iterable[str]) -> list[ForeignKey]:
    """The foreign keys of these tables, and those of all other tables on this server that refer to them."""
    names = list(tables)
    inspector = inspect(connection)
    ours = []
    for name in names:
        for key in inspector.get_foreign_keys(name):
            rules = [key["options"].get(when, "RESTRICT") for when in ("ondelete", "onupdate")]
            columns = key["constrained_columns"][0], _named(names, key["referred_table"]), key["referred_columns"][0]
            ours.append(ForeignKey(str(key["name"]), name, *columns, *rules))
    return ours + _strangers(connection, names)


def _strangers(connection: Connection, names: Sequence[str]) -> list[ForeignKey]:
    """A user with SELECT rights only does not see these; the tables' own keys are seen by all."""
    rows = connection.execute(
        text(
            "SELECT CONSTRAINT_NAME, TABLE_SCHEMA = DATABASE(), TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, "
            "REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE "
            "WHERE REFERENCED_TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME"
        )
    )
    return [
        ForeignKey(name, table if here else f"{owner}.{table}", column, _named(names, referred), referred_column)
        for name, here, owner, table, column, referred, referred_column in rows
        if _named(names, referred) in names and not (here and _named(names, table) in names)
    ]


def _named(names: Sequence[str], found: str) -> str:
    """The name as we write it: a server on Windows gives it in small letters."""
    return next((n for n in names if n == found), next((n for n in names if n.lower() == found.lower()), found))


def _changes(lacks: Mapping[str, Sequence[Lack]], key: ForeignKey) -> bool:
    """Whether the type of either column of a foreign key changes: the server refuses that while the key is there."""
    return any(
        lack.narrow is not None and lack.narrow.name == column
        for table, column in ((key.table, key.column), (key.referred_table, key.referred_column))
        for lack in lacks.get(table, ())
    )


def _refuse_strangers(keys: Iterable[ForeignKey], ours: Mapping[str, TableShape]) -> None:
    strangers = [f"{k.name} of table {k.table}" for k in keys if k.table not in ours]
    if strangers:
        raise SchemaError(
            "nothing was changed: other tables refer to job ids, which become BIGINT, by foreign key "
            f"{', '.join(strangers)}. Drop it, run the upgrade, make its column BIGINT, and add it again"
        )


def _remember(run: Run, keys: Sequence[ForeignKey]) -> None:
    """Before the first is dropped, so that an upgrade that was cut off knows at its next run what to put back."""
    if run.connection is None or not keys:
        return
    known = {k.name: k for k in (*remembered(run), *keys)}
    run.connection.execute(
        text(
            f"INSERT INTO {run.quote(run.name('Hash'))} (`Key`, Field, Value) VALUES (:key, :field, :value) "
            "ON DUPLICATE KEY UPDATE Value = VALUES(Value)"
        ),
        {"key": MARKER_KEY, "field": MARKER_FIELD, "value": json.dumps([asdict(k) for k in known.values()])},
    )


def remembered(run: Run) -> list[ForeignKey]:
    """The foreign keys that were dropped, by this run or by one that was cut off."""
    assert run.connection is not None
    value = run.connection.scalar(
        text(f"SELECT Value FROM {run.quote(run.name('Hash'))} WHERE `Key` = :key AND Field = :field"),
        {"key": MARKER_KEY, "field": MARKER_FIELD},
    )
    return [ForeignKey(**row) for row in json.loads(value)] if value else []


def _put_back(run: Run, keys: Sequence[ForeignKey]) -> None:
    if not keys:
        return
    there = {(k.table, k.name) for k in foreign_keys(run.connection, [k.table for k in keys])} if run.connection else ()
    # Without the check the server neither reads nor copies the table.
    run.execute("SET SESSION foreign_key_checks = 0")
    for key in keys:
        if (key.table, key.name) not in there:
            run.execute(_add(run.quote, key), f"put back foreign key {key.name} of {key.table}")
    run.execute("SET SESSION foreign_key_checks = 1")
    for key in keys:
        if key.on_delete == "CASCADE":
            # What a running server deleted meanwhile would have taken these rows along.
            run.execute(_orphans(run.quote, key))
    if run.connection is not None:
        hashes = run.quote(run.name("Hash"))
        run.connection.execute(text(f"DELETE FROM {hashes} WHERE `Key` = :key"), {"key": MARKER_KEY})


def _add(quote: Callable[[str], str], key: ForeignKey) -> str:
    return (
        f"ALTER TABLE {quote(key.table)} ADD CONSTRAINT {quote(key.name)} FOREIGN KEY ({quote(key.column)}) "
        f"REFERENCES {quote(key.referred_table)} ({quote(key.referred_column)}) "
        f"ON DELETE {key.on_delete} ON UPDATE {key.on_update}"
    )


def _orphans(quote: Callable[[str], str], key: ForeignKey) -> str:
    return (
        f"DELETE c FROM {quote(key.table)} c LEFT JOIN {quote(key.referred_table)} p "
        f"ON p.{quote(key.referred_column)} = c.{quote(key.column)} WHERE p.{quote(key.referred_column)} IS NULL"
    )

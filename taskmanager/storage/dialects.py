"""How the four products differ, as answers to questions. No other file may ask which product it speaks to."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql import quoted_name


class Verdict(Enum):
    """What an error of the database means for the unit of work that met it."""

    AGAIN = "run the whole unit again"
    RECONNECT = "drop the pool's connections, then run the whole unit again"
    DUPLICATE = "a unique key was there already"
    READ_ONLY = "the database cannot be written"
    FATAL = "not to be cured by trying again"


#: Deadlock, lock wait, snapshot conflict, NOWAIT, certification failures of clusters (at COMMIT as well).
_MYSQL_AGAIN = frozenset({1205, 1213, 1020, 3572, 1180, 3101, 1614, 1689})
#: Gone away, refused, shutting down, no primary component, read-only after a fail-over, too many connections.
_MYSQL_RECONNECT = frozenset(
    {2002, 2003, 2006, 2013, 2014, 2027, 2055, 1047, 1053, 1040, 1042, 1043, 1152, 1153, 1158, 1159, 1160, 1161,
     1203, 1226, 1290, 1836, 1927, 3100, 3169, 4031, 1792, 0}
)  # fmt: skip
_MYSQL_READ_ONLY = frozenset({1021, 1114, 1036, 1030})
#: Among those to reconnect after: the server is there, and read-only. Past all patience that is how it is.
_MYSQL_WRITES_REFUSED = frozenset({1290, 1792, 1836})
#: A SELECT beyond max_execution_time, any statement beyond max_statement_time.
_MYSQL_TOO_SLOW = frozenset({3024, 1969})
_POSTGRES_AGAIN = frozenset({"40001", "40P01", "55P03", "25P02"})
_POSTGRES_READ_ONLY = frozenset({"53100"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server would run a statement: the indexes it reads by (PRIMARY for the key), and whether it sorts."""

    indexes: frozenset[str]
    sorts: bool


class Product:
    """One database product. Subclasses answer; nobody else branches on a name."""

    name = ""
    #: SQL for the server's clock in UTC, and for the seconds by which its wall clock is ahead of UTC.
    utc_now = ""
    local_offset = "0"
    #: SQL for the name of its zone; `SYSTEM <abbreviation>` where it takes the host's.
    time_zone = "'UTC'"
    for_update_skip = " FOR UPDATE SKIP LOCKED"
    #: Statements after which a wait for a whole table ends within a second, and as usual; empty where that costs the
    #: transaction. `is_table_locked` tells of it.
    wait_briefly = ""
    wait_usually = ""
    #: SQL for the longest statement in bytes that the server takes; empty where there is no such bound.
    longest_statement = ""
    #: A statement that bounds those after it on its connection, in milliseconds; 0 for no bound.
    limit = ""
    #: Whether rows of several tables are locked by naming them.
    lock_of = True
    #: After an INSERT of one row, where the driver does not tell its id by itself.
    returning_id = ""
    #: Before a statement: how the server would run it; `plan` reads the answer.
    explain = "EXPLAIN"
    #: What the claim is ordered by; FetchedAt is NULL in all its rows.
    claim_order: tuple[str, ...] = ("Priority", "Id")

    def by_index(self, index: str) -> str:
        """A word after a table's name that keeps the planner to an index, where it would choose a worse one."""
        return ""

    def ids(self) -> str:
        """A derived table `x(id)` from the JSON array in parameter `ids`: one constant text for any length."""
        raise AssertionError("a product answers this")

    def select_by_ids(self, columns: Sequence[str], table: str, *, key: str = "Id", lock: bool = False) -> str:
        """SELECT columns of the rows `t` whose key is in the list; they are locked in the order of the list."""
        names = ", ".join(f"t.{self.quote(c)}" for c in columns)
        return f"SELECT {names} FROM {self.by_ids(table, key)}{self.locking('t') if lock else ''}"

    def by_ids(self, table: str, key: str) -> str:
        """The list of ids, joined to the rows `t` of a table."""
        return f"{self.ids()} JOIN {self.quote(table)} t ON t.{self.quote(key)} = x.id"

    def locking(self, tables: str) -> str:
        """The FOR UPDATE clause for these tables."""
        return f" FOR UPDATE OF {tables}" if self.lock_of else " FOR UPDATE"

    def update_by_ids(self, table: str, changes: Mapping[str, str], where: str = "", key: str = "Id") -> str:
        """UPDATE of the rows `t` whose key is in the list, locked by primary key in the order of the list."""
        raise AssertionError("a product answers this")

    def delete_by_ids(self, table: str, where: str = "", key: str = "Id") -> str:
        """DELETE of the rows whose key is in the list, by eq_ref, never by a scan."""
        raise AssertionError("a product answers this")

    def upsert(self, table: Table, keys: tuple[str, ...], changes: Mapping[str, str]) -> str:
        """INSERT that updates `changes` (column → expression; `{new}` is the row offered) on a duplicate key."""
        raise AssertionError("a product answers this")

    def plan(self, rows: Sequence[Mapping[str, Any]]) -> Plan:
        """What a server answered to `explain`."""
        raise AssertionError("a product answers this")

    def distinct(self, table: str, column: str, most: int) -> str:
        """At most so many distinct values (`name`) of a column that an index begins with: one look-up each.

        DISTINCT would read the whole index.
        """
        of, value = self.quote(table), self.quote(column)
        return (
            f"WITH RECURSIVE names (name, number) AS (SELECT MIN({value}), 1 FROM {of} UNION ALL "
            f"SELECT (SELECT MIN({value}) FROM {of} WHERE {value} > names.name), number + 1 FROM names "
            f"WHERE names.name IS NOT NULL AND number < {most}) SELECT name FROM names WHERE name IS NOT NULL"
        )

    def is_table_locked(self, error: BaseException) -> bool:
        """Whether a statement that waits for no row was given up for a lock on its table; the transaction goes on."""
        return False

    def digest(self, texts: Sequence[str], order: str) -> str:
        """An aggregate that changes when one of these texts, none of them NULL, changes in any row."""
        raise AssertionError("a product answers this")

    def text_of(self, column: str) -> str:
        """A column of any type for `digest`: never NULL."""
        return f"COALESCE({column}, '~')"

    def quote(self, name: str) -> str:
        """An identifier, quoted."""
        return f'"{quoted_name(name, True)}"'

    def count_on(self, table: str, key: str) -> str:
        """The statement after which a key numbers itself on behind rows that brought theirs; empty where it does."""
        return ""

    def literal(self, value: str | int | None) -> str:
        """A value as it stands in a statement that people run by hand."""
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        return "NULL" if value is None else str(value)

    def verdict(self, error: BaseException) -> Verdict:
        """What to do about an error."""
        raise AssertionError("a product answers this")

    def refuses_writes(self, error: BaseException) -> bool:
        """Whether the server answered that it is read-only, be it for the time of a fail-over or for good."""
        return False

    def is_too_slow(self, error: BaseException) -> bool:
        """Whether a statement was given up for the bound on its time."""
        return False

    def insertable(self, table: Table) -> tuple[str, ...]:
        """The columns a row is offered with: all but a key that numbers itself."""
        return tuple(c.name for c in table.columns if c is not table.autoincrement_column)

    def insert_text(self, table: Table, columns: tuple[str, ...]) -> str:
        """A plain INSERT with one bind parameter a column."""
        names = ", ".join(self.quote(c) for c in columns)
        binds = ", ".join(f":{c}" for c in columns)
        return f"INSERT INTO {self.quote(table.name)} ({names}) VALUES ({binds})"


class MySQL(Product):
    """MySQL 8 and later."""

    name = "mysql"
    utc_now = "UTC_TIMESTAMP(6)"
    local_offset = "TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())"
    time_zone = "IF(@@global.time_zone = 'SYSTEM', CONCAT('SYSTEM ', @@system_time_zone), @@global.time_zone)"
    wait_briefly = "SET SESSION lock_wait_timeout = 1"
    wait_usually = "SET SESSION lock_wait_timeout = DEFAULT"
    longest_statement = "@@max_allowed_packet"
    limit = "SET SESSION max_execution_time = {ms}"
    explain = "EXPLAIN FORMAT=TRADITIONAL"

    def plan(self, rows: Sequence[Mapping[str, Any]]) -> Plan:
        keys = {key for row in rows for key in str(row["key"] or "").split(",") if key}
        return Plan(frozenset(keys), any("filesort" in str(row["Extra"]) for row in rows))

    def distinct(self, table: str, column: str, most: int) -> str:
        # It reads one row a value by itself (loose index scan), and the recursion walks the index for each value.
        return f"SELECT DISTINCT {self.quote(column)} AS name FROM {self.quote(table)} LIMIT {most}"

    def is_table_locked(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and error.orig is not None and error.orig.args[:1] == (1205,)

    def refuses_writes(self, error: BaseException) -> bool:
        arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
        return bool(arguments) and arguments[0] in _MYSQL_WRITES_REFUSED

    def is_too_slow(self, error: BaseException) -> bool:
        arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
        return bool(arguments) and arguments[0] in _MYSQL_TOO_SLOW

    def digest(self, texts: Sequence[str], order: str) -> str:
        return f"SUM(CRC32(CONCAT_WS('|', {', '.join(texts)})))"

    def quote(self, name: str) -> str:
        return f"`{name}`"

    def literal(self, value: str | int | None) -> str:
        return super().literal(value.replace("\\", "\\\\") if isinstance(value, str) else value)

    def by_index(self, index: str) -> str:
        # When most rows of the table are in one queue it would read the whole table and sort, locking every row.
        return f" FORCE INDEX ({self.quote(index)})"

    def ids(self) -> str:
        return "JSON_TABLE(:ids, '$[*]' COLUMNS(id BIGINT PATH '$')) x"

    def by_ids(self, table: str, key: str) -> str:
        # A plain `WHERE id IN (…)` may be planned as a scan of a small table and then lock other workers'
        # rows (error 1213 within seconds); the list first, then eq_ref by primary key, never does. MySQL would
        # still scan a table of a few rows (hash join) unless the key is forced.
        force = " FORCE INDEX (PRIMARY)" if key in ("Id", "ID") else ""
        return f"{self.ids()} STRAIGHT_JOIN {self.quote(table)} t{force} ON t.{self.quote(key)} = x.id"

    def update_by_ids(self, table: str, changes: Mapping[str, str], where: str = "", key: str = "Id") -> str:
        condition = f" WHERE {where}" if where else ""
        assignments = ", ".join(f"t.{self.quote(c)} = {e}" for c, e in changes.items())
        return f"UPDATE {self.by_ids(table, key)} SET {assignments}{condition}"

    def delete_by_ids(self, table: str, where: str = "", key: str = "Id") -> str:
        condition = f" WHERE {where}" if where else ""
        return f"DELETE t FROM {self.by_ids(table, key)}{condition}"

    def upsert(self, table: Table, keys: tuple[str, ...], changes: Mapping[str, str]) -> str:
        columns = self.insertable(table)
        sets = ", ".join(
            f"{self.quote(c)} = {e.format(new=f'VALUES({self.quote(c)})', old=self.quote(c))}"
            for c, e in changes.items()
        )
        return f"{self.insert_text(table, columns)} ON DUPLICATE KEY UPDATE {sets}"

    def verdict(self, error: BaseException) -> Verdict:
        if isinstance(error, PoolTimeout):
            return Verdict.AGAIN
        if not isinstance(error, DBAPIError):
            return Verdict.FATAL
        code = error.orig.args[0] if error.orig is not None and error.orig.args else None
        if code in _MYSQL_AGAIN:
            return Verdict.AGAIN
        if code == 1062:
            return Verdict.DUPLICATE
        if code in _MYSQL_READ_ONLY:
            return Verdict.READ_ONLY
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        return Verdict.RECONNECT if lost or code in _MYSQL_RECONNECT else Verdict.FATAL


class MariaDB(MySQL):
    """MariaDB 10.6 and later: no `FOR UPDATE OF`."""

    name = "mariadb"
    limit = "SET SESSION max_statement_time = {ms} / 1000"
    lock_of = False
    explain = "EXPLAIN"


class PostgreSQL(Product):
    """PostgreSQL 13 and later, by psycopg 3."""

    name = "postgresql"
    utc_now = "timezone('utc', clock_timestamp())"
    # To its planner IS NULL is no constant: without FetchedAt in the order it sorts the whole queue (58 ms a claim
    # at 200,000 rows, 2 ms with it).
    claim_order = ("FetchedAt", "Priority", "Id")
    returning_id = ' RETURNING "Id"'
    limit = "SET statement_timeout = {ms}"

    def refuses_writes(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "25006"

    def is_too_slow(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "57014"

    def plan(self, rows: Sequence[Mapping[str, Any]]) -> Plan:
        text = "\n".join(str(value) for row in rows for value in row.values())
        found = re.findall(r'Index (?:Only )?Scan (?:Backward )?(?:using|on) "?([^" \n]+)', text)
        keys = {"PRIMARY" if name.endswith("_pkey") else name for name in found}
        sort = re.search(r"^\s*(?:->\s*)?(?:Incremental )?Sort\b (?!Key)", text, re.MULTILINE)
        return Plan(frozenset(keys), sort is not None)

    def text_of(self, column: str) -> str:
        return f"COALESCE(CAST({column} AS text), '~')"

    def count_on(self, table: str, key: str) -> str:
        name = f"pg_get_serial_sequence('{self.quote(table)}', '{key}')"
        return f"SELECT setval({name}, MAX({self.quote(key)})) FROM {self.quote(table)}"

    def digest(self, texts: Sequence[str], order: str) -> str:
        return f"md5(string_agg(concat_ws('|', {', '.join(texts)}), ',' ORDER BY {order}))"

    def ids(self) -> str:
        return "(SELECT v::text::bigint AS id FROM json_array_elements(CAST(:ids AS json)) v) x"

    def select_by_ids(self, columns: Sequence[str], table: str, *, key: str = "Id", lock: bool = False) -> str:
        return super().select_by_ids(columns, table, key=key) + " ORDER BY x.id" + (self.locking("t") if lock else "")

    def update_by_ids(self, table: str, changes: Mapping[str, str], where: str = "", key: str = "Id") -> str:
        condition = f" AND {where}" if where else ""
        assignments = ", ".join(f"{self.quote(c)} = {e}" for c, e in changes.items())
        return (
            f"UPDATE {self.quote(table)} t SET {assignments} FROM {self.ids()} "
            f"WHERE t.{self.quote(key)} = x.id{condition}"
        )

    def delete_by_ids(self, table: str, where: str = "", key: str = "Id") -> str:
        condition = f" AND {where}" if where else ""
        return f"DELETE FROM {self.quote(table)} t USING {self.ids()} WHERE t.{self.quote(key)} = x.id{condition}"

    def upsert(self, table: Table, keys: tuple[str, ...], changes: Mapping[str, str]) -> str:
        return _on_conflict(self, table, keys, changes)

    def verdict(self, error: BaseException) -> Verdict:
        if isinstance(error, PoolTimeout):
            return Verdict.AGAIN
        if not isinstance(error, DBAPIError):
            return Verdict.FATAL
        state = getattr(error.orig, "sqlstate", None)
        if state in _POSTGRES_AGAIN:
            return Verdict.AGAIN
        if state == "23505":
            return Verdict.DUPLICATE
        if state in _POSTGRES_READ_ONLY:
            return Verdict.READ_ONLY
        if error.connection_invalidated or (state is None and isinstance(error, (OperationalError, InterfaceError))):
            return Verdict.RECONNECT
        gone = str(state)[:2] in ("08", "57") or state in ("25006", "53300")
        return Verdict.RECONNECT if gone else Verdict.FATAL


class SQLite(Product):
    """SQLite 3.38 and later: writers take turns by BEGIN IMMEDIATE, so no row locks are named."""

    name = "sqlite"
    utc_now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    local_offset = "CAST(strftime('%s', 'now', 'localtime') AS INTEGER) - CAST(strftime('%s', 'now') AS INTEGER)"
    time_zone = "'SYSTEM'"
    for_update_skip = ""
    lock_of = False
    explain = "EXPLAIN QUERY PLAN"

    def plan(self, rows: Sequence[Mapping[str, Any]]) -> Plan:
        text = "\n".join(str(row["detail"]) for row in rows)
        keys = set(re.findall(r"USING (?:COVERING )?INDEX (\S+)", text))
        keys |= {"PRIMARY"} if "USING INTEGER PRIMARY KEY" in text else set()
        return Plan(frozenset(keys), "USE TEMP B-TREE" in text)

    def is_too_slow(self, error: BaseException) -> bool:
        code = getattr(error.orig, "sqlite_errorcode", 0) if isinstance(error, DBAPIError) else 0
        return bool(code & 0xFF == sqlite3.SQLITE_INTERRUPT)

    def digest(self, texts: Sequence[str], order: str) -> str:
        joined = " || '|' || ".join(texts)
        return f"group_concat({joined})"

    def by_index(self, index: str) -> str:
        # For `Id > …` it would walk the table by rowid, over the rows of all queues.
        return f" INDEXED BY {self.quote(index)}"

    def ids(self) -> str:
        return "(SELECT value AS id FROM json_each(:ids)) x"

    def locking(self, tables: str) -> str:
        return ""

    def update_by_ids(self, table: str, changes: Mapping[str, str], where: str = "", key: str = "Id") -> str:
        condition = f" AND {where}" if where else ""
        assignments = ", ".join(f"{self.quote(c)} = {e}" for c, e in changes.items())
        return (
            f"UPDATE {self.quote(table)} AS t SET {assignments} "
            f"WHERE t.{self.quote(key)} IN (SELECT value FROM json_each(:ids)){condition}"
        )

    def delete_by_ids(self, table: str, where: str = "", key: str = "Id") -> str:
        condition = f" AND {where}" if where else ""
        return (
            f"DELETE FROM {self.quote(table)} AS t "
            f"WHERE t.{self.quote(key)} IN (SELECT value FROM json_each(:ids)){condition}"
        )

    def upsert(self, table: Table, keys: tuple[str, ...], changes: Mapping[str, str]) -> str:
        return _on_conflict(self, table, keys, changes)

    def verdict(self, error: BaseException) -> Verdict:
        if isinstance(error, PoolTimeout):
            return Verdict.AGAIN
        if not isinstance(error, DBAPIError):
            return Verdict.FATAL
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Verdict.AGAIN
        if code == sqlite3.SQLITE_CONSTRAINT:
            unique = getattr(error.orig, "sqlite_errorcode", 0) in (
                sqlite3.SQLITE_CONSTRAINT_UNIQUE,
                sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
            )
            return Verdict.DUPLICATE if unique else Verdict.FATAL
        if code in (
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CANTOPEN,
        ):
            return Verdict.READ_ONLY
        return Verdict.FATAL


def _on_conflict(product: Product, table: Table, keys: tuple[str, ...], changes: Mapping[str, str]) -> str:
    columns = product.insertable(table)
    target = ", ".join(product.quote(k) for k in keys)
    sets = ", ".join(
        f"{product.quote(c)} = "
        + e.format(new=f"EXCLUDED.{product.quote(c)}", old=f"{product.quote(table.name)}.{product.quote(c)}")
        for c, e in changes.items()
    )
    return f"{product.insert_text(table, columns)} ON CONFLICT ({target}) DO UPDATE SET {sets}"


def product_of(dialect: Any) -> Product:
    """The product a SQLAlchemy dialect speaks to; MariaDB is told from MySQL by asking the server."""
    if dialect.name in ("mysql", "mariadb"):
        return MariaDB() if getattr(dialect, "is_mariadb", False) else MySQL()
    return PostgreSQL() if dialect.name == "postgresql" else SQLite()

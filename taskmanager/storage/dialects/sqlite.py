"""SQLite, in this process."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from taskmanager.storage.dialects.product import InsertText, Plan, Product, Verdict


class SQLite(Product):
    """SQLite 3.38 and later: writers take turns by BEGIN IMMEDIATE, so no row locks are named."""

    name = "sqlite"
    utc_now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    local_offset = "CAST(strftime('%s', 'now', 'localtime') AS INTEGER) - CAST(strftime('%s', 'now') AS INTEGER)"
    time_zone = "'SYSTEM'"
    for_update_skip = ""
    for_share = ""
    lock_of = False
    last_id = "last_insert_rowid()"
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

    def contains(self, column: str, name: str) -> str:
        # Its LIKE makes no difference between a and A; LOWER would copy each text: twice the time.
        return f"{column} LIKE :{name} ESCAPE '!'"

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

    def insert_text(self, table: Table, columns: tuple[str, ...]) -> str:
        return InsertText(super().insert_text(table, columns), columns=columns)

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

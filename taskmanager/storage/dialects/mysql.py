"""MySQL and MariaDB, by PyMySQL or mysqlclient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from taskmanager.storage.dialects.product import Plan, Product, Verdict

#: Deadlock, lock wait, snapshot conflict, NOWAIT, certification failures of clusters (at COMMIT as well).
_AGAIN = frozenset({1205, 1213, 1020, 3572, 1180, 3101, 1614, 1689})
#: Gone away, refused, shutting down, no primary component, read-only after a fail-over, too many connections.
_RECONNECT = frozenset(
    {2002, 2003, 2006, 2013, 2014, 2027, 2055, 1047, 1053, 1040, 1042, 1043, 1152, 1153, 1158, 1159, 1160, 1161,
     1203, 1226, 1290, 1836, 1927, 3100, 3169, 4031, 1792, 0}
)  # fmt: skip
_READ_ONLY = frozenset({1021, 1114, 1036, 1030})
#: Among those to reconnect after: the server is there, and read-only. Past all patience that is how it is.
_WRITES_REFUSED = frozenset({1290, 1792, 1836})
#: A SELECT beyond max_execution_time, any statement beyond max_statement_time.
_TOO_SLOW = frozenset({3024, 1969})


class MySQL(Product):
    """MySQL 8 and later."""

    name = "mysql"
    utc_now = "UTC_TIMESTAMP(6)"
    local_offset = "TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())"
    time_zone = "IF(@@global.time_zone = 'SYSTEM', CONCAT('SYSTEM ', @@system_time_zone), @@global.time_zone)"
    wait_briefly = "SET SESSION lock_wait_timeout = 1"
    wait_usually = "SET SESSION lock_wait_timeout = DEFAULT"
    longest_statement = "@@max_allowed_packet"
    limit, no_limit = "SET SESSION max_execution_time = {ms}", "SET SESSION max_execution_time = 0"
    explain = "EXPLAIN FORMAT=TRADITIONAL"
    rows_lie_by_key = True
    # The words that MariaDB knows as well.
    for_share = " LOCK IN SHARE MODE"

    def plan(self, rows: Sequence[Mapping[str, Any]]) -> Plan:
        keys = {key for row in rows for key in str(row["key"] or "").split(",") if key}
        return Plan(frozenset(keys), any("filesort" in str(row["Extra"]) for row in rows))

    def distinct(self, table: str, column: str, most: int) -> str:
        # It reads one row a value by itself (loose index scan), and the recursion walks the index for each value.
        return f"SELECT DISTINCT {self.quote(column)} AS name FROM {self.quote(table)} LIMIT {most}"

    def distinct_within(self, table: str, index: str, fixed: str, columns: Sequence[str], most: int) -> str:
        # With all columns it is a loose index scan; with the last one alone it reads every row, as the recursion does.
        others, value = ", ".join(map(self.quote, columns[:-1])), self.quote(columns[-1])
        return (
            f"SELECT DISTINCT {others}, {value} AS step FROM {self.quote(table)}{self.by_index(index)} "
            f"WHERE {fixed} LIMIT {most}"
        )

    def text_parameter(self, name: str) -> str:
        return f"CAST(:{name} AS CHAR(50))"

    def for_each(self, names: Sequence[str], columns: Sequence[str]) -> str:
        # A derived table within a column does not see the row around it.
        return " UNION ALL ".join(
            f"SELECT {', '.join((self.text_parameter(name), *columns))}".replace("{each}", f":{name}") for name in names
        )

    def count_up_to(self, most: int, *parts: str, order: str = "", few: str = "") -> str:
        # A bounded list of rows is written to a temporary table and read again: three times the work of one more look.
        counted = " + ".join(f"(SELECT COUNT(*) FROM {part})" for part in parts)
        beyond = ", ".join(f"(SELECT {most} FROM {part} {order} LIMIT 1 OFFSET {most - 1})" for part in parts)
        bounded = f"COALESCE({beyond}, {counted})"
        return f"CASE WHEN {few} THEN {counted} ELSE {bounded} END" if few else bounded

    def is_table_locked(self, error: BaseException) -> bool:
        return isinstance(error, DBAPIError) and error.orig is not None and error.orig.args[:1] == (1205,)

    def refuses_writes(self, error: BaseException) -> bool:
        arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
        return bool(arguments) and arguments[0] in _WRITES_REFUSED

    def is_too_slow(self, error: BaseException) -> bool:
        arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig is not None else ()
        return bool(arguments) and arguments[0] in _TOO_SLOW

    def digest(self, texts: Sequence[str], order: str) -> str:
        return f"SUM(CRC32(CONCAT_WS('|', {', '.join(texts)})))"

    def narrow(self, columns: Sequence[str]) -> str:
        # PyMySQL takes 50 us to read what the server tells of each column: more than the rest of a look.
        texts = ", ".join(f"COALESCE({column}, '~')" for column in columns)
        return f"CONCAT_WS('|', {texts})"

    def wide(self, row: Sequence[Any], count: int) -> Sequence[Any]:
        text = row[0].decode(errors="replace") if isinstance(row[0], bytes) else str(row[0])
        return [None if part == "~" else part for part in text.split("|", count - 1)]

    def quote(self, name: str) -> str:
        return f"`{name}`"

    def literal(self, value: str | int | None) -> str:
        return super().literal(value.replace("\\", "\\\\") if isinstance(value, str) else value)

    def concat(self, *parts: str) -> str:
        return f"CONCAT({', '.join(parts)})"

    def contains(self, column: str, name: str) -> str:
        # Byte by byte: letter by letter it takes eight times as long.
        return f"CAST(LOWER({column}) AS BINARY) LIKE :{name} ESCAPE '!'"

    def bounded(self, select: str, number: int) -> str:
        # Each derived table is a temporary one: of 200 parts MariaDB needs 160 ms for them, 14 without.
        return f"({select})"

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
        if code in _AGAIN:
            return Verdict.AGAIN
        if code == 1062:
            return Verdict.DUPLICATE
        if code in _READ_ONLY:
            return Verdict.READ_ONLY
        lost = error.connection_invalidated or isinstance(error, InterfaceError)
        return Verdict.RECONNECT if lost or code in _RECONNECT else Verdict.FATAL


class MariaDB(MySQL):
    """MariaDB 10.6 and later: no `FOR UPDATE OF`."""

    name = "mariadb"
    limit, no_limit = "SET SESSION max_statement_time = {ms} / 1000", "SET SESSION max_statement_time = 0"
    lock_of = False
    explain = "EXPLAIN"

    def is_one(self, column: str, value: str) -> tuple[str, tuple[str, ...]]:
        # By one value it walks all rows of that value wherever the bound lies: 930,000 for 100,000 wanted, over 3 s.
        return f"{column} >= {value} AND {column} <= {value}", (column,)

"""PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import DateTime, Float, Integer, Table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from taskmanager.storage.dialects.product import InsertText, Plan, Product, Verdict

_AGAIN = frozenset({"40001", "40P01", "55P03", "25P02"})
_READ_ONLY = frozenset({"53100"})
#: What a column's values are in an array. Texts have no length there: a CAST would cut them, where an INSERT refuses.
_ARRAYS = {Integer: "bigint[]", Float: "float8[]", DateTime: "timestamp[]"}


class PostgreSQL(Product):
    """PostgreSQL 13 and later, by psycopg 3."""

    name = "postgresql"
    utc_now = "timezone('utc', clock_timestamp())"
    # To its planner IS NULL is no constant: without FetchedAt in the order it sorts the whole queue (58 ms a claim
    # at 200,000 rows, 2 ms with it).
    claim_order = ("FetchedAt", "Priority", "Id")
    # Of 200 looks in a UNION ALL it plans each: 25 ms of its processor.
    each_wanted = "json_to_recordset(CAST(:wanted AS json)) AS w(name text, number bigint)"
    returning_id = ' RETURNING "Id"'
    last_id = "lastval()"
    # A plan that is kept for all values of a filter may walk the whole table, where each value's own would not.
    limit = (
        "SELECT set_config('statement_timeout', '{ms}', false), "
        "set_config('plan_cache_mode', 'force_custom_plan', false)"
    )
    plan_anew = "SET LOCAL plan_cache_mode = force_custom_plan"
    no_limit = "SELECT set_config('statement_timeout', '0', false), set_config('plan_cache_mode', 'auto', false)"

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

    def any_row(self, table: str, condition: str, order: Sequence[str]) -> str:
        # Its planner supposes that rows lie anywhere, so that a scan meets the first soon: among 90,000 rows of other
        # queues, which lie before those of one, that was 15 ms, and 0.05 in the order of the index.
        by = ", ".join(f"r.{self.quote(column)}" for column in order)
        first = f"SELECT 1 FROM {self.quote(table)} r WHERE {condition} ORDER BY {by} LIMIT 1"
        return f"EXISTS (SELECT 1 FROM ({first}) one)"

    def contains(self, column: str, name: str) -> str:
        # Of a LIKE its planner supposes that so few rows meet it that it reads and sorts all there are, for a page
        # which the first hundred would fill; of a CASE, that half of them do.
        return f"CASE WHEN {super().contains(column, name)} THEN TRUE ELSE FALSE END"

    def text_of(self, column: str) -> str:
        return f"COALESCE(CAST({column} AS text), '~')"

    def count_on(self, table: str, key: str) -> str:
        name = f"pg_get_serial_sequence('{self.quote(table)}', '{key}')"
        return f"SELECT setval({name}, MAX({self.quote(key)})) FROM {self.quote(table)}"

    def digest(self, texts: Sequence[str], order: str) -> str:
        return f"md5(string_agg(concat_ws('|', {', '.join(texts)}), ',' ORDER BY {order}))"

    def insert_text(self, table: Table, columns: tuple[str, ...]) -> str:
        one = super().insert_text(table, columns)
        arrays = ", ".join(f"CAST(:{c} AS {_array_of(table.c[c].type)})" for c in columns)
        return InsertText(one, many=f"{one[: one.index(' VALUES (')]} SELECT * FROM unnest({arrays})")

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

    def is_unreachable(self, error: BaseException) -> bool:
        # A server that refuses a connection is told from none by its words only: libpq hands on no SQLSTATE.
        return super().is_unreachable(error) and "FATAL:" not in str(error)

    def verdict(self, error: BaseException) -> Verdict:
        if isinstance(error, PoolTimeout):
            return Verdict.AGAIN
        if not isinstance(error, DBAPIError):
            return Verdict.FATAL
        state = getattr(error.orig, "sqlstate", None)
        if state in _AGAIN:
            return Verdict.AGAIN
        if state == "23505":
            return Verdict.DUPLICATE
        if state in _READ_ONLY:
            return Verdict.READ_ONLY
        if error.connection_invalidated or (state is None and isinstance(error, (OperationalError, InterfaceError))):
            return Verdict.RECONNECT
        gone = str(state)[:2] in ("08", "57") or state in ("25006", "53300")
        return Verdict.RECONNECT if gone else Verdict.FATAL


def _array_of(kind: Any) -> str:
    return next((array for python, array in _ARRAYS.items() if isinstance(kind, python)), "text[]")

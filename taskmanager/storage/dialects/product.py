"""The questions a product answers; what most of them answer alike is answered here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from sqlalchemy import Table
from sqlalchemy.sql import quoted_name


class Verdict(Enum):
    """What an error of the database means for the unit of work that met it."""

    AGAIN = "run the whole unit again"
    RECONNECT = "drop the pool's connections, then run the whole unit again"
    DUPLICATE = "a unique key was there already"
    READ_ONLY = "the database cannot be written"
    FATAL = "not to be cured by trying again"


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server would run a statement: the indexes it reads by (PRIMARY for the key), and whether it sorts."""

    indexes: frozenset[str]
    sorts: bool


class InsertText(str):
    """A plain INSERT of one row, and how the product takes many at once.

    many: a statement for any number of rows, as an array for each column. columns: those of the values of a row, where
    a statement holds many rows of values.
    """

    __slots__ = ("columns", "many")
    many: str | None
    columns: tuple[str, ...]

    def __new__(cls, text: str, *, many: str | None = None, columns: tuple[str, ...] = ()) -> Self:
        """Text that is one row's."""
        made = super().__new__(cls, text)
        made.many, made.columns = many, columns
        return made


class Product:
    """One database product. Subclasses answer; nobody else branches on a name."""

    name = ""
    #: SQL for the server's clock in UTC, and for the seconds by which its wall clock is ahead of UTC.
    utc_now = ""
    local_offset = "0"
    #: SQL for the name of its zone; `SYSTEM <abbreviation>` where it takes the host's.
    time_zone = "'UTC'"
    for_update_skip = " FOR UPDATE SKIP LOCKED"
    #: Others may read and lock the rows so as well, and nobody may change them.
    for_share = " FOR SHARE"
    #: Statements after which a wait for a whole table ends within a second, and as usual; empty where that costs the
    #: transaction. `is_table_locked` tells of it.
    wait_briefly = ""
    wait_usually = ""
    #: SQL for the longest statement in bytes that the server takes; empty where there is no such bound.
    longest_statement = ""
    #: A statement that bounds those after it on its connection, in milliseconds, and one that takes the bound away.
    limit, no_limit = "", ""
    #: Whether a row read through another index is a look of its own, three times as dear as the next one by the key.
    rows_lie_by_key = False
    #: A statement after which those of its transaction are planned for their own values; empty where they always are.
    plan_anew = ""
    #: Whether rows of several tables are locked by naming them.
    lock_of = True
    #: After an INSERT of one row, where the driver does not tell its id by itself.
    returning_id = ""
    #: The id that the INSERT before gave, asked on its own connection.
    last_id = "LAST_INSERT_ID()"
    #: Before a statement: how the server would run it; `plan` reads the answer.
    explain = "EXPLAIN"
    #: A derived table `w(name, number)` from the JSON array of objects in parameter `wanted`, where a look for each of
    #: them is planned once (LATERAL), and not one by one; empty where it is not.
    each_wanted = ""
    #: What the claim is ordered by; FetchedAt is NULL in all its rows.
    claim_order: tuple[str, ...] = ("Priority", "Id")

    def by_index(self, index: str) -> str:
        """A word after a table's name that keeps the planner to an index, where it would choose a worse one."""
        return ""

    def any_row(self, table: str, condition: str, order: Sequence[str]) -> str:
        """Whether a table (`r`) has a row, which the index that begins with these columns finds by one look-up."""
        return f"EXISTS (SELECT 1 FROM {self.quote(table)} r WHERE {condition})"

    def contains(self, column: str, name: str) -> str:
        """Whether a column contains, in any case, what the pattern in a parameter says; `!` is its escape."""
        return f"LOWER({column}) LIKE :{name} ESCAPE '!'"

    def is_one(self, column: str, value: str) -> tuple[str, tuple[str, ...]]:
        """That the first column of an index is one value, where its second bounds what is read; columns to order by."""
        return f"{column} = {value}", ()

    def bounded(self, select: str, number: int) -> str:
        """A SELECT with an order and a bound of its own, as a part of a UNION ALL."""
        return f"SELECT * FROM ({select}) b{number}"

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
        """INSERT that updates `changes` on a duplicate key.

        changes: column → expression, in which `{new}` is what is offered and `{old}` what stands.
        """
        columns = self.insertable(table)
        target = ", ".join(self.quote(k) for k in keys)
        sets = ", ".join(
            f"{self.quote(c)} = "
            + e.format(new=f"EXCLUDED.{self.quote(c)}", old=f"{self.quote(table.name)}.{self.quote(c)}")
            for c, e in changes.items()
        )
        return f"{self.insert_text(table, columns)} ON CONFLICT ({target}) DO UPDATE SET {sets}"

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

    def distinct_within(self, table: str, index: str, fixed: str, columns: Sequence[str], most: int) -> str:
        """At most so many distinct values (`step`) of the last of these columns, which an index begins with: one
        look-up each, the smallest first. fixed: a condition that is one value of each of the others.
        """
        of, value = f"{self.quote(table)}{self.by_index(index)}", self.quote(columns[-1])
        order = ", ".join(map(self.quote, columns))
        return (
            f"WITH RECURSIVE steps (step, number) AS (SELECT (SELECT {value} FROM {of} WHERE {fixed} ORDER BY {order} "
            f"LIMIT 1), 1 UNION ALL SELECT (SELECT {value} FROM {of} WHERE {fixed} AND {value} > steps.step "
            f"ORDER BY {order} LIMIT 1), number + 1 FROM steps WHERE steps.step IS NOT NULL AND number < {most}) "
            f"SELECT step FROM steps WHERE step IS NOT NULL"
        )

    def text_parameter(self, name: str) -> str:
        """A parameter where nothing else tells that it is a short text."""
        return f"CAST(:{name} AS VARCHAR)"

    def for_each(self, names: Sequence[str], columns: Sequence[str]) -> str:
        """A row for each of the texts in these parameters: the text, and columns in which `{each}` stands for it."""
        texts = " UNION ALL ".join(f"SELECT {self.text_parameter(name)} AS name" for name in names)
        return f"SELECT {', '.join(('e.name', *columns))} FROM ({texts}) e".replace("{each}", "e.name")

    def count_up_to(self, most: int, *parts: str, order: str = "", few: str = "") -> str:
        """How many rows these parts of tables (what follows FROM) have, and at least `most` where they have more.

        order: an index's, to keep the look to it. few: a condition under which they surely have no more than that.
        """
        looks = " UNION ALL ".join(
            f"SELECT 1 FROM (SELECT 1 AS one FROM {part} {order} LIMIT {most}) p{n}" for n, part in enumerate(parts)
        )
        return f"(SELECT COUNT(*) FROM ({looks} LIMIT {most}) counted)"

    def is_table_locked(self, error: BaseException) -> bool:
        """Whether a statement that waits for no row was given up for a lock on its table; the transaction goes on."""
        return False

    def digest(self, texts: Sequence[str], order: str) -> str:
        """An aggregate that changes when one of these texts, none of them NULL, changes in any row."""
        raise AssertionError("a product answers this")

    def text_of(self, column: str) -> str:
        """A column of any type for `digest`: never NULL."""
        return f"COALESCE({column}, '~')"

    def narrow(self, columns: Sequence[str]) -> str:
        """The columns of a look that comes again and again, as the driver reads them cheaply; `wide` undoes it."""
        return ", ".join(columns)

    def wide(self, row: Sequence[Any], count: int) -> Sequence[Any]:
        """So many columns that were asked for by `narrow`. Numbers and moments may be texts."""
        return row

    def quote(self, name: str) -> str:
        """An identifier, quoted."""
        return f'"{quoted_name(name, True)}"'

    def concat(self, *parts: str) -> str:
        """Texts one after the other."""
        return "(" + " || ".join(parts) + ")"

    def count_on(self, table: str, key: str) -> str:
        """The statement after which a key numbers itself on behind rows that brought theirs; empty where it does."""
        return ""

    def literal(self, value: str | int | None) -> str:
        """A value as it stands in a statement that people run by hand."""
        if isinstance(value, str):
            return "'" + value.replace("'", "''") + "'"
        return "NULL" if value is None else str(value)

    def is_unreachable(self, error: BaseException) -> bool:
        """Whether nobody answers at the server's address; False when it is the server that refuses."""
        return self.verdict(error) is Verdict.RECONNECT

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

"""Rows as SQLite takes many at once: one statement with all their values, where executemany runs one for each row.

Besides, each of those lets go of Python's lock and waits for it again, behind all threads that perform jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

#: Rows of a statement, the most first. Few sizes, for the driver keeps 128 statements that it has prepared.
SIZES = (100, 10, 1)


def statements_of(
    sql: str, columns: Sequence[str], rows: Sequence[dict[str, Any]], sizes: Sequence[int] = SIZES
) -> Iterator[tuple[str, list[Any]]]:
    """The statements, with their values, that insert these rows in their order. sql: the INSERT of one row."""
    at, names = 0, tuple(columns)
    for size in sizes:
        while len(rows) - at >= size:
            yield _text(sql, len(names), size), [row[name] for row in rows[at : at + size] for name in names]
            at += size


@lru_cache(maxsize=256)
def _text(sql: str, columns: int, count: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{sql[: sql.index(' VALUES (')]} VALUES {', '.join([row] * count)}"

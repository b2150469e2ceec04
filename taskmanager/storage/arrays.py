"""Rows as PostgreSQL's arrays: a parameter for each column, so that one statement inserts any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any


def arrays_of(rows: Sequence[dict[str, Any]]) -> dict[str, str] | None:
    """The literal of an array for each column of these rows; None where a value is of a kind that is not written here.

    All rows have the keys of the first.
    """
    try:
        return {name: f"{{{','.join([_written(row[name]) for row in rows])}}}" for name in rows[0]}
    except _OtherKind:
        return None


class _OtherKind(Exception):
    """A value that the driver writes better."""


def _written(value: Any) -> str:
    kind = type(value)
    if kind is str:
        text: str = value.replace("\\", "\\\\") if "\\" in value else value
        return '"' + text.replace('"', '\\"') + '"'
    if value is None:
        return "NULL"
    if kind is int:
        return str(value)
    if kind is datetime and value.tzinfo is None:
        return f'"{value}"'
    raise _OtherKind

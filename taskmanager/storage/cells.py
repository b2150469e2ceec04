"""One cell of a result as text, as the product's own client prints it; binary as hex, BIT as a number."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

#: Of MySQL's types those that mysqlclient hands over as text or bytes already.
_TEXTS = frozenset({15, 245, 249, 250, 251, 252, 253, 254, 255})
_BIT = 16
_BYTEA, _VOID = 17, 2278


def keep_text(driver: Any) -> None:
    """Let a driver of MySQL hand over what the server wrote, and not make Python values of it."""
    if hasattr(driver, "decoders"):  # PyMySQL
        driver.decoders = {}
    else:
        driver.converter.update({code: str for code in range(256) if code not in _TEXTS and code != _BIT})


def first_of(cursor: Any) -> str | None:
    """The first cell of the result set a cursor of MySQL stands on; None when there is no result set or no row."""
    if cursor.description is None:
        return None
    row = cursor.fetchone()
    if row is None:
        return None
    if cursor.description[0][1] == _BIT and isinstance(row[0], bytes):
        return str(int.from_bytes(row[0], "big"))
    return printed(row[0])


def first_of_postgresql(cursor: Any) -> str | None:
    """The same of psycopg's cursor, as the server wrote it."""
    result = cursor.pgresult
    if result is None or not result.nfields or not result.ntuples or result.ftype(0) == _VOID:
        return None
    value = result.get_value(0, 0)
    if value is None:
        return "NULL"
    text = str(value.decode(cursor.connection.info.encoding, "replace"))
    return text.removeprefix("\\x") if result.ftype(0) == _BYTEA else text


def printed(value: Any) -> str:
    """A Python value as a database would print it."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)

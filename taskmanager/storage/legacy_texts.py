"""Texts as the columns of c_Job and c_LoggedJob take them, which somebody else may have made narrower than ours.

A result that its column refuses would cost the whole outcome: what does not fit is cut, what the column's character
set has not becomes a question mark.
"""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

_HERE = {"mysql": "DATABASE()", "mariadb": "DATABASE()", "postgresql": "current_schema()"}
_COLUMNS = (
    "SELECT TABLE_NAME, COLUMN_NAME, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, CHARACTER_SET_NAME "
    "FROM information_schema.columns WHERE TABLE_SCHEMA = {here} AND TABLE_NAME IN ('c_Job', 'c_LoggedJob') "
    "AND CHARACTER_MAXIMUM_LENGTH IS NOT NULL"
)
_LONG = frozenset({"LastResult", "ResultMessage", "ErrorMessage", "StackTrace", "Remarks"})
#: Of longer texts than the longest that is kept of anything nothing need be known.
_ENOUGH = 1 << 20
#: Python's names of MySQL's character sets, where they differ.
_CODECS = {
    "latin1": "cp1252", "latin2": "iso8859-2", "latin5": "iso8859-9", "latin7": "iso8859-13", "hebrew": "iso8859-8",
    "greek": "iso8859-7", "utf8mb3": "utf-8", "utf8": "utf-8",
}  # fmt: skip
_WIDE = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "binary"})
_MARKER = " ...[truncated]"
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Fit:
    """What a column takes: so many characters, so many bytes, in this encoding. is_narrow: nothing beyond U+FFFF."""

    characters: int | None
    octets: int | None
    codec: str = "utf-8"
    is_narrow: bool = False
    #: So many characters of ASCII fit.
    room: int = field(init=False)

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.characters, self.octets) if bound is not None]
        object.__setattr__(self, "room", min(bounds, default=sys.maxsize))

    def __call__(self, value: str) -> str:
        """The text, or what of it fits."""
        if self.codec == "utf-8" and len(value) <= self.room and value.isascii():
            return value  # nearly all are
        if self.is_narrow:
            value = _BEYOND.sub("?", value)
        raw = value.encode(self.codec, "replace")
        value = raw.decode(self.codec)
        if self.characters is not None and len(value) > self.characters:
            value = value[: max(0, self.characters - len(_MARKER))] + _MARKER[: self.characters]
            raw = value.encode(self.codec)
        if self.octets is None or len(raw) <= self.octets:
            return value
        kept = raw[: max(0, self.octets - len(_MARKER))].decode(self.codec, "ignore")
        return kept + _MARKER[: self.octets]


Texts = Mapping[str, Mapping[str, Fit]]


def read(connection: Connection, product: str) -> Texts:
    """By table and column, what those take that do not take everything."""
    found: dict[str, dict[str, Fit]] = {}
    here = _HERE.get(product)
    rows = connection.execute(text(_COLUMNS.format(here=here))) if here else ()
    for table, column, characters, octets, charset in rows:
        fit = _fit(str(column) in _LONG, characters, octets, charset)
        if fit is not None:
            found.setdefault(str(table), {})[str(column)] = fit
    return found


def fitted(texts: Texts, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row with its texts made to fit."""
    fits = texts.get(table)
    if fits:
        for column, fit in fits.items():
            if isinstance(row.get(column), str):
                row[column] = fit(row[column])
    return row


def _fit(is_long: bool, characters: int | None, octets: int | None, charset: str | None) -> Fit | None:
    bounded = is_long and min(characters or _ENOUGH, octets or _ENOUGH) < _ENOUGH
    known = None if charset is None else charset.lower()
    if known is None or known in _WIDE:
        return Fit(characters, octets) if bounded else None
    codec = _CODECS.get(known, known)
    try:
        codecs.lookup(codec)
    except LookupError:  # ASCII is in all of them
        codec = "ascii"
    limits = (characters, octets) if bounded else (None, None)
    return Fit(*limits, codec, is_narrow=known in ("utf8", "utf8mb3"))

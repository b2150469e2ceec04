"""A number out of what a State says, without reading the text as JSON, which may be somebody else's and broken."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: So many characters behind a name are looked at.
_BEHIND = 24


class _Figure(FunctionElement[int]):
    """A column of JSON text, and the name of a member of it, in quotes and with its colon."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Figure, "sqlite")
def _by_place(element: _Figure, compiler: Any, **given: Any) -> str:
    column, name = (str(compiler.process(part, **given)) for part in element.clauses)
    behind = f"ltrim(substr({column}, instr({column}, {name}) + length({name}), {_BEHIND}), ' \"')"
    return f"CASE WHEN instr({column}, {name}) > 0 THEN CAST({behind} AS INTEGER) END"


@compiles(_Figure, "mysql")
@compiles(_Figure, "mariadb")
def _by_bytes(element: _Figure, compiler: Any, **given: Any) -> str:
    """Byte by byte, as texts are searched."""
    column, name = (str(compiler.process(part, **given)) for part in element.clauses)
    text = f"CAST({column} AS BINARY)"
    behind = f"SUBSTR({text}, LOCATE({name}, {text}) + LENGTH({name}), {_BEHIND})"
    number = f"CAST(TRIM(LEADING '\"' FROM TRIM(LEADING ' ' FROM {behind})) AS SIGNED)"
    return f"CASE WHEN LOCATE({name}, {text}) > 0 THEN {number} END"


@compiles(_Figure, "postgresql")
def _by_pattern(element: _Figure, compiler: Any, **given: Any) -> str:
    column, name = (str(compiler.process(part, **given)) for part in element.clauses)
    return f"CAST(substring({column} FROM {name} || ' ?\"?([0-9]{{1,15}})') AS BIGINT)"


def figure(column: Any, name: str) -> ColumnElement[int]:
    """The number that the member `name` of a column's JSON object holds, bare or in quotes; NULL where it has none."""
    return _Figure(column, literal_column(f"'\"{name}\":'"))

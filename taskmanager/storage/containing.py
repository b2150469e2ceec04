"""Whether a text contains another, in any case: the condition of what no index serves."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, func, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _Bytes(FunctionElement[str]):
    """A text that is compared byte by byte: letter by letter MySQL and MariaDB take eight times as long."""

    type = String()
    inherit_cache = True


@compiles(_Bytes)
def _as_it_is(element: _Bytes, compiler: Any, **given: Any) -> str:
    return str(compiler.process(element.clauses, **given))


@compiles(_Bytes, "mysql")
@compiles(_Bytes, "mariadb")
def _as_bytes(element: _Bytes, compiler: Any, **given: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **given)} AS BINARY)"


class _Beginning(FunctionElement[str]):
    """The beginning of a text, a number of characters, in which only ASCII is looked for."""

    type = String()
    inherit_cache = True


@compiles(_Beginning)
def _as_characters(element: _Beginning, compiler: Any, **given: Any) -> str:
    column, length = element.clauses
    return f"substr({compiler.process(column, **given)}, 1, {compiler.process(length, **given)})"


@compiles(_Beginning, "mysql")
@compiles(_Beginning, "mariadb")
def _as_one_byte_each(element: _Beginning, compiler: Any, **given: Any) -> str:
    column, length = (compiler.process(one, **given) for one in element.clauses)
    return f"CONVERT(LEFT(CAST({column} AS BINARY), {length}) USING latin1)"


def beginning(column: Any, length: int) -> Any:
    """The first characters of a text, for `contains` with a pattern of ASCII alone.

    MySQL and MariaDB take bytes for letters then: MariaDB takes twice as long to make letters of UTF-8 small.
    """
    return _Beginning(column, literal_column(str(length)))


def contains(column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column contains the text whose pattern is bound to a name."""
    return _Bytes(func.lower(column)).like(bindparam(name), escape="!")


def pattern(text: str) -> str:
    """What is bound for a text: small letters, and nothing of it stands for anything else."""
    return "%" + re.sub(r"([!%_])", r"!\1", text.lower()) + "%"

"""Whether a text contains another, in any case: the condition of what no index serves."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, func
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


def contains(column: Any, name: str) -> ColumnElement[bool]:
    """Whether a column contains the text whose pattern is bound to a name."""
    return _Bytes(func.lower(column)).like(bindparam(name), escape="!")


def pattern(text: str) -> str:
    """What is bound for a text: small letters, and nothing of it stands for anything else."""
    return "%" + re.sub(r"([!%_])", r"!\1", text.lower()) + "%"

"""Whether a text contains another, in any case: the condition of what no index serves."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

#: PostgreSQL: up to so many bytes a text is looked through as a whole first.
_SHORT = 6_000


class _Contains(FunctionElement[Any]):
    """A column, the pattern, and how many of its first characters are looked at, where that is not all."""

    type = NullType()  # a Boolean would be compared with 1
    inherit_cache = True


@compiles(_Contains)
def _as_it_is(element: _Contains, compiler: Any, **given: Any) -> str:
    column, like, *first = _parts(element, compiler, given)
    return f"lower({_beginning(column, first)}) LIKE {like} ESCAPE '!'"


@compiles(_Contains, "sqlite")
def _as_like(element: _Contains, compiler: Any, **given: Any) -> str:
    """Its LIKE makes no difference between a and A; lower() would copy each text: twice the time."""
    column, like, *first = _parts(element, compiler, given)
    return f"{_beginning(column, first)} LIKE {like} ESCAPE '!'"


@compiles(_Contains, "mysql")
@compiles(_Contains, "mariadb")
def _as_bytes(element: _Contains, compiler: Any, **given: Any) -> str:
    """Compared byte by byte: letter by letter these two take eight times as long.

    Of a text's beginning bytes are taken for letters, too: to make letters of UTF-8 small MariaDB takes twice as long.
    """
    column, like, *first = _parts(element, compiler, given)
    looked = f"CONVERT(LEFT(CAST({column} AS BINARY), {first[0]}) USING latin1)" if first else column
    return f"CAST(lower({looked}) AS BINARY) LIKE {like} ESCAPE '!'"


@compiles(_Contains, "postgresql")
def _as_choice(element: _Contains, compiler: Any, **given: Any) -> str:
    """In collation C, where small letters cost a third.

    To cut a text's beginning off PostgreSQL walks over it twice, letter by letter: what has the pattern nowhere is
    told before. For why it is a CASE see `PostgreSQL.contains`.
    """
    column, like, *first = _parts(element, compiler, given)
    test = 'lower({} COLLATE "C") LIKE ' + f"{like} ESCAPE '!'"
    nowhere = f"WHEN octet_length({column}) <= {_SHORT} AND NOT {test.format(column)} THEN FALSE " if first else ""
    return f"CASE {nowhere}WHEN {test.format(_beginning(column, first))} THEN TRUE ELSE FALSE END"


def _parts(element: _Contains, compiler: Any, given: dict[str, Any]) -> list[str]:
    return [str(compiler.process(part, **given)) for part in element.clauses]


def _beginning(column: str, first: list[str]) -> str:
    return f"substr({column}, 1, {first[0]})" if first else column


def contains(column: Any, name: str, *, first: int | None = None) -> ColumnElement[Any]:
    """Whether a column contains the text whose pattern is bound to a name; the pattern is ASCII, as JSON is.

    first: in so many of its first characters.
    """
    cut: tuple[Any, ...] = () if first is None else (literal_column(str(first)),)
    return _Contains(column, bindparam(name, type_=String()), *cut)


def pattern(text: str) -> str:
    """What is bound for a text: small letters, and nothing of it stands for anything else."""
    return "%" + re.sub(r"([!%_])", r"!\1", text.lower()) + "%"

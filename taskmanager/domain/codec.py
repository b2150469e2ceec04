"""One Python value as JSON text and back: what a job's arguments and results travel as.

`encode` (of `encoding.py`) looks at the value, `decoder` (of `decoding.py`) at the annotation; a plan is made once
for each type and kept. This file is what others import; what it adds is the text itself: results, and parsing.
Binding values to a function's parameters is the work of `signature.py`.

How a type is written: datetime, date and time in ISO 8601 (an aware one keeps its offset, not the name of
its zone), timedelta as ISO 8601 duration (`P1DT2H3M4.000005S`; a number of seconds is read too), Decimal,
UUID and Path as text, bytes as base64, an Enum as its value, tuple, set and NamedTuple as array, a dataclass,
TypedDict or pydantic model as object. Read back without an annotation, an array is a list, an object a dict.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from json.encoder import encode_basestring_ascii as _quote
from typing import Any

from taskmanager.domain.annotations import resolve_hints
from taskmanager.domain.decoding import decoder
from taskmanager.domain.encoding import encode

__all__ = ["TRUNCATED", "UNWRITABLE_RESULT", "decoder", "encode", "encode_result", "parse", "resolve_hints"]

UNWRITABLE_RESULT = "Can not serialize the return value"  # the text Hangfire stores in this case
TRUNCATED = " …[truncated]"


def encode_result(value: Any, *, max_bytes: int) -> str | None:
    """What is stored of a job's return value: JSON text, or None when it returned None.

    Never fails the job: what has no JSON form becomes the note that Hangfire writes, and what is longer than
    `max_bytes` bytes becomes a JSON string with the beginning of the text and the marker ` …[truncated]`.
    """
    if value is None:
        return None
    try:
        text = encode(value)
    except Exception:  # a model's own serializer may raise anything, and the job has already succeeded
        return UNWRITABLE_RESULT
    return text if len(text) <= max_bytes else _preview(value if isinstance(value, str) else text, max_bytes)


def _preview(text: str, max_bytes: int) -> str:
    room = max_bytes - len(_quote(TRUNCATED))
    size = bisect_right(range(max(room, 0) + 1), room, key=lambda n: len(_quote(text[:n])) - 2) - 1
    return _quote(text[: max(size, 0)] + TRUNCATED)


def parse(text: str) -> Any:
    """The value of a JSON text, at a fraction of the cost of `json.loads`.

    Raises ValueError when it is not JSON (`NaN` and `Infinity` are not) or nested too deeply to be read.
    """
    text = text.strip(" \t\n\r")
    try:
        value, end = _scan(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if end != len(text):
        raise ValueError(f"something follows the value at character {end}")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_scan = json.JSONDecoder(parse_constant=_no_constant).raw_decode

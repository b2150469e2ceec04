"""From one JSON value to a Python value with none inside: number, text, date, choice. Each maker gives a reader."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from types import NoneType
from typing import Any
from uuid import UUID

from taskmanager.domain.annotations import name_of
from taskmanager.domain.encoding import dump, encode
from taskmanager.domain.errors import ArgumentError
from taskmanager.domain.located import Unreadable, found, glimpse

Reader = Callable[[Any], Any]  # from a parsed JSON value to what an annotation asks for


def choice(members: Iterable[Any], kind: type[Enum] | None = None) -> Reader:
    """One of a few values, known by their JSON texts: `true` is not `1`."""
    by_text: dict[str, Any] = {}
    for member in members:
        with suppress(ArgumentError):  # such a member cannot be sent either
            by_text.setdefault(encode(member), member)
    expected = f"one of {', '.join(list(by_text)[:10])}{', …' if len(by_text) > 10 else ''}"
    composed = kind is not None and (issubclass(kind, Flag) or _has_own(kind, "_missing_", Enum))

    def read(value: Any) -> Any:
        try:
            return by_text[dump(value)]
        except (KeyError, ValueError):
            if kind is None or not composed or type(value) is bool:
                raise found(expected, value) from None
        try:
            return kind(value)
        except Exception as error:  # `_missing_` is the user's code
            raise found(expected, value) from error

    return read


def _has_own(kind: type, name: str, base: type) -> bool:
    return getattr(kind, name).__func__ is not getattr(base, name).__func__


def made(kind: type, read_base: Reader) -> Reader:
    """For a subclass of str, int or float, and for paths: the class is called with what `read_base` read."""

    def read(value: Any) -> Any:
        base = read_base(value)
        try:
            return kind(base)
        except Exception as error:  # the class's own checks
            raise Unreadable(f"{kind.__name__} refused {glimpse(value)}: {error}") from error

    return read


def instance(kind: type) -> Reader:
    """For a class that says nothing about JSON: a value that already is one passes, as for a Protocol."""

    def read(value: Any) -> Any:
        try:
            if isinstance(value, kind):
                return value
        except TypeError:  # a Protocol that does not allow the question
            return value
        raise found(f"{kind.__name__}, which cannot be made from JSON (make it a dataclass)", value)

    return read


def _exactly(kind: type) -> Reader:
    expected = name_of(kind)

    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise found(expected, value)

    return read


def _from_text(expected: str, parse_text: Callable[[str], Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str:
            try:
                return parse_text(value)
            except (ValueError, ArithmeticError):
                pass
        raise found(expected, value)

    return read


def _from_number_or(read_text: Reader, expected: str, convert: Callable[[Any], Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not int and type(value) is not float:
            return read_text(value)
        try:
            return convert(value)
        except (ValueError, ArithmeticError):
            raise found(expected, value) from None

    return read


def _duration(text: str) -> timedelta:
    parts = _DURATION.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in parts.groups()[1:6])
    microseconds = int(f"{parts[7] or '':0<6}"[:6])
    value = timedelta(days, seconds, microseconds, 0, minutes, hours, weeks)
    return -value if parts[1] == "-" else value


_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9}))?S)?)?",
    re.ASCII,
)
SIMPLE: dict[type, Reader] = {
    **{kind: _exactly(kind) for kind in (str, int, bool, NoneType)},
    float: _from_number_or(_exactly(float), "float", float),
    datetime: _from_text("datetime", datetime.fromisoformat),
    date: _from_text("date", date.fromisoformat),
    time: _from_text("time", time.fromisoformat),
    timedelta: _from_number_or(_from_text("timedelta", _duration), "timedelta", lambda n: timedelta(seconds=n)),
    Decimal: _from_number_or(_from_text("Decimal", Decimal), "Decimal", lambda n: Decimal(repr(n))),
    UUID: _from_text("UUID", UUID),
    bytes: _from_text("bytes in base64", lambda text: base64.b64decode(text, validate=True)),
}

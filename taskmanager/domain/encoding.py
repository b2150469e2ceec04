"""A Python value to JSON text, by what the value is. `codec.py` tells how each type is written."""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import json
import math
import sys
import types
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring_ascii as _quote
from pathlib import PurePath
from types import NoneType
from typing import Any
from uuid import UUID

from taskmanager.domain.annotations import is_model
from taskmanager.domain.located import Unwritable, step

Writer = Callable[[Any], Any]  # from a Python value to one that the json module writes


def encode(value: Any, name: str = "") -> str:
    """JSON text of `value`: ASCII only, compact. A lone surrogate is kept; NaN and infinity are refused.

    `name` is what the value is called in an error. Raises ArgumentError that names the place inside the
    value, the type found there and what to pass instead.
    """
    try:
        return _TEXTS.get(type(value), _converted)(value)
    except Unwritable as error:
        raise error.within(name) from error.__cause__
    except RecursionError:
        raise Unwritable("it contains itself, or is nested too deeply").within(name) from None


dump = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode
SCALARS = frozenset({str, int, float, bool, NoneType})
_CONTAINERS = frozenset({list, tuple, dict})
_STR_ONLY = frozenset({str})


def _whole_text(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        limit = sys.get_int_max_str_digits()
        raise Unwritable(f"cannot write an int of more than {limit} digits; pass it as text, hex(n)") from None


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise Unwritable(f"JSON has no {value}; pass None, or text")
    return float.__repr__(value)


def _container_text(value: Any) -> str:
    if _is_plain(value):
        try:
            return dump(value)
        except ValueError:  # a number that JSON cannot hold: the walk below tells where it is
            pass
    return dump(_plain(value))


def _converted(value: Any) -> str:
    return dump(_plain(value))


def _is_plain(value: Any) -> bool:
    """Whether the json module writes this container as it should; keys other than str it would bend."""
    if type(value) is dict:
        if not _STR_ONLY.issuperset(map(type, value)):
            return False
        value = value.values()
    for item in value:
        kind = type(item)
        if kind not in SCALARS and (kind not in _CONTAINERS or not _is_plain(item)):
            return False
    return True


def _plain(value: Any) -> Any:
    kind = type(value)
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = _writer(kind)
    return write(value)


def _writer(kind: type) -> Writer:
    if issubclass(kind, Enum):
        return lambda member: _plain(member.value)
    if is_model(kind):
        return _write_model
    if dataclasses.is_dataclass(kind):
        return _dataclass_writer(kind)
    for base, write in _WRITERS_OF_BASES.items():
        if issubclass(kind, base):
            return write
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    raise Unwritable(f"cannot write {article} {kind.__name__} as JSON; {_cure(kind)}")


def _cure(kind: type) -> str:
    if issubclass(kind, type | types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        return "pass its name"
    if hasattr(kind, "fileno"):
        return "pass its path"
    if issubclass(kind, collections.abc.Mapping):
        return "pass a dict"
    if hasattr(kind, "__iter__"):
        return "pass a list of its items"
    return "pass its id, or make it a dataclass"


def _write_int(value: int) -> int:
    if value.bit_length() > 2048:  # Python's own limit on digits is never below 640
        _whole_text(value)
    return int.__int__(value)


def _write_float(value: float) -> float:
    _float_text(value)
    return float.__float__(value)


def _write_duration(value: timedelta) -> str:
    sign, value = ("-", -value) if value.days < 0 else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    fraction = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{minutes // 60}H{minutes % 60}M{seconds}{fraction}S"


def _write_array(value: Iterable[Any]) -> list[Any]:
    plain: list[Any] = []
    try:
        for item in value:
            plain.append(_plain(item))  # its length is the place of an error
    except Unwritable as error:
        raise error.within(f"[{len(plain)}]") from error.__cause__
    return plain


def _write_set(value: Iterable[Any]) -> list[Any]:
    return sorted(map(_plain, value), key=dump)  # sorted: equal sets give equal texts


def _write_object(value: dict[Any, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in value.items():
        name = key if type(key) is str else _write_key(key)
        if name in plain:
            raise Unwritable(f"two keys are both written as {name!r}; make them differ")
        try:
            plain[name] = _plain(item)
        except Unwritable as error:
            raise error.within(step(name)) from error.__cause__
    return plain


def _write_key(key: Any) -> str:
    plain = _plain(key)
    if type(plain) is int:
        return int.__repr__(plain)
    if type(plain) is str:
        return plain
    raise Unwritable(f"a key in JSON is text, not {key!r}; use str, int, UUID, date or Enum keys")


def _dataclass_writer(kind: type) -> Writer:
    names = tuple(field.name for field in dataclasses.fields(kind) if field.init)

    def write(value: Any) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        name = ""
        try:
            for name in names:
                plain[name] = _plain(getattr(value, name))
        except Unwritable as error:
            raise error.within(f".{name}") from error.__cause__
        return plain

    return write


def _write_model(value: Any) -> Any:
    try:
        dumped = value.model_dump(mode="json", round_trip=True)
    except Exception as error:  # its serializers are the user's code
        raise Unwritable(f"cannot write this {type(value).__name__} as JSON: {error}") from error
    return _plain(dumped)


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: _quote,
    int: _whole_text,
    bool: {True: "true", False: "false"}.__getitem__,
    float: _float_text,
    NoneType: lambda _: "null",
    **dict.fromkeys(_CONTAINERS, _container_text),
}
_WRITERS_OF_BASES: dict[type, Writer] = {
    str: str.__str__,
    int: _write_int,
    float: _write_float,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _write_duration,
    Decimal: Decimal.__str__,
    UUID: UUID.__str__,
    PurePath: str,
    bytes: lambda value: base64.b64encode(value).decode("ascii"),
    dict: _write_object,
    list: _write_array,
    tuple: _write_array,
    set: _write_set,
    frozenset: _write_set,
}
_WRITERS: dict[type, Writer] = {**_WRITERS_OF_BASES, bool: bool, NoneType: lambda _: None}

"""One Python value as JSON text and back: what a job's arguments and results travel as.

`encode` looks at the value, `decoder` at the annotation; a plan is made once for each type and kept.
Binding values to a function's parameters is the work of `signature.py`.

How a type is written: datetime, date and time in ISO 8601 (an aware one keeps its offset, not the name of
its zone), timedelta as ISO 8601 duration (`P1DT2H3M4.000005S`; a number of seconds is read too), Decimal,
UUID and Path as text, bytes as base64, an Enum as its value, tuple, set and NamedTuple as array, a dataclass,
TypedDict or pydantic model as object. Read back without an annotation, an array is a list, an object a dict.
"""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import inspect
import json
import math
import re
import sys
import threading
import types
import typing
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from json.encoder import encode_basestring_ascii as _quote
from pathlib import PurePath
from types import NoneType
from typing import (
    Annotated,
    Any,
    Final,
    ForwardRef,
    Literal,
    NotRequired,
    Required,
    Self,
    TypeVar,
    Union,
    Unpack,
)
from uuid import UUID

from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable

Reader = Callable[[Any], Any]  # from a parsed JSON value to what an annotation asks for
Writer = Callable[[Any], Any]  # from a Python value to one that the json module writes

UNWRITABLE_RESULT = "Can not serialize the return value"  # the text Hangfire stores in this case
TRUNCATED = " …[truncated]"


class Located(Exception):
    """Collects, on its way up through the containers, where in the value it arose."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path = ""

    def within(self, step: str) -> Self:
        """The same error, seen from one container further out."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        path = self.path.removeprefix(".")
        return f"argument '{path}': {self.args[0]}" if path else str(self.args[0])


class Unwritable(Located, ArgumentError):
    """A value, or something inside it, has no JSON form."""


class Unreadable(Located, ArgumentsUnreadable):
    """A JSON value, or something inside it, is not what the annotation asks for."""


# ---------------------------------------------------------------------------------------------- writing


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


_dump = json.JSONEncoder(check_circular=False, allow_nan=False, separators=(",", ":")).encode
_SCALARS = frozenset({str, int, float, bool, NoneType})
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
            return _dump(value)
        except ValueError:  # a number that JSON cannot hold: the walk below tells where it is
            pass
    return _dump(_plain(value))


def _converted(value: Any) -> str:
    return _dump(_plain(value))


def _is_plain(value: Any) -> bool:
    """Whether the json module writes this container as it should; keys other than str it would bend."""
    if type(value) is dict:
        if not _STR_ONLY.issuperset(map(type, value)):
            return False
        value = value.values()
    for item in value:
        kind = type(item)
        if kind not in _SCALARS and (kind not in _CONTAINERS or not _is_plain(item)):
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
    if _is_model(kind):
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
    return sorted(map(_plain, value), key=_dump)  # sorted: equal sets give equal texts


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


def _is_model(kind: type) -> bool:
    """Whether this is a pydantic model; if pydantic was never imported, nothing is."""
    base = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    return base is not None and issubclass(kind, base)


def step(key: str) -> str:
    """One step into an object, as it stands in the path of an error."""
    return f".{key}" if key.isidentifier() else f"[{key!r}]"


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


# ---------------------------------------------------------------------------------------------- reading


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


def decoder(annotation: Any) -> Reader:
    """The function that turns a parsed JSON value into what `annotation` asks for; made once, then kept.

    Any, an unresolved name and whatever says nothing about JSON give the value as it is. A union takes its
    member of exactly the JSON value's kind (null, bool, int, float), else the first in order that fits. The
    function raises ArgumentsUnreadable that names the place inside the value, what was expected and what was
    found there.
    """
    try:
        # Not the annotation alone: `int | str == str | int`, but their order decides.
        key = (annotation, repr(annotation))
        known = _readers.get(key)
    except TypeError:  # something inside cannot be hashed: `Annotated[int, {}]`
        return _reader(annotation)
    if known is not None:
        return known
    with _making_lock:
        if key in _making:  # it contains itself, and is only known when it is complete
            return lambda value: decoder(annotation)(value)
        _making.add(key)
        try:
            made = _readers[key] = _reader(annotation)
        finally:
            _making.discard(key)
    return made


def resolve_hints(owner: Any) -> dict[str, Any]:
    """The annotations of a function or class, quoted names resolved; what cannot be resolved stays text."""
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception:  # an annotation may be any expression, and a bad one must not cost the others
        hints: dict[str, Any] = {}
    for part in reversed(owner.__mro__) if isinstance(owner, type) else (owner,):
        module = sys.modules.get(part.__module__)
        names = getattr(part, "__globals__", None) or getattr(module, "__dict__", {})
        inner = dict(vars(part)) if isinstance(part, type) else {}
        for name, hint in _annotations(part).items():
            holder = types.SimpleNamespace(__annotations__={name: hint})
            try:
                hints.update(typing.get_type_hints(holder, names, inner, include_extras=True))
            except Exception:
                hints[name] = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    return hints


def _annotations(owner: Any) -> dict[str, Any]:
    if sys.version_info >= (3, 14):  # there an unknown name raises at the first look
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_scan = json.JSONDecoder(parse_constant=_no_constant).raw_decode
_readers: dict[Any, Reader] = {}
_making: set[Any] = set()
_making_lock = threading.RLock()


def unwrap(annotation: Any) -> Any:
    """What stands under Annotated, NewType, Final, Required, a type alias and a TypeVar."""
    while True:
        if isinstance(annotation, TypeVar):
            annotation = annotation.__bound__ or Union.__getitem__(annotation.__constraints__ or Any)
        elif typing.get_origin(annotation) in (Annotated, Final, Required, NotRequired):
            annotation = typing.get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and not isinstance(annotation, type):  # `type Ids = list[int]`
            annotation = annotation.__value__
        else:
            return NoneType if annotation is None else annotation


def _as_is(value: Any) -> Any:
    return value


def is_union(annotation: Any) -> bool:
    """Whether this is `A | B`, `Optional[A]` or `Union[A, B]`."""
    return typing.get_origin(annotation) in (Union, types.UnionType)


def is_unpacked(annotation: Any) -> bool:
    """Whether this is `*tuple[A, B]` or `Unpack[…]`."""
    return typing.get_origin(annotation) is Unpack or getattr(annotation, "__unpacked__", False) is True


def _reader(annotation: Any) -> Reader:
    annotation = unwrap(annotation)
    inner = typing.get_args(annotation)
    kind = typing.get_origin(annotation) or annotation
    if is_union(annotation):
        return _union(inner)
    if kind is Literal:
        return _choice(inner)
    if not isinstance(kind, type) or kind in (Any, object):
        return _as_is
    if kind is tuple and annotation not in (tuple, typing.Tuple) and inner[-1:] != (...,):  # noqa: UP006
        return _fixed_tuple(inner)
    if kind in _ARRAYS:
        return _array(_ARRAYS[kind], inner[0] if inner else Any)
    if kind in _OBJECTS:
        return _object(_OBJECTS[kind], *(inner or (str, Any)))
    return _SIMPLE.get(kind) or _class_reader(kind)


def _class_reader(kind: type) -> Reader:
    if issubclass(kind, Enum):
        return _choice(kind.__members__.values(), kind)
    if _is_model(kind):
        return _model(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, dict) and hasattr(kind, "__required_keys__"):
        return _typed_dict(kind)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple(kind)
    if issubclass(kind, PurePath):
        return _made(kind, decoder(str))
    if issubclass(kind, str | int | float):
        return _made(kind, decoder(next(base for base in (str, int, float) if issubclass(kind, base))))
    return _instance(kind)


def _found(expected: str, value: Any) -> Unreadable:
    return Unreadable(f"expected {expected}, found {_glimpse(value)}")


def _glimpse(value: Any) -> str:
    """A few words on a JSON value; cheap, as a union asks for them on its way to the member that fits."""
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    if isinstance(value, dict):
        return f"an object with {len(value)} fields"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    shown = value[:40] + "…" if isinstance(value, str) and len(value) > 40 else value
    text = json.dumps(shown, ensure_ascii=False, default=repr)
    # A lone surrogate would make the message itself impossible to store.
    return text.encode(errors="backslashreplace").decode()


def _name(annotation: Any) -> str:
    if annotation is NoneType:
        return "null"
    is_class = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if is_class else str(annotation).replace("typing.", "")


def _exactly(kind: type) -> Reader:
    expected = _name(kind)

    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise _found(expected, value)

    return read


def _from_text(expected: str, parse_text: Callable[[str], Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is str:
            try:
                return parse_text(value)
            except (ValueError, ArithmeticError):
                pass
        raise _found(expected, value)

    return read


def _from_number_or(read_text: Reader, expected: str, convert: Callable[[Any], Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not int and type(value) is not float:
            return read_text(value)
        try:
            return convert(value)
        except (ValueError, ArithmeticError):
            raise _found(expected, value) from None

    return read


def _made(kind: type, read_base: Reader) -> Reader:
    def read(value: Any) -> Any:
        base = read_base(value)
        try:
            return kind(base)
        except Exception as error:  # the class's own checks
            raise Unreadable(f"{kind.__name__} refused {_glimpse(value)}: {error}") from error

    return read


def _instance(kind: type) -> Reader:
    """For a class that says nothing about JSON: a value that already is one passes, as for a Protocol."""

    def read(value: Any) -> Any:
        try:
            if isinstance(value, kind):
                return value
        except TypeError:  # a Protocol that does not allow the question
            return value
        raise _found(f"{kind.__name__}, which cannot be made from JSON (make it a dataclass)", value)

    return read


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:6])
    microseconds = int(f"{found[7] or '':0<6}"[:6])
    value = timedelta(days, seconds, microseconds, 0, minutes, hours, weeks)
    return -value if found[1] == "-" else value


def _choice(members: Iterable[Any], kind: type[Enum] | None = None) -> Reader:
    """One of a few values, known by their JSON texts: `true` is not `1`."""
    by_text: dict[str, Any] = {}
    for member in members:
        with suppress(ArgumentError):  # such a member cannot be sent either
            by_text.setdefault(encode(member), member)
    expected = f"one of {', '.join(list(by_text)[:10])}{', …' if len(by_text) > 10 else ''}"
    composed = kind is not None and (issubclass(kind, Flag) or _has_own(kind, "_missing_", Enum))

    def read(value: Any) -> Any:
        try:
            return by_text[_dump(value)]
        except (KeyError, ValueError):
            if kind is None or not composed or type(value) is bool:
                raise _found(expected, value) from None
        try:
            return kind(value)
        except Exception as error:  # `_missing_` is the user's code
            raise _found(expected, value) from error

    return read


def _union(members: tuple[Any, ...]) -> Reader:
    kinds = [unwrap(member) for member in members]
    if datetime in kinds and date in kinds:  # else a datetime would take the date's text
        kinds.remove(date)
        kinds.insert(kinds.index(datetime), date)
    exact = {NoneType, bool, int, float}.intersection(kind for kind in kinds if isinstance(kind, type))
    readers = [decoder(kind) for kind in kinds if kind is not NoneType]
    expected = " or ".join(map(_name, kinds))

    def read(value: Any) -> Any:
        if type(value) in exact:
            return value
        deepest = None
        for reader in readers:
            try:
                return reader(value)
            except Unreadable as error:
                if len(readers) == 1 or len(error.path) > len(deepest.path if deepest else ""):
                    deepest = error
        raise deepest or _found(expected, value)

    return read


def _all_fit(annotation: Any) -> Callable[[Iterable[Any]], bool]:
    """A quick question about many values: is each what the annotation asks for as it is?"""
    annotation = unwrap(annotation)
    if annotation is Any or annotation is object:
        return lambda values: True
    members = typing.get_args(annotation) if is_union(annotation) else (annotation,)
    kinds = [unwrap(member) for member in members]
    if not all(isinstance(kind, type) and kind in _SCALARS for kind in kinds):
        return lambda values: False
    fitting = frozenset(kinds)
    return lambda values: fitting.issuperset(map(type, values))


def _array(make: Callable[[list[Any]], Any], annotation: Any) -> Reader:
    read_item, all_fit = decoder(annotation), _all_fit(annotation)

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise _found("a list", value)
        if not all_fit(value):
            value = _each(read_item, value)
        try:
            return value if make is list else make(value)
        except TypeError as error:
            raise Unreadable(f"its items cannot be in a set: {error}") from None

    return read


def _each(read_item: Reader, values: Iterable[Any]) -> list[Any]:
    read: list[Any] = []
    try:
        for value in values:
            read.append(read_item(value))
    except Unreadable as error:
        raise error.within(f"[{len(read)}]") from error.__cause__
    return read


def _fixed_tuple(annotations: tuple[Any, ...]) -> Reader:
    if any(map(is_unpacked, annotations)):  # of any length, each item what it likes to be
        return _array(tuple, Any)
    readers = [decoder(annotation) for annotation in annotations]
    expected = f"a list of {len(readers)} items"

    def read(value: Any) -> Any:
        if type(value) is not list or len(value) != len(readers):
            raise _found(expected, value)
        remaining = iter(readers)
        return tuple(_each(lambda item: next(remaining)(item), value))

    return read


def _object(make: type, key_annotation: Any, annotation: Any) -> Reader:
    plain_keys = unwrap(key_annotation) in (str, Any)
    read_key = _key_reader(key_annotation)
    read_item, all_fit = decoder(annotation), _all_fit(annotation)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _found("an object", value)
        if plain_keys and all_fit(value.values()):
            return value if make is dict else make(value)
        result = make()
        key = ""
        try:
            for key, item in value.items():
                result[read_key(key)] = read_item(item)
        except Unreadable as error:
            raise error.within(step(key)) from error.__cause__
        return result

    return read


def _key_reader(annotation: Any) -> Reader:
    read_text = decoder(annotation)
    is_int = unwrap(annotation) is int

    def read(key: str) -> Any:
        if is_int and _INTEGER.fullmatch(key):
            return int(key)
        try:
            return read_text(key)
        except Unreadable:
            if not _INTEGER.fullmatch(key):
                raise
            return read_text(int(key))

    return read


def _record(name: str, readers: dict[str, Reader], required: Iterable[str], make: Callable[..., Any]) -> Reader:
    needed = frozenset(required)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _found(f"an object with the fields of {name}", value)
        missing = [repr(key) for key in readers if key in needed and key not in value]
        if missing:
            raise Unreadable(f"{name} is missing {', '.join(missing)}")
        values = {}
        key = ""
        try:
            for key, item in value.items():
                if key not in readers:
                    raise Unreadable(f"{name} has no field {key!r}; it has: {', '.join(readers)}")
                values[key] = readers[key](item)
        except Unreadable as error:
            raise error.within(step(key)) from error.__cause__
        try:
            return make(**values)
        except Exception as error:  # the class's own checks
            raise Unreadable(f"{name} refused these fields: {error}") from error

    return read


def _has_own(kind: type, name: str, base: type) -> bool:
    return getattr(kind, name).__func__ is not getattr(base, name).__func__


def _dataclass(kind: type) -> Reader:
    hints = resolve_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    optional = {
        field.name
        for field in fields
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    readers = {field.name: decoder(hints.get(field.name, Any)) for field in fields}
    return _record(kind.__name__, readers, readers.keys() - optional, kind)


def _typed_dict(kind: Any) -> Reader:
    hints = resolve_hints(kind)
    origins = {key: typing.get_origin(hint) for key, hint in hints.items()}
    # The class itself does not see a NotRequired that is written in quotes.
    required = {
        key
        for key in hints
        if origins[key] is Required or (key in kind.__required_keys__ and origins[key] is not NotRequired)
    }
    return _record(kind.__name__, {key: decoder(hint) for key, hint in hints.items()}, required, dict)


def _named_tuple(kind: Any) -> Reader:
    """Written as an array; an object with the fields' names is read too."""
    hints = resolve_hints(kind)
    readers = {name: decoder(hints.get(name, Any)) for name in kind._fields}
    record = _record(kind.__name__, readers, readers.keys() - kind._field_defaults.keys(), kind)

    def read(value: Any) -> Any:
        if type(value) is list:
            if len(value) > len(readers):
                raise _found(f"at most the {len(readers)} fields of {kind.__name__}", value)
            value = dict(zip(readers, value, strict=False))
        return record(value)

    return read


def _model(kind: Any) -> Reader:
    # By JSON text, so that strict models take what was written; by both names, as fields are written by name.
    known = inspect.signature(kind.model_validate_json).parameters
    options = dict.fromkeys({"by_name", "by_alias"} & known.keys(), True)

    def read(value: Any) -> Any:
        try:
            return kind.model_validate_json(_dump(value), **options)
        except Exception as error:  # its validators are the user's code
            raise _model_error(kind, error) from error

    return read


def _model_error(kind: type, error: Exception) -> Unreadable:
    try:
        first, *others = error.errors(include_url=False)  # type: ignore[attr-defined]
    except AttributeError:  # raised by a validator, not collected by pydantic
        return Unreadable(f"{kind.__name__} refused these fields: {error}")
    more = f" (and {len(others)} more)" if others else ""
    where = "".join(f"[{part}]" if isinstance(part, int) else step(part) for part in first["loc"])
    return _found(f"a {kind.__name__}: {first['msg']}{more}", first["input"]).within(where)


_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,4000})")
_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9}))?S)?)?",
    re.ASCII,
)
_ABSTRACT = collections.abc
_ARRAYS: dict[type, Callable[[list[Any]], Any]] = {
    **{kind: kind for kind in (list, tuple, set, frozenset)},
    **dict.fromkeys((_ABSTRACT.Iterable, _ABSTRACT.Collection, _ABSTRACT.Sequence, _ABSTRACT.MutableSequence), list),
    _ABSTRACT.Set: frozenset,
    _ABSTRACT.MutableSet: set,
}
_OBJECTS: dict[type, type] = dict.fromkeys((dict, _ABSTRACT.Mapping, _ABSTRACT.MutableMapping), dict)
_SIMPLE: dict[type, Reader] = {
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

"""From a parsed JSON value to what an annotation asks for: the choice of a reader, and those for containers."""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import threading
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import Any, Literal

from taskmanager.domain.annotations import is_model, is_union, is_unpacked, name_of, unwrap
from taskmanager.domain.encoding import SCALARS
from taskmanager.domain.located import Unreadable, found, step
from taskmanager.domain.record_readers import dataclass_reader, model_reader, named_tuple_reader, typed_dict_reader
from taskmanager.domain.value_readers import SIMPLE, Reader, choice, instance, made


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
            reader = _readers[key] = _reader(annotation)
        finally:
            _making.discard(key)
    return reader


_readers: dict[Any, Reader] = {}
_making: set[Any] = set()
_making_lock = threading.RLock()


def _reader(annotation: Any) -> Reader:
    annotation = unwrap(annotation)
    inner = typing.get_args(annotation)
    kind = typing.get_origin(annotation) or annotation
    if is_union(annotation):
        return _union(inner)
    if kind is Literal:
        return choice(inner)
    if not isinstance(kind, type) or kind in (Any, object):
        return _as_is
    if kind is tuple and annotation not in (tuple, typing.Tuple) and inner[-1:] != (...,):  # noqa: UP006
        return _fixed_tuple(inner)
    if kind in _ARRAYS:
        return _array(_ARRAYS[kind], inner[0] if inner else Any)
    if kind in _OBJECTS:
        return _object(_OBJECTS[kind], *(inner or (str, Any)))
    return SIMPLE.get(kind) or _class_reader(kind)


def _as_is(value: Any) -> Any:
    return value


def _class_reader(kind: type) -> Reader:
    if issubclass(kind, Enum):
        return choice(kind.__members__.values(), kind)
    if is_model(kind):
        return model_reader(kind)
    if dataclasses.is_dataclass(kind):
        return dataclass_reader(kind, decoder)
    if issubclass(kind, dict) and hasattr(kind, "__required_keys__"):
        return typed_dict_reader(kind, decoder)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return named_tuple_reader(kind, decoder)
    if issubclass(kind, PurePath):
        return made(kind, decoder(str))
    if issubclass(kind, str | int | float):
        return made(kind, decoder(next(base for base in (str, int, float) if issubclass(kind, base))))
    return instance(kind)


def _union(members: tuple[Any, ...]) -> Reader:
    kinds = [unwrap(member) for member in members]
    if datetime in kinds and date in kinds:  # else a datetime would take the date's text
        kinds.remove(date)
        kinds.insert(kinds.index(datetime), date)
    exact = {NoneType, bool, int, float}.intersection(kind for kind in kinds if isinstance(kind, type))
    readers = [decoder(kind) for kind in kinds if kind is not NoneType]
    expected = " or ".join(map(name_of, kinds))

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
        raise deepest or found(expected, value)

    return read


def _array(make: Callable[[list[Any]], Any], annotation: Any) -> Reader:
    read_item, all_fit = decoder(annotation), _all_fit(annotation)

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise found("a list", value)
        if not all_fit(value):
            value = _each(read_item, value)
        try:
            return value if make is list else make(value)
        except TypeError as error:
            raise Unreadable(f"its items cannot be in a set: {error}") from None

    return read


def _all_fit(annotation: Any) -> Callable[[Iterable[Any]], bool]:
    """A quick question about many values: is each what the annotation asks for as it is?"""
    annotation = unwrap(annotation)
    if annotation is Any or annotation is object:
        return lambda values: True
    members = typing.get_args(annotation) if is_union(annotation) else (annotation,)
    kinds = [unwrap(member) for member in members]
    if not all(isinstance(kind, type) and kind in SCALARS for kind in kinds):
        return lambda values: False
    fitting = frozenset(kinds)
    return lambda values: fitting.issuperset(map(type, values))


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
            raise found(expected, value)
        remaining = iter(readers)
        return tuple(_each(lambda item: next(remaining)(item), value))

    return read


def _object(make: type, key_annotation: Any, annotation: Any) -> Reader:
    plain_keys = unwrap(key_annotation) in (str, Any)
    read_key = _key_reader(key_annotation)
    read_item, all_fit = decoder(annotation), _all_fit(annotation)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise found("an object", value)
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


_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,4000})")
_ABSTRACT = collections.abc
_ARRAYS: dict[type, Callable[[list[Any]], Any]] = {
    **{kind: kind for kind in (list, tuple, set, frozenset)},
    **dict.fromkeys((_ABSTRACT.Iterable, _ABSTRACT.Collection, _ABSTRACT.Sequence, _ABSTRACT.MutableSequence), list),
    _ABSTRACT.Set: frozenset,
    _ABSTRACT.MutableSet: set,
}
_OBJECTS: dict[type, type] = dict.fromkeys((dict, _ABSTRACT.Mapping, _ABSTRACT.MutableMapping), dict)

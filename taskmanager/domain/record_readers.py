"""From a JSON object to a class with named fields: dataclass, TypedDict, NamedTuple, pydantic model.

A field's own reader comes from the `decoder` that each maker is given.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any, NotRequired, Required

from taskmanager.domain.annotations import resolve_hints
from taskmanager.domain.encoding import dump
from taskmanager.domain.located import Unreadable, found, step
from taskmanager.domain.value_readers import Reader

Decoder = Callable[[Any], Reader]  # from an annotation to what reads it


def dataclass_reader(kind: type, decoder: Decoder) -> Reader:
    """Its fields are those that `__init__` takes."""
    hints = resolve_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    optional = {
        field.name
        for field in fields
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    readers = {field.name: decoder(hints.get(field.name, Any)) for field in fields}
    return _record(kind.__name__, readers, readers.keys() - optional, kind)


def typed_dict_reader(kind: Any, decoder: Decoder) -> Reader:
    """A dict with these fields and no others."""
    hints = resolve_hints(kind)
    origins = {key: typing.get_origin(hint) for key, hint in hints.items()}
    # The class itself does not see a NotRequired that is written in quotes.
    required = {
        key
        for key in hints
        if origins[key] is Required or (key in kind.__required_keys__ and origins[key] is not NotRequired)
    }
    return _record(kind.__name__, {key: decoder(hint) for key, hint in hints.items()}, required, dict)


def named_tuple_reader(kind: Any, decoder: Decoder) -> Reader:
    """Written as an array; an object with the fields' names is read too."""
    hints = resolve_hints(kind)
    readers = {name: decoder(hints.get(name, Any)) for name in kind._fields}
    record = _record(kind.__name__, readers, readers.keys() - kind._field_defaults.keys(), kind)

    def read(value: Any) -> Any:
        if type(value) is list:
            if len(value) > len(readers):
                raise found(f"at most the {len(readers)} fields of {kind.__name__}", value)
            value = dict(zip(readers, value, strict=False))
        return record(value)

    return read


def model_reader(kind: Any) -> Reader:
    """By JSON text, so that strict models take what was written; by both names, as fields are written by name."""
    known = inspect.signature(kind.model_validate_json).parameters
    options = dict.fromkeys({"by_name", "by_alias"} & known.keys(), True)

    def read(value: Any) -> Any:
        try:
            return kind.model_validate_json(dump(value), **options)
        except Exception as error:  # its validators are the user's code
            raise _model_error(kind, error) from error

    return read


def _record(name: str, readers: dict[str, Reader], required: Iterable[str], make: Callable[..., Any]) -> Reader:
    needed = frozenset(required)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise found(f"an object with the fields of {name}", value)
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


def _model_error(kind: type, error: Exception) -> Unreadable:
    try:
        first, *others = error.errors(include_url=False)  # type: ignore[attr-defined]
    except AttributeError:  # raised by a validator, not collected by pydantic
        return Unreadable(f"{kind.__name__} refused these fields: {error}")
    more = f" (and {len(others)} more)" if others else ""
    where = "".join(f"[{part}]" if isinstance(part, int) else step(part) for part in first["loc"])
    return found(f"a {kind.__name__}: {first['msg']}{more}", first["input"]).within(where)

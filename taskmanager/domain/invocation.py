"""What to call: type, method and arguments, in Hangfire's InvocationData, long and compact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quote
from typing import Any

_COMPACT = json.JSONEncoder(separators=(",", ":")).encode
_raw_decode = json.JSONDecoder().raw_decode


class InvocationUnreadable(ValueError):
    """A stored InvocationData is not what any Hangfire writes; the message says where it breaks."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call as it is stored. For Python jobs `type` is the module and `method` the qualified name."""

    type: str
    method: str
    parameter_types: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """The registered name of a Python job: `module:qualified.name`."""
        return f"{self.type}:{self.method}"

    def arguments_json(self) -> str:
        """The text of column `Job.Arguments`: a JSON array whose items are JSON texts, or null."""
        return _COMPACT(self.arguments) if self.arguments else "[]"

    def to_json(self, arguments: str | None = None) -> str:
        """The long form, which every Hangfire storage for MySQL reads."""
        text = self.arguments_json() if arguments is None else arguments
        return f"{_call_json(self.type, self.method, self.parameter_types)}{_quote(text)}}}"

    def to_compact_json(self) -> str:
        """The compact form, which recurring jobs keep in their hash."""
        payload: dict[str, Any] = {"t": self.type, "m": self.method}
        if self.parameter_types:
            payload["p"] = self.parameter_types
        if self.arguments:
            payload["a"] = self.arguments
        return json.dumps(payload, separators=(",", ":"))


@lru_cache(maxsize=1000)
def _call_json(type_name: str, method: str, parameter_types: tuple[str, ...]) -> str:
    """The long form up to its arguments: the same for all calls of one job."""
    types = _COMPACT(parameter_types)
    return _COMPACT({"Type": type_name, "Method": method, "ParameterTypes": types})[:-1] + ',"Arguments":'


def read(data: str, arguments: str | None = None) -> Invocation:
    """Read either form, as any Hangfire version or a hand wrote it; column `arguments` wins when given.

    Raises InvocationUnreadable with the place at which the text stops making sense.
    """
    if arguments and data.endswith(tail := f',"Arguments":{_quote(arguments)}}}'):
        try:
            type_name, method, types = _known_call(data[: -len(tail)])
        except InvocationUnreadable:  # what looked like its end is none
            pass
        else:
            return Invocation(type_name, method, types, tuple(_items(arguments, "Arguments")))
    return _read(data, arguments)


@lru_cache(maxsize=1000)
def _known_call(head: str) -> tuple[str, str, tuple[str, ...]]:
    """Type, method and parameter types of the long form up to its arguments: the same for all calls of one job."""
    call = _read(f"{head}}}", "[]")
    return call.type, call.method, call.parameter_types


def _read(data: str, arguments: str | None) -> Invocation:
    payload = _load(data, "InvocationData")
    if not isinstance(payload, dict):
        raise InvocationUnreadable(f"InvocationData is {_kind(payload)}, not a JSON object")
    if "t" in payload:
        fields = (payload.get("t"), payload.get("m"), payload.get("p"), payload.get("a"))
    else:
        fields = tuple(_field(payload, name) for name in ("Type", "Method", "ParameterTypes", "Arguments"))
    type_name, method, types, stored = fields
    if not isinstance(type_name, str) or not isinstance(method, str) or not type_name or not method:
        raise InvocationUnreadable("InvocationData names no Type and Method")
    items = _items(arguments if arguments else stored, "Arguments")
    return Invocation(type_name, method, tuple(map(str, _items(types, "ParameterTypes"))), tuple(items))


def _field(payload: Mapping[str, Any], name: str) -> Any:
    """A member under the spellings .NET serialisers give it: Type, type, <Type>k__BackingField."""
    for spelling in (name, name[0].lower() + name[1:], f"<{name}>k__BackingField"):
        if spelling in payload:
            return payload[spelling]
    return None


def _items(value: Any, what: str) -> Sequence[Any]:
    if value is None or value in ("", "[]"):
        return ()
    if isinstance(value, str):
        value = _load(value, what)
    if isinstance(value, dict) and "$values" in value:
        value = value["$values"]
    if not isinstance(value, list):
        raise InvocationUnreadable(f"{what} is {_kind(value)}, not a JSON array")
    return value


def _load(text: str, what: str) -> Any:
    try:
        value, end = _raw_decode(text)
        return value if end == len(text) else json.loads(text)
    except (ValueError, TypeError, RecursionError):
        pass  # most texts are whole and stand alone; what others are is told below
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvocationUnreadable(f"{what} is not valid JSON: {error}") from None


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(value), "null" if value is None else f"a {type(value).__name__}")

"""One declared parameter of a job function, and how all of them are found. Binding values is for `signature.py`."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter as Declared
from types import GenericAlias
from typing import Any, ForwardRef, Unpack

from taskmanager.domain.annotations import is_union, is_unpacked, resolve_hints, unwrap
from taskmanager.domain.codec import decoder
from taskmanager.domain.errors import ArgumentError
from taskmanager.domain.value_readers import Reader

OMITTED: Any = object()
BY_POSITION = (Declared.POSITIONAL_ONLY, Declared.POSITIONAL_OR_KEYWORD)
BY_NAME = (Declared.POSITIONAL_OR_KEYWORD, Declared.KEYWORD_ONLY)
VARIADIC = (Declared.VAR_POSITIONAL, Declared.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `annotation` is resolved: `typing.Any` when missing or not resolvable.

    `wire_annotation` is what its one item holds: for `*args` a list, for `**kwargs` a dict. `read` turns the
    parsed JSON of that item into the value.
    """

    name: str
    annotation: Any
    has_default: bool
    kind: inspect._ParameterKind
    injected: bool
    default: Any
    wire_annotation: Any
    read: Reader

    @property
    def is_required(self) -> bool:
        """Whether the caller must give it."""
        return not (self.has_default or self.injected) and self.kind not in VARIADIC

    @property
    def type_name(self) -> str:
        """Its type for the wire's ParameterTypes: `builtins.str`, `datetime.datetime`, …"""
        return _type_name(self.wire_annotation)

    @property
    def label(self) -> str:
        """How it is called in a message to whoever wrote the stored list."""
        if self.injected:
            return f"{self.name} (null: the worker fills it in)"
        if self.kind not in VARIADIC:
            return self.name
        return f"{self.name} (one {'array' if self.kind is Declared.VAR_POSITIONAL else 'object'})"

    def takes(self, kind: type) -> bool:
        """Whether the annotation is this class, or a union with it; a missing annotation takes everything."""
        annotation = unwrap(self.annotation)
        members = typing.get_args(annotation) if is_union(annotation) else (annotation,)
        return any(unwrap(member) in (kind, Any, object) for member in members)


def parameters_of(
    function: Callable[..., Any], *, is_injected: Callable[[Any], bool], skip_first: bool
) -> list[Parameter]:
    """What a callable declares, in order. Raises ArgumentError when Python does not know it."""
    try:
        declared = _declared(function)[1 if skip_first else 0 :]
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{name_of(function)}() does not tell which arguments it takes: {error}") from error
    hints = resolve_hints(_holder_of_hints(function))
    return [_parameter(one, hints.get(one.name, Any), is_injected) for one in declared]


def name_of(function: Any) -> str:
    """What a callable is called in an error."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


def _declared(function: Callable[..., Any]) -> list[Declared]:
    if sys.version_info >= (3, 14):  # there an unknown name in an annotation raises at the first look
        import annotationlib

        lenient = inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
        return list(lenient.parameters.values())
    return list(inspect.signature(function).parameters.values())


def _holder_of_hints(function: Any) -> Any:
    """Where the annotations of a callable are written."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    if isinstance(function, type):
        return function.__init__  # type: ignore[misc]
    return function if hasattr(function, "__annotations__") else type(function).__call__


def _parameter(declared: Declared, hint: Any, is_injected: Callable[[Any], bool]) -> Parameter:
    annotation = Any if isinstance(hint, str | ForwardRef) else hint
    on_wire = _on_wire(declared.kind, annotation)
    has_default = declared.default is not Declared.empty
    injected = declared.kind not in VARIADIC and declared.annotation is not Declared.empty and is_injected(hint)
    return Parameter(
        name=declared.name,
        annotation=hint if injected else annotation,  # a text, too: who fills it in knows what it means
        has_default=has_default,
        kind=declared.kind,
        injected=injected,
        default=declared.default if has_default else OMITTED,
        wire_annotation=on_wire,
        read=decoder(on_wire),
    )


def _on_wire(kind: inspect._ParameterKind, annotation: Any) -> Any:
    if kind not in VARIADIC:
        return annotation
    if is_unpacked(annotation):  # `*args: *tuple[int, str]`, `**kwargs: Unpack[Options]`
        inner = typing.get_args(annotation)
        return inner[0] if typing.get_origin(annotation) is Unpack else GenericAlias(tuple, inner)
    if kind is Declared.VAR_POSITIONAL:
        return GenericAlias(list, (annotation,))
    return GenericAlias(dict, (str, annotation))


def _type_name(annotation: Any) -> str:
    annotation = unwrap(annotation)
    if annotation is Ellipsis:
        return "..."
    inner = typing.get_args(annotation)
    if is_union(annotation):
        return " | ".join(map(_type_name, inner))
    kind = typing.get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return str(annotation)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}[{', '.join(map(_type_name, inner))}]" if inner else name

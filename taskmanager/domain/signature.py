"""Binding: a call's arguments as the wire's list of items, and back. Values are written by `codec.py`."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import Parameter as Declared
from types import GenericAlias, NoneType
from typing import Any, ForwardRef, Self, Unpack

from taskmanager.domain.codec import (
    Reader,
    Unreadable,
    Unwritable,
    decoder,
    encode,
    is_union,
    is_unpacked,
    parse,
    resolve_hints,
    unwrap,
)
from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable

_OMITTED: Any = object()
_BY_POSITION = (Declared.POSITIONAL_ONLY, Declared.POSITIONAL_OR_KEYWORD)
_BY_NAME = (Declared.POSITIONAL_OR_KEYWORD, Declared.KEYWORD_ONLY)
_VARIADIC = (Declared.VAR_POSITIONAL, Declared.VAR_KEYWORD)


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
        return not (self.has_default or self.injected) and self.kind not in _VARIADIC

    def takes(self, kind: type) -> bool:
        """Whether the annotation is this class, or a union with it; a missing annotation takes everything."""
        annotation = unwrap(self.annotation)
        members = typing.get_args(annotation) if is_union(annotation) else (annotation,)
        return any(unwrap(member) in (kind, Any, object) for member in members)


class Signature:
    """What a job function takes: made once for each function, used by `encode` and `decode` for each job."""

    def __init__(self, name: str, parameters: Iterable[Parameter]) -> None:
        self.name = name
        self.parameters = tuple(parameters)
        #: The parameters' types for the wire's ParameterTypes: `builtins.str`, `datetime.datetime`, …
        self.type_names = [_type_name(parameter.wire_annotation) for parameter in self.parameters]
        asked = [parameter for parameter in self.parameters if not parameter.injected]
        self._by_position = [parameter for parameter in asked if parameter.kind in _BY_POSITION]
        self._by_name = {parameter.name: parameter for parameter in asked if parameter.kind in _BY_NAME}
        self._required = [parameter.name for parameter in self.parameters if parameter.is_required]
        self._injected_names = {parameter.name for parameter in self.parameters if parameter.injected}
        self._readers = [parameter.read for parameter in self.parameters]
        self._rest = self._variadic(Declared.VAR_POSITIONAL)
        self._rest_named = self._variadic(Declared.VAR_KEYWORD)
        # Most jobs are like this: nothing injected, every argument fits by position. They take the short way.
        self._is_plain = len(self._by_position) == len(self.parameters)

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        *,
        is_injected: Callable[[Any], bool] = lambda annotation: False,
        skip_first: bool = False,
    ) -> Self:
        """The signature of a function, method or callable object.

        `is_injected` is asked about each annotation whether the worker fills that parameter (it is given the
        text of one that cannot be resolved); `skip_first` leaves out `self`. Raises ArgumentError when Python
        does not know what the callable takes.
        """
        name = _name_of(function)
        try:
            declared = _declared(function)[1 if skip_first else 0 :]
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{name}() does not tell which arguments it takes: {error}") from error
        hints = resolve_hints(_holder_of_hints(function))
        return cls(name, [_parameter(one, hints.get(one.name, Any), is_injected) for one in declared])

    # ------------------------------------------------------------------------------------ to the wire

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str | None]:
        """One item for each declared parameter, in order: the JSON text of the value.

        None stands for what the worker fills in, and for an omitted argument that has a default; omitted ones
        at the end are left out. `*args` is one JSON array, `**kwargs` one JSON object. Raises ArgumentError
        when the arguments do not fit as in a call, or one cannot be written as JSON.
        """
        if self._is_plain and not kwargs and len(args) == len(self._by_position):
            try:
                return list(map(encode, args))
            except Unwritable:
                pass  # the way below names the argument
        bound = self._bind(args, kwargs)
        values = [bound.get(parameter.name, _OMITTED) for parameter in self.parameters]
        while values and values[-1] is _OMITTED and not self.parameters[len(values) - 1].injected:
            values.pop()
        try:
            return [
                None if value is _OMITTED else encode(value, parameter.name)
                for value, parameter in zip(values, self.parameters, strict=False)
            ]
        except Unwritable as error:
            raise ArgumentError(f"{self.name}(): {error}") from error.__cause__

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The values by parameter name, as Python binds a call, injected parameters aside."""
        bound = {parameter.name: value for parameter, value in zip(self._by_position, args, strict=False)}
        rest = args[len(self._by_position) :]
        if self._rest is not None:
            bound[self._rest.name] = rest
        elif rest:
            raise self._refused(f"takes {_count(len(self._by_position))}, {_were(len(args))} given")
        others: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name not in self._by_name:
                others[name] = value
            elif name in bound:
                raise self._refused(f"got '{name}' twice: by position and by name")
            else:
                bound[name] = value
        for name in self._injected_names & kwargs.keys():
            raise self._refused(f"must not be given '{name}': the worker fills it in")
        if self._rest_named is not None:
            bound[self._rest_named.name] = others
        elif others:
            raise self._unexpected(next(iter(others)))
        missing = [name for name in self._required if name not in bound]
        if missing:
            raise self._refused(f"is missing {_listed(missing)}")
        return bound

    def _unexpected(self, name: str) -> ArgumentError:
        if any(parameter.name == name for parameter in self._by_position):
            return self._refused(f"takes '{name}' by position only")
        takes = ", ".join(p.name for p in self.parameters if not p.injected)
        return self._refused(f"got an unexpected argument '{name}'; it takes{': ' + takes if takes else ' none'}")

    def _refused(self, what: str) -> ArgumentError:
        return ArgumentError(f"{self.name}() {what}")

    # ---------------------------------------------------------------------------------- from the wire

    def decode(self, items: Sequence[Any], injected: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and the named arguments of the call, from stored items that may be hand-written.

        An item is the JSON text of a value, or by hand the value itself; None is an injected parameter,
        filled from `injected` by its name, or an omitted one. Raises ArgumentsUnreadable that names the
        parameter, what was expected and what was found.
        """
        stored = len(items)
        if self._is_plain and stored == len(self.parameters) and None not in items:
            try:
                return [read(parse(item)) for read, item in zip(self._readers, items, strict=True)], {}
            except Exception:  # hand-written or unreadable: the way below is tolerant, and names the argument
                pass
        self._check_count(stored)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for index, parameter in enumerate(self.parameters):
            item = items[index] if index < stored else None
            if parameter.injected:
                value = self._injected(parameter, injected)
            elif item is None:
                value = self._omitted(parameter)
            else:
                value = self._read(parameter, item)
            if parameter.kind in _BY_POSITION:
                args.append(value)
            elif parameter.kind is Declared.VAR_POSITIONAL:
                args.extend(value)
            elif parameter.kind is Declared.KEYWORD_ONLY:
                kwargs[parameter.name] = value
            else:
                kwargs.update(self._undeclared(value))
        return args, kwargs

    def _read(self, parameter: Parameter, item: Any) -> Any:
        value = item
        if type(item) is str:
            try:
                value = parse(item)
            except ValueError as error:
                value = self._bare(parameter, item, error)
        try:
            return parameter.read(value)
        except Unreadable as error:
            raise ArgumentsUnreadable(f"{self.name}(): {error.within(parameter.name)}") from error.__cause__
        except RecursionError:
            raise self._unreadable(parameter, "it is nested too deeply") from None

    def _bare(self, parameter: Parameter, text: str, error: ValueError) -> Any:
        """A text without its JSON quotes: by hand, or a DateTime as Hangfire writes it below level 170."""
        if parameter.kind not in _VARIADIC and (parameter.takes(str) or parameter.takes(datetime)):
            return text
        raise self._unreadable(parameter, f"the stored text {text[:40]!r} is not JSON ({error})")

    def _check_count(self, stored: int) -> None:
        """Refuse more items than parameters, and items that end before a required parameter."""
        missing = [parameter.name for parameter in self.parameters[stored:] if parameter.is_required]
        if stored <= len(self.parameters) and not missing:
            return
        names = ", ".join(map(_label, self.parameters))
        takes = f"{self.name}() takes {_count(len(self.parameters))}{': ' + names if names else ''}"
        cause = f"; missing: {', '.join(missing)}" if missing else ""
        raise ArgumentsUnreadable(f"{takes}; {_were(stored)} stored{cause}")

    def _omitted(self, parameter: Parameter) -> Any:
        """The value for a null item, or for an item that is not there."""
        if parameter.has_default:
            return parameter.default
        if parameter.kind is Declared.VAR_POSITIONAL:
            return ()
        if parameter.kind is Declared.VAR_KEYWORD:
            return {}
        if parameter.takes(NoneType):
            return None
        raise self._unreadable(parameter, "it is missing: the stored item is null, and there is no default")

    def _injected(self, parameter: Parameter, injected: Mapping[str, Any]) -> Any:
        value = injected.get(parameter.name, parameter.default)
        if value is _OMITTED:
            raise self._unreadable(parameter, "nobody provides it")
        return value

    def _undeclared(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in named:
            if name in self._by_name or name in self._injected_names:
                raise ArgumentsUnreadable(f"{self.name}(): '{name}' is stored twice, the second time by name")
        return named

    def _unreadable(self, parameter: Parameter, reason: str) -> ArgumentsUnreadable:
        return ArgumentsUnreadable(f"{self.name}(): argument '{parameter.name}': {reason}")

    def _variadic(self, kind: inspect._ParameterKind) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.kind is kind), None)


def _parameter(declared: Declared, hint: Any, is_injected: Callable[[Any], bool]) -> Parameter:
    annotation = Any if isinstance(hint, str | ForwardRef) else hint
    on_wire = _on_wire(declared.kind, annotation)
    has_default = declared.default is not Declared.empty
    return Parameter(
        name=declared.name,
        annotation=annotation,
        has_default=has_default,
        kind=declared.kind,
        injected=declared.kind not in _VARIADIC and declared.annotation is not Declared.empty and is_injected(hint),
        default=declared.default if has_default else _OMITTED,
        wire_annotation=on_wire,
        read=decoder(on_wire),
    )


def _declared(function: Callable[..., Any]) -> list[Declared]:
    if sys.version_info >= (3, 14):  # there an unknown name in an annotation raises at the first look
        import annotationlib

        lenient = inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
        return list(lenient.parameters.values())
    return list(inspect.signature(function).parameters.values())


def _on_wire(kind: inspect._ParameterKind, annotation: Any) -> Any:
    if kind not in _VARIADIC:
        return annotation
    if is_unpacked(annotation):  # `*args: *tuple[int, str]`, `**kwargs: Unpack[Options]`
        inner = typing.get_args(annotation)
        return inner[0] if typing.get_origin(annotation) is Unpack else GenericAlias(tuple, inner)
    if kind is Declared.VAR_POSITIONAL:
        return GenericAlias(list, (annotation,))
    return GenericAlias(dict, (str, annotation))


def _holder_of_hints(function: Any) -> Any:
    """Where the annotations of a callable are written."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    if isinstance(function, type):
        return function.__init__  # type: ignore[misc]
    return function if hasattr(function, "__annotations__") else type(function).__call__


def _name_of(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]


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


def _label(parameter: Parameter) -> str:
    """How a parameter is called in a message to whoever wrote the stored list."""
    if parameter.injected:
        return f"{parameter.name} (null: the worker fills it in)"
    if parameter.kind not in _VARIADIC:
        return parameter.name
    return f"{parameter.name} (one {'array' if parameter.kind is Declared.VAR_POSITIONAL else 'object'})"


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return f"{number} {'was' if number == 1 else 'were'}"


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))

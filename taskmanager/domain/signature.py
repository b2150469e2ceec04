"""Binding: a call's arguments as the wire's list of items, and back. Values are written by `codec.py`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from inspect import Parameter as Declared
from types import NoneType
from typing import Any, Self

from taskmanager.domain.codec import encode, parse
from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable
from taskmanager.domain.located import Unreadable, Unwritable
from taskmanager.domain.parameter import BY_NAME, BY_POSITION, OMITTED, VARIADIC, Parameter, name_of, parameters_of


class Signature:
    """What a job function takes: made once for each function, used by `encode` and `decode` for each job."""

    def __init__(self, name: str, parameters: Iterable[Parameter]) -> None:
        self.name = name
        self.parameters = tuple(parameters)
        #: The parameters' types for the wire's ParameterTypes: `builtins.str`, `datetime.datetime`, …
        self.type_names = [parameter.type_name for parameter in self.parameters]
        asked = [parameter for parameter in self.parameters if not parameter.injected]
        self._by_position = [parameter for parameter in asked if parameter.kind in BY_POSITION]
        self._by_name = {parameter.name: parameter for parameter in asked if parameter.kind in BY_NAME}
        self._required = [parameter.name for parameter in self.parameters if parameter.is_required]
        #: The annotations of the parameters that the worker fills in, by their names.
        self.injected = {parameter.name: parameter.annotation for parameter in self.parameters if parameter.injected}
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
        return cls(name_of(function), parameters_of(function, is_injected=is_injected, skip_first=skip_first))

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
        values = [bound.get(parameter.name, OMITTED) for parameter in self.parameters]
        while values and values[-1] is OMITTED and not self.parameters[len(values) - 1].injected:
            values.pop()
        try:
            return [
                None if value is OMITTED else encode(value, parameter.name)
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
        for name in self.injected.keys() & kwargs.keys():
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
            if not stored:
                return [], {}
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
            if parameter.kind in BY_POSITION:
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
        if parameter.kind not in VARIADIC and (parameter.takes(str) or parameter.takes(datetime)):
            return text
        raise self._unreadable(parameter, f"the stored text {text[:40]!r} is not JSON ({error})")

    def _check_count(self, stored: int) -> None:
        """Refuse more items than parameters, and items that end before a required parameter."""
        missing = [parameter.name for parameter in self.parameters[stored:] if parameter.is_required]
        if stored <= len(self.parameters) and not missing:
            return
        names = ", ".join(parameter.label for parameter in self.parameters)
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
        if value is OMITTED:
            raise self._unreadable(parameter, "nobody provides it")
        return value

    def _undeclared(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in named:
            if name in self._by_name or name in self.injected:
                raise ArgumentsUnreadable(f"{self.name}(): '{name}' is stored twice, the second time by name")
        return named

    def _unreadable(self, parameter: Parameter, reason: str) -> ArgumentsUnreadable:
        return ArgumentsUnreadable(f"{self.name}(): argument '{parameter.name}': {reason}")

    def _variadic(self, kind: inspect._ParameterKind) -> Parameter | None:
        return next((parameter for parameter in self.parameters if parameter.kind is kind), None)


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return f"{number} {'was' if number == 1 else 'were'}"


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))

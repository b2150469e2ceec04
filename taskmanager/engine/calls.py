"""A call out of JSON that somebody sent: read as the worker will read it, so that what cannot work is refused now."""

from __future__ import annotations

from typing import Any

from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable
from taskmanager.engine.registry import JobDefinition

Call = tuple[tuple[Any, ...], dict[str, Any]]


def from_json(definition: JobDefinition, value: Any) -> Call:
    """Arguments out of a parsed JSON value: an object names them, a list has them by position, null is none.

    Any other value is the one argument. Raises ArgumentError that names the argument.
    """
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if isinstance(value, dict):
        kwargs = value
    elif isinstance(value, list):
        args = tuple(value)
    elif value is not None:
        args = (value,)
    signature = definition.signature
    injected = {parameter.name: None for parameter in signature.parameters if parameter.injected}
    try:
        signature.decode(signature.encode(args, kwargs), injected)
    except ArgumentsUnreadable as error:
        raise ArgumentError(str(error)) from None
    except RecursionError:
        raise ArgumentError(f"{signature.name}(): the arguments are nested too deeply") from None
    return args, kwargs

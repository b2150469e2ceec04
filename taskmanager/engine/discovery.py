"""Imports the packages named in the configuration and finds the jobs in them. A broken module is reported."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine.injection import Providers, provided_by
from taskmanager.engine.registry import JobDefinition, Registry

#: The packages whose modules are being imported now.
_under_way: ContextVar[tuple[str, ...]] = ContextVar("taskmanager_discovering", default=())


@dataclass(slots=True)
class Discovered:
    """What discovery found: modules looked at, jobs registered, and what went wrong, by module name.

    problems: jobs whose schedule is wrong, by name. providers: types and their factories, as marked by @provide.
    owners: TaskManagers made in those modules.
    """

    modules: list[str] = field(default_factory=list)
    jobs: list[JobDefinition] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    providers: list[tuple[Any, Callable[..., Any]]] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)


def discover(packages: Iterable[str], registry: Registry) -> Discovered:
    """Import packages and all modules below them, and register each decorated function and concrete class."""
    found, wanted = Discovered(), tuple(packages)
    token = _under_way.set(wanted)
    try:
        for package in wanted:
            for name in _walk(package, found):
                module = _import(name, found)
                if module is not None:
                    _register(module, registry, found)
    finally:
        _under_way.reset(token)
    return found


def is_at_top_of_module(frame: FrameType, packages: Iterable[str]) -> bool:
    """Whether this is the code of a module itself, in no function, and of these packages or of those that are being
    imported: what it does is done whenever the program starts."""
    name = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_name == "<module>" and any(
        name == one or name.startswith(f"{one}.") for one in (*packages, *_under_way.get())
    )


def definition_of(value: Any) -> JobDefinition | None:
    """The definition a decorator left on a function's handle or a class; None for anything else."""
    definition = getattr(value, "definition", None) if not isinstance(value, type) else vars(value).get("definition")
    return definition if isinstance(definition, JobDefinition) else None


def check_named(target: Any) -> None:
    """Raise InvalidArgument when this is nothing that a worker could find by its module and name."""
    module, path = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    bound_to = getattr(target, "__self__", None) if inspect.ismethod(target) else None
    if not callable(target) or not isinstance(module, str) or not isinstance(path, str):
        raise InvalidArgument(f"what is enqueued is a function, a job class or a name, not {target!r}")
    if bound_to is not None and not isinstance(bound_to, type):
        raise InvalidArgument(
            f"{path} is bound to an object, which cannot be stored: enqueue a function or a Job class"
        )


def _walk(package: str, found: Discovered) -> list[str]:
    module = _import(package, found)
    if module is None:
        return []
    names = [package]
    for info in pkgutil.iter_modules(getattr(module, "__path__", ()), package + "."):
        if info.ispkg:
            names += _walk(info.name, found)
        elif not info.name.endswith(".__main__"):
            names.append(info.name)
    return names


def _import(name: str, found: Discovered) -> ModuleType | None:
    if name in found.errors:
        return None
    try:
        return importlib.import_module(name)
    except BaseException as error:  # a module may raise anything at import, sys.exit() too
        if isinstance(error, KeyboardInterrupt):
            raise
        found.errors[name] = f"{type(error).__name__}: {error}"
        return None


def _register(module: ModuleType, registry: Registry, found: Discovered) -> None:
    found.modules.append(module.__name__)
    for value in list(vars(module).values()):
        if isinstance(getattr(value, "providers", None), Providers) and value not in found.owners:
            found.owners.append(value)
        kind = provided_by(value)
        if kind is not None and value.__module__ == module.__name__:
            found.providers.append((kind, value))
        definition = definition_of(value)
        if definition is None or definition.type != module.__name__ or inspect.isabstract(definition.target):
            continue
        if registry.get(definition.name) is None:
            registry.add(definition)
        found.jobs.append(definition)

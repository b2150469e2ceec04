"""What a job asks for by type: providers, a fresh scope for each run, torn down after it (by svcs)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import svcs

from taskmanager.domain.codec import resolve_hints
from taskmanager.domain.errors import ConfigurationError
from taskmanager.engine.context import CancellationToken, JobContext


class Providers:
    """Factories by type. A factory may be a function, a class, a generator or a context manager."""

    def __init__(self) -> None:
        self._registry = svcs.Registry()
        self._types: set[Any] = set()

    def add(self, kind: type, factory: Callable[..., Any]) -> None:
        """Provide `kind` by calling `factory` once for each run that asks for it."""
        self._registry.register_factory(kind, factory)
        self._types.add(kind)

    def add_value(self, kind: type, value: Any) -> None:
        """Provide `kind` by one value shared by all runs."""
        self._registry.register_value(kind, value)
        self._types.add(kind)

    def is_injected(self, annotation: Any) -> bool:
        """Whether a parameter with this annotation is filled by the worker."""
        if annotation in (JobContext, CancellationToken, "JobContext", "CancellationToken"):
            return True
        try:
            return annotation in self._types
        except TypeError:
            return False

    def scope(self, context: JobContext) -> Scope:
        """A fresh scope for one run."""
        return Scope(svcs.Container(self._registry), context)


class Scope:
    """What one run was given; closing it tears down what its factories opened, the last first."""

    def __init__(self, container: svcs.Container, context: JobContext) -> None:
        self._container = container
        self._context = context

    def value(self, annotation: Any) -> Any:
        """The value for one annotation. Raises ConfigurationError when nobody provides it."""
        if annotation in (JobContext, "JobContext"):
            return self._context
        if annotation in (CancellationToken, "CancellationToken"):
            return self._context.cancellation
        try:
            return self._container.get(annotation)
        except svcs.exceptions.ServiceNotFoundError:
            name = getattr(annotation, "__name__", annotation)
            raise ConfigurationError(
                f"nobody provides {name}: add `tm.provide({name}, factory)` where the TaskManager is made"
            ) from None

    def arguments(self, annotations: Mapping[str, Any]) -> dict[str, Any]:
        """Values for parameters by name."""
        return {name: self.value(annotation) for name, annotation in annotations.items()}

    def construct(self, kind: type) -> Any:
        """An instance of a job class, its constructor's parameters filled by their type hints."""
        constructor: Any = vars(kind).get("__init__") or getattr(kind, "__init__")  # noqa: B009
        if constructor is object.__init__:
            return kind()
        hints = resolve_hints(constructor)
        given = {}
        for name, parameter in list(inspect.signature(kind).parameters.items()):
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if name not in hints and parameter.default is parameter.empty:
                raise ConfigurationError(f"{kind.__qualname__}.__init__: give '{name}' a type hint to inject by")
            if parameter.default is parameter.empty:
                given[name] = self.value(hints[name])
        return kind(**given)

    def close(self) -> None:
        """Tear down."""
        self._container.close()

"""What a job asks for by type: providers, a fresh scope for each run, torn down after it (by svcs)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from taskmanager.domain.codec import resolve_hints
from taskmanager.domain.errors import ConfigurationError
from taskmanager.engine import lean_svcs
from taskmanager.engine.context import CancellationToken, JobContext

if TYPE_CHECKING:
    import svcs
else:
    svcs = lean_svcs.load()

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__taskmanager_provides__"
#: What every run has, also by the names that an annotation under TYPE_CHECKING leaves.
_OF_RUN = {kind.__name__: kind for kind in (JobContext, CancellationToken)}


class Inject:
    """`mailer: Annotated[Mailer, Inject]` in a job's parameters: the worker fills it in, the caller leaves it out.

    Needed in functions only, where the type alone would not tell an argument from a provided thing. Parameters
    of a job class's constructor are always filled in.
    """


def provide(factory: F) -> F:
    """Mark a function of a discovered package as the provider of the type it returns, or a class as its own.

    It is called once for each run that asks for the type, with its own parameters filled in by type. A generator
    function's code after `yield` is the teardown. Raises ConfigurationError when it does not say what it returns.
    """
    setattr(factory, _MARK, factory if isinstance(factory, type) else _returned(factory))
    return factory


def provided_by(value: Any) -> Any:
    """The type that a function or class was marked to provide; None for anything else."""
    found = vars(value).get(_MARK) if isinstance(value, type) else getattr(value, _MARK, None)
    return found if inspect.isfunction(value) or isinstance(value, type) else None


def is_marked(annotation: Any) -> bool:
    """Whether an annotation says `Inject`, or names what every run has."""
    if get_origin(annotation) is Annotated:
        return any(extra is Inject or isinstance(extra, Inject) for extra in annotation.__metadata__)
    return _of_run(annotation) is not None


def _of_run(annotation: Any) -> type | None:
    """The type of what every run has, of an annotation that means it, with or without `| None`; else None."""
    if isinstance(annotation, str):
        bare = re.fullmatch(r"(?:\w+\.)*(?:Optional\[)?(?:\w+\.)*(\w+)\]?(?: *\| *None)?", annotation.strip())
        return _OF_RUN.get(bare[1]) if bare is not None else None
    members = [annotation]
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
    return next((kind for kind in _OF_RUN.values() if members == [kind]), None)


class Providers:
    """Factories by type. A factory may be a function, a class, a generator or a context manager."""

    def __init__(self) -> None:
        self._registry = svcs.Registry()
        self._added: dict[Any, Callable[[svcs.Registry], None]] = {}

    def add(self, kind: type, factory: Callable[..., Any]) -> None:
        """Provide `kind` by calling `factory` once for each run that asks for it."""
        self._add(kind, lambda registry: registry.register_factory(kind, _wired(factory)))

    def add_value(self, kind: type, value: Any) -> None:
        """Provide `kind` by one value shared by all runs."""
        self._add(kind, lambda registry: registry.register_value(kind, value))

    def adopt(self, other: Providers) -> None:
        """Provide what another provides and we do not."""
        for kind, register in other._added.items():
            if kind not in self._added:
                self._add(kind, register)

    def is_injected(self, annotation: Any) -> bool:
        """Whether a parameter with this annotation is filled by the worker."""
        try:
            return is_marked(annotation) or annotation in self._added
        except TypeError:
            return False

    def _add(self, kind: Any, register: Callable[[svcs.Registry], None]) -> None:
        register(self._registry)
        self._added[kind] = register

    def scope(self, context: JobContext) -> Scope:
        """A fresh scope for one run."""
        return Scope(svcs.Container(self._registry), context)


class Scope:
    """What one run was given; closing it tears down what its factories opened, the last first."""

    def __init__(self, container: svcs.Container, context: JobContext) -> None:
        self._container = container
        container.register_local_value(JobContext, context)
        container.register_local_value(CancellationToken, context.cancellation)

    def value(self, annotation: Any) -> Any:
        """The value for one annotation. Raises ConfigurationError when nobody provides it."""
        return _value(self._container, annotation)

    def arguments(self, annotations: Mapping[str, Any]) -> dict[str, Any]:
        """Values for parameters by name."""
        return {name: self.value(annotation) for name, annotation in annotations.items()}

    def construct(self, kind: type) -> Any:
        """An instance of a job class, its constructor's parameters filled by their type hints."""
        constructor: Any = vars(kind).get("__init__") or getattr(kind, "__init__")  # noqa: B009
        if constructor is object.__init__:
            return kind()
        return kind(**_given(self._container, kind, constructor))

    def close(self) -> None:
        """Tear down."""
        self._container.close()


def _value(container: svcs.Container, annotation: Any) -> Any:
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    kind = _of_run(kind) or kind
    try:
        return container.get(kind)
    except svcs.exceptions.ServiceNotFoundError:
        name = getattr(kind, "__name__", kind)
        raise ConfigurationError(
            f"nobody provides {name}: add `tm.provide({name}, factory)` where the TaskManager is made, "
            f"or mark a function that returns one with @provide in a discovered package"
        ) from None


def _given(container: svcs.Container, target: Any, holder: Any) -> dict[str, Any]:
    """Values for all parameters of a callable that have no default, by their type hints."""
    hints = resolve_hints(holder)
    given = {}
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is not parameter.empty:
            continue
        if name not in hints:
            raise ConfigurationError(f"{holder.__qualname__}: give '{name}' a type hint to inject by")
        given[name] = _value(container, hints[name])
    return given


def _wired(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A factory as svcs calls it, with its own parameters filled in by type."""
    try:
        wants = any(p.default is p.empty for p in inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # a built-in that does not tell what it takes
        wants = False
    if not wants:
        return factory
    holder = vars(factory).get("__init__", factory) if isinstance(factory, type) else factory
    if inspect.isgeneratorfunction(factory):

        def generate(svcs_container: svcs.Container) -> Iterator[Any]:
            yield from factory(**_given(svcs_container, factory, holder))

        return generate

    def make(svcs_container: svcs.Container) -> Any:
        return factory(**_given(svcs_container, factory, holder))

    return make


def _returned(factory: Callable[..., Any]) -> Any:
    kind = resolve_hints(factory).get("return")
    if get_origin(kind) in (Generator, Iterator, Iterable):
        kind = get_args(kind)[0]
    if kind is None or isinstance(kind, str):
        raise ConfigurationError(f"@provide {factory.__qualname__}: say by its return type what it provides")
    return kind

"""What may be called: jobs by name. Nothing outside the registry is ever called."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from taskmanager.domain.alerts import AlertRule
from taskmanager.domain.errors import AmbiguousJob, ConfigurationError, DuplicateJob, UnknownJob
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.retry import RetryPolicy
from taskmanager.domain.signature import Signature


class JobType(StrEnum):
    """How a job comes to run."""

    RECURRING = "Recurring"
    FIRE_AND_FORGET = "FireAndForget"
    DELAYED = "Delayed"
    MANUAL = "Manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """All that is known of one job: what to call, and how it wants to be treated.

    timeout: seconds a run may take. memory_limit: bytes, for isolated jobs. priority: smaller runs first.
    retries_by_default: nobody said how often to retry; the registry does. search: arguments by which an index finds
    its jobs.
    """

    type: str
    method: str
    target: Callable[..., Any]
    signature: Signature
    is_class: bool = False
    is_async: bool = False
    display_name: str = ""
    description: str = ""
    job_type: JobType = JobType.FIRE_AND_FORGET
    queue: str = "default"
    priority: int = 0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    retries_by_default: bool = False
    timeout: float | None = None
    isolate: bool = False
    memory_limit: int | None = None
    cron: str | None = None
    time_zone: str = "UTC"
    misfire: str = "relaxed"
    days_and: bool = False
    alerts: AlertRule | None = None
    tags: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    #: `module:qualified.name`, unique.
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.type}:{self.method}")

    @property
    def is_internal(self) -> bool:
        """Whether it is a part of this package, which nobody enqueues by name."""
        return self.type.startswith("taskmanager.tasks.")

    @property
    def title(self) -> str:
        """The name for people."""
        return self.display_name or self.method

    def invocation(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Invocation:
        """The call as it is stored. Raises ArgumentError when the arguments do not fit."""
        return Invocation(
            self.type, self.method, tuple(self.signature.type_names), tuple(self.signature.encode(args, kwargs))
        )


class Registry:
    """The jobs this process knows.

    packages: names whose modules are imported by discovery. A plain function is callable without `@job` only
    if its module lies in one of them: a row in a table must not be able to call `os:system`.
    """

    def __init__(self, packages: Iterable[str] = (), *, retries: int = 3, plain_retries: int = 10) -> None:
        self.packages = tuple(packages)
        self._retries = retries
        self._plain = RetryPolicy(attempts=plain_retries)
        self._by_name: dict[str, JobDefinition] = {}
        #: Whether the worker fills in a parameter of this type, also of a plain function.
        self.is_injected: Callable[[Any], bool] = lambda annotation: False

    def __iter__(self) -> Iterator[JobDefinition]:
        return iter(sorted(self._by_name.values(), key=lambda d: d.title.lower()))

    def __len__(self) -> int:
        return len(self._by_name)

    def add(self, definition: JobDefinition) -> JobDefinition:
        """Take a job in. Raises DuplicateJob when another function has its name already."""
        if definition.type == "__main__":
            raise ConfigurationError(
                f"the job {definition.method} is defined in __main__, which worker processes cannot import: "
                "move it to a module, and name that in `discover`"
            )
        known = self._by_name.get(definition.name)
        if known is not None and _code(known.target) != _code(definition.target):
            raise DuplicateJob(f"two different jobs are named {definition.name}: rename one of them")
        if definition.retries_by_default:
            policy = replace(definition.retry, attempts=max(self._retries, len(definition.retry.delays)))
            definition = replace(definition, retry=policy, retries_by_default=False)
        self._by_name[definition.name] = definition
        return definition

    def known(self, name: str) -> JobDefinition | None:
        """The job of exactly this name, if this process has it already: nothing is imported for it."""
        return self._by_name.get(name)

    def get(self, name: str) -> JobDefinition | None:
        """The job of exactly this name, or a plain function of a discovered module."""
        return self._by_name.get(name) or self._plain_function(name)

    def find(self, lookup: str, *, registered_only: bool = False) -> JobDefinition:
        """The job that people mean: by registered name, display name, or function or class name, in any case.

        registered_only: no plain function of a discovered module. Raises UnknownJob, or AmbiguousJob that lists the
        matches.
        """
        exact = self._by_name.get(lookup) if registered_only else self.get(lookup)
        if exact is not None:
            return exact
        wanted = lookup.strip().lower()
        matches = [d for d in self if wanted in _names(d)]
        if len(matches) > 1:
            raise AmbiguousJob(f"{lookup!r} may be {', '.join(d.name for d in matches)}: use the full name")
        if not matches:
            raise UnknownJob(f"no job is named {lookup!r}; {self._hint(wanted)}")
        return matches[0]

    def _hint(self, wanted: str) -> str:
        known = [d for d in self if not d.is_internal]
        if not known:
            return "none are known: is `discover` set?"
        close = difflib.get_close_matches(wanted, [n for d in known for n in _names(d)], 3)
        similar = list(dict.fromkeys(d.title for name in close for d in known if name in _names(d)))
        if similar:
            return f"did you mean {' or '.join(map(repr, similar))}?"
        rest = f" and {len(known) - 10} more" if len(known) > 10 else ""
        return f"known jobs: {', '.join(d.title for d in known[:10])}{rest}"

    def _plain_function(self, name: str) -> JobDefinition | None:
        module_name, _, path = name.partition(":")
        if not path.isidentifier() or not self.is_discovered(module_name):
            return None
        try:
            target = getattr(importlib.import_module(module_name), path, None)
        except KeyboardInterrupt:
            raise
        except BaseException:  # it calls sys.exit() perhaps; discovery has reported it
            return None
        if not inspect.isfunction(target) or target.__module__ != module_name or path.startswith("_"):
            return None
        return self.add(define(target, is_injected=self.is_injected, retry=self._plain))

    def is_discovered(self, module: str) -> bool:
        """Whether a module lies in one of the packages that this process discovers."""
        return any(module == p or module.startswith(p + ".") for p in self.packages)


def define(
    target: Callable[..., Any],
    *,
    is_injected: Callable[[Any], bool] = lambda annotation: False,
    execute: Callable[..., Any] | None = None,
    **options: Any,
) -> JobDefinition:
    """The definition of a function, or of a class with `execute`. Options are fields of JobDefinition."""
    body = execute or target
    signature = Signature.of(body, is_injected=is_injected, skip_first=execute is not None)
    takes = [p.name for p in signature.parameters if not p.injected]
    for name in options.get("search", ()):
        if name not in takes:
            raise ConfigurationError(
                f"@job(search=…) of {target.__qualname__}: no argument {name!r}, but {', '.join(takes) or 'none'}"
            )
    return JobDefinition(
        type=target.__module__,
        method=target.__qualname__,
        target=target,
        signature=signature,
        is_class=execute is not None,
        is_async=inspect.iscoroutinefunction(body),
        description=options.pop("description", None) or inspect.getdoc(target) or "",
        **options,
    )


def with_options(definition: JobDefinition, **changes: Any) -> JobDefinition:
    """A changed copy."""
    return replace(definition, **changes)


def _code(target: Callable[..., Any]) -> Any:
    """What tells two functions of one name apart, and a module that was imported anew from itself."""
    code = getattr(target, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else target.__qualname__


def _names(definition: JobDefinition) -> Sequence[str]:
    return (
        definition.name.lower(),
        definition.title.lower(),
        definition.method.lower(),
        definition.method.rpartition(".")[2].lower(),
    )

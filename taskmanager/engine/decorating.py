"""`@job`: its options, checked where they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from taskmanager.domain import alerts, tags
from taskmanager.domain.alerts import AlertRule
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import ConfigurationError, InvalidArgument, InvalidCron
from taskmanager.domain.given import priority, span
from taskmanager.domain.retry import RetryPolicy, seconds_of
from taskmanager.engine import injection
from taskmanager.engine.client import check_queue
from taskmanager.engine.context import JobContext
from taskmanager.engine.handles import Decorator, Enqueuer, JobFunction
from taskmanager.engine.registry import JobDefinition, JobType

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

_RETRY = ("retries", "delays", "jitter", "retry_on", "give_up_on", "then_delete")
_OWN = frozenset({"type", "method", "target", "signature", "is_class", "is_async", "retry", "retries_by_default"})
#: What may be said of a job.
OPTIONS = frozenset(f.name for f in fields(JobDefinition)) - _OWN | frozenset(_RETRY)


@overload
def job(target: str | None = None, **options: Any) -> Decorator: ...
@overload
def job(target: C) -> C: ...  # type: ignore[overload-overlap]
@overload
def job(target: Callable[Concatenate[JobContext, P], R]) -> JobFunction[P, R]: ...
@overload
def job(target: Callable[P, R]) -> JobFunction[P, R]: ...
def job(target: Any = None, **options: Any) -> Any:
    """`@job`, for jobs that are found by discovery; the options are those of `TaskManager.job`."""
    made = decorator(target, options, is_injected=injection.is_marked, take=lambda definition: definition)
    return made(target) if callable(target) else made


def decorator(
    target: Any, options: Mapping[str, Any], *, is_injected: Callable[[Any], bool],
    take: Callable[[JobDefinition], JobDefinition], owner: Enqueuer | None = None,
) -> Decorator:  # fmt: skip
    """The decorator for these options; `target` is a cron expression, or what is decorated.

    Raises ConfigurationError that names the option and what it may be.
    """
    given = dict(options)
    if isinstance(target, str):
        given["cron"] = target
    elif target is not None and not callable(target):
        raise ConfigurationError(f"@job takes a cron expression, or decorates a function or class; not {target!r}")
    for name in given.keys() - OPTIONS:
        raise ConfigurationError(f"@job has no option {name!r}; options are {', '.join(sorted(OPTIONS))}")
    for name, (is_right, words) in _CHECKS.items():
        if given.get(name) is not None and not is_right(given[name]):
            raise ConfigurationError(f"@job({name}={given[name]!r}): {words}")
    if given.get("queue") is not None:
        check_queue(given["queue"])
    if "alerts" in given:
        given["alerts"] = _alerts(given["alerts"])
    given["tags"], given["search"] = _tags(given.get("tags")), tuple(given.get("search") or ())
    if isinstance(given.get("timeout"), timedelta):
        given["timeout"] = given["timeout"].total_seconds()
    if "job_type" in given:
        given["job_type"] = JobType(given["job_type"])
    given["retries_by_default"] = given.get("retries") is None
    given["retry"] = _policy(given)
    return Decorator(given, is_injected, take, owner)


def _alerts(value: Any) -> AlertRule | None:
    try:
        return alerts.parse(value)
    except InvalidArgument as error:
        raise ConfigurationError(f"@job(alerts=…): {error}") from None


def _tags(value: Any) -> tuple[str, ...]:
    try:
        return tags.check(() if value is None else value)
    except InvalidArgument as error:
        raise ConfigurationError(f"@job(tags=…): {error}") from None


def _policy(options: dict[str, Any]) -> RetryPolicy:
    """The retry options as a policy; without `retries` the registry says how many."""
    given = {name: options.pop(name) for name in _RETRY if name in options}
    delays = seconds_of(given.pop("delays", None) or ())
    retries = given.pop("retries", None)
    for name in ("retry_on", "give_up_on"):
        if name in given:
            given[name] = _kinds(given[name])
    return RetryPolicy(attempts=len(delays) if retries is None else retries, delays=delays, **given)


def _kinds(value: Any) -> tuple[type[BaseException], ...]:
    return (value,) if isinstance(value, type) else tuple(value)


def _are_exceptions(value: Any) -> bool:
    members = [value] if isinstance(value, type) else value
    if not isinstance(members, (list, tuple, set, frozenset)):
        return False
    return all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in members)


def _is_span(value: Any, least: timedelta = timedelta(microseconds=1)) -> bool:
    return _passes(span, value) and span(value) >= least


def _are_spans(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(_is_span(v, timedelta(0)) for v in value)


def _passes(check: Callable[[Any], object], value: Any) -> bool:
    try:
        check(value)
    except (InvalidArgument, InvalidCron, ValueError):
        return False
    return True


def _are_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(v, str) and 0 < len(v) <= 90 for v in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "retries": (_is_count, "a whole number from 0"),
    "delays": (_are_spans, "a list of seconds or timedeltas"),
    "jitter": (lambda v: isinstance(v, (int, float)) and 0 <= v <= 1, "a share from 0 to 1"),
    "retry_on": (_are_exceptions, "an exception class, or several in a tuple"),
    "give_up_on": (_are_exceptions, "an exception class, or several in a tuple"),
    "timeout": (_is_span, "seconds or a timedelta, more than 0"),
    "memory_limit": (lambda v: _is_count(v) and v > 0, "a number of bytes"),
    "priority": (lambda v: _passes(priority, v), "a whole number of at most four bytes; smaller runs first"),
    "misfire": (lambda v: _passes(Misfire.parse, v), "relaxed, strict or ignorable"),
    "job_type": (lambda v: v in set(JobType), "Recurring, FireAndForget, Delayed or Manual"),
    "cron": (lambda v: isinstance(v, str), "a cron expression as text"),
    "time_zone": (lambda v: isinstance(v, str), "an IANA name such as Europe/Prague"),
    "display_name": (lambda v: isinstance(v, str) and v.strip() != "", "a text"),
    "description": (lambda v: isinstance(v, str), "a text"),
    "isolate": (lambda v: isinstance(v, bool), "True or False"),
    "search": (lambda v: _are_names(v), "a list of names of arguments"),
    "days_and": (lambda v: isinstance(v, bool), "True or False"),
    "then_delete": (lambda v: isinstance(v, bool), "True or False"),
}

"""Calls one job: reads its invocation, injects, runs filters and the function, and answers with a state."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any

from taskmanager import logs
from taskmanager.domain import invocation as invocations
from taskmanager.domain.codec import encode_result
from taskmanager.domain.errors import ArgumentsUnreadable, JobCancelled, JobTimeout, RemoteError, qualified
from taskmanager.domain.notifications import Notification
from taskmanager.domain.records import Claim
from taskmanager.domain.results import JobResult, ResultFailed
from taskmanager.domain.retry import Retry
from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.engine import cpu_clock
from taskmanager.engine.context import JobContext, attempt_of
from taskmanager.engine.filters import Chain, Performing, Run
from taskmanager.engine.injection import Providers, Scope
from taskmanager.engine.registry import JobDefinition, Registry

#: Calls a job's body: in this thread, on the event loop, or in a child process.
Runner = Callable[[JobDefinition, Callable[..., Any], list[Any], dict[str, Any], JobContext], Any]


_OURS = ("taskmanager.engine.", "taskmanager.server.")


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes and lines that keep one job from filling the database."""

    result_bytes: int = 64 * 1024
    exception_bytes: int = 64 * 1024
    log_lines: int = 1000
    log_bytes: int = 256 * 1024


@dataclass(slots=True)
class Outcome:
    """How a run ended: the state it leads to, and what was measured on the way."""

    claim: Claim
    state: State
    started_at: datetime
    ended_at: datetime
    definition: JobDefinition | None = None
    error: BaseException | None = None
    run: Run | None = None
    log_lines: str | None = None
    progress: float | None = None


class UnknownJobType(LookupError):
    """This process does not know the job; another may."""


class Performer:
    """Performs claims. It touches no database: what it leaves is a decision, not an effect.

    write: writes a notification of a running job, at once.
    """

    def __init__(
        self,
        registry: Registry,
        filters: Chain,
        providers: Providers,
        now: Callable[[], datetime],
        *,
        server: str = "",
        limits: Limits | None = None,
        write: Callable[[Notification], object],
    ) -> None:
        self.registry = registry
        self.filters = filters
        self.providers = providers
        self.now = now
        self.server = server
        self.limits = limits or Limits()
        self.write = write
        self._known: dict[tuple[str, str], JobDefinition] = {}

    def resolve(self, claim: Claim) -> tuple[JobDefinition, invocations.Invocation]:
        """The job a claim asks for. Raises UnknownJobType, or InvocationUnreadable for a broken row."""
        invocation = invocations.read(claim.invocation_data, claim.arguments)
        definition = self.registry.get(invocation.name)
        if definition is None:
            raise UnknownJobType(invocation.name)
        return definition, invocation

    def context_of(self, claim: Claim, name: str) -> JobContext:
        """The context a run is given."""
        return JobContext(
            claim, self.now, name=name, server=self.server,
            max_log_lines=self.limits.log_lines, max_log_bytes=self.limits.log_bytes,
            write=self.write,
        )  # fmt: skip

    def perform(
        self,
        claim: Claim,
        definition: JobDefinition,
        stored: invocations.Invocation,
        context: JobContext,
        runner: Runner,
        *,
        started_at: datetime | None = None,
    ) -> Outcome:
        """Run the job to its end, whatever it does; never raises for what the job raises.

        started_at: when it began, as its Processing says; now when None.
        """
        started_at, started = started_at or self.now(), time.perf_counter()
        cpu = cpu_clock.begun(started)
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._call(claim, definition, stored, context, runner)
        except BaseException as raised:  # SystemExit and KeyboardInterrupt of a job are its own failure
            error = raised
        duration = round((time.perf_counter() - started) * 1000)
        ended_at = self.now()
        state, message = self._state(claim, context, result, error, started_at, duration)
        elsewhere = definition.is_async or definition.isolate
        own = None if elsewhere else cpu_clock.used_ms(cpu, duration)
        spent, memory = context.measured or (own, None)
        run = Run(
            context.attempt, started_at, ended_at, duration, spent, memory, message, self.server,
            was_called=context.was_called,
        )  # fmt: skip
        return Outcome(
            claim, state, started_at, ended_at, definition, error, run, context.rest_of_lines(), context.take_progress()
        )

    def _call(
        self,
        claim: Claim,
        definition: JobDefinition,
        stored: invocations.Invocation,
        context: JobContext,
        runner: Runner,
    ) -> Any:
        scope: Scope | None = None
        signature = definition.signature
        wanted = signature.injected
        if (wanted or definition.is_class) and not definition.isolate:
            scope = self.providers.scope(context)
        try:
            if definition.isolate:
                items = list(stored.arguments)  # they are decoded where the job runs
                return self._filtered(claim, definition, definition.target, items, {}, context, runner)
            injected = scope.arguments(wanted) if scope is not None else {}
            args, kwargs = signature.decode(stored.arguments, injected)
            body = definition.target
            if definition.is_class and scope is not None:
                body = scope.construct(definition.target).execute  # type: ignore[arg-type]
            return self._filtered(claim, definition, body, args, kwargs, context, runner)
        finally:
            if scope is not None:
                scope.close()

    def _filtered(
        self, claim: Claim, definition: JobDefinition, body: Callable[..., Any], args: list[Any],
        kwargs: dict[str, Any], context: JobContext, runner: Runner,
    ) -> Any:  # fmt: skip
        if not self.filters.performing and not self.filters.performed:
            return checked(runner(definition, body, args, kwargs, context))
        performing = Performing(claim, definition, args, kwargs, context.items)
        for one in self.filters.performing:
            one.performing(performing)
            if performing.cancelled is not None:
                raise JobCancelled(performing.cancelled)
        try:
            performing.result = checked(runner(definition, body, performing.args, performing.kwargs, context))
        except BaseException as error:
            performing.error = error
        for one in self.filters.performed:
            one.performed(performing)
        if performing.error is not None:
            raise performing.error
        return performing.result

    def _state(
        self, claim: Claim, context: JobContext, result: Any, error: BaseException | None, started: datetime, ms: int
    ) -> tuple[State, str | None]:
        if error is None:
            created = claim.created_at or started
            latency = max(0, round((started - created).total_seconds() * 1000))
            message = result.message if isinstance(result, JobResult) else None
            text = encode_result(result, max_bytes=context.max_result_bytes or self.limits.result_bytes)
            return Succeeded(duration_ms=ms, latency_ms=latency, result=text), message
        if isinstance(error, JobCancelled) and context.timed_out:
            error = JobTimeout(str(error))
        if isinstance(error, JobCancelled) and context.cancellation.is_stopping:
            return Enqueued(queue="", reason="The server stopped before the job ended"), None
        if isinstance(error, JobCancelled):
            return Deleted(reason=f"Cancelled: {error}"), str(error)
        return self.failure(error), cut(text_of(error), self.limits.exception_bytes)

    def failure(self, error: BaseException) -> Failed:
        """The Failed state that tells of an exception."""
        name = error.kinds[0] if isinstance(error, RemoteError) else qualified(type(error))
        reason = None
        if isinstance(error, (ArgumentsUnreadable, invocations.InvocationUnreadable)):
            reason = "The job could not be called: its stored invocation does not fit"
        return Failed(
            exception_type=name,
            exception_message=cut(text_of(error), self.limits.exception_bytes),
            exception_details=cut(details_of(error), self.limits.exception_bytes, keep_end=True),
            server_id=self.server or None,
            reason=reason,
        )

    def failed(self, claim: Claim, error: BaseException) -> Outcome:
        """The outcome of a claim that was not run: it failed by this error, now."""
        now = self.now()
        return Outcome(claim, self.failure(error), now, now, None, error)

    def about(self, claim: Claim) -> dict[str, Any]:
        """`extra` of a log line about a claim."""
        return logs.about(claim.job_id, attempt_of(claim), claim.queue, self.server)


def here(
    definition: JobDefinition, body: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], context: JobContext
) -> Any:
    """The plain runner: call the function in this thread."""
    return body(*args, **kwargs)


def cut(text: str, size: int, *, keep_end: bool = False) -> str:
    """Bound a text, saying so; a stack trace is more telling at its end."""
    if len(text) <= size:
        return text
    return f"[truncated] … {text[-size:]}" if keep_end else f"{text[:size]} …[truncated]"


def checked(result: Any) -> Any:
    """A job's result, if it is one: a returned failure fails the run; what cannot be awaited or stored is named."""
    if result is None:  # of most jobs
        return None
    if isinstance(result, JobResult) and not result.success:
        raise ResultFailed(result)
    if hasattr(result, "__anext__"):
        raise TypeError("the job returned an async generator: `async for` over it inside the job, or return a list")
    if isinstance(result, Awaitable):
        close = getattr(result, "close", None)
        if close is not None:
            close()
        raise TypeError("the job returned an awaitable from a plain function: declare it `async def`")
    return result


def text_of(error: BaseException) -> str:
    """An exception's message, whatever it does when it is asked for it."""
    try:
        text = str(error)
    except Exception as broken:  # a job's exception may be unable to tell of itself
        text = f"(its message could not be read: {type(broken).__name__})"
    if isinstance(error, SystemExit):
        return f"the job called sys.exit({text})"
    return text or type(error).__name__


def _users(frames: TracebackType | None) -> TracebackType | None:
    """The stack without our own frames above the job's; the whole of it when there are no others."""
    found = frames
    while found is not None and str(found.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        found = found.tb_next
    return found or frames


def details_of(error: BaseException) -> str:
    """The stack from the job's own frame on: ours above it tells nobody anything."""
    if isinstance(error, ResultFailed) and "StackTrace" in error.result.metadata:
        return str(error.result.metadata["StackTrace"])
    if isinstance(error, RemoteError):
        return error.details
    if isinstance(error, Retry) and error.__traceback__ is None:
        return str(error)
    try:
        return "".join(traceback.format_exception(type(error), error, _users(error.__traceback__)))
    except Exception as broken:  # as above
        return f"{type(error).__name__} (its traceback could not be formatted: {type(broken).__name__})"

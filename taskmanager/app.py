"""TaskManager: what people ask of an installation, verb by verb."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Concatenate, overload

from taskmanager import schedules
from taskmanager.config import Settings
from taskmanager.domain import given, tags
from taskmanager.domain import invocation as invocations
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import ArgumentError, CreationCancelled, InvalidArgument
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.retry import RetryPolicy
from taskmanager.domain.states import Scheduled, State, enqueued
from taskmanager.engine import decorating, discovery, handles
from taskmanager.engine.client import NewJob, check_queue
from taskmanager.engine.context import JobContext
from taskmanager.engine.decorating import C, P, R
from taskmanager.engine.definitions import Definition
from taskmanager.engine.handles import Decorator, JobFunction
from taskmanager.engine.history import MANUAL, TRIGGERED_BY
from taskmanager.engine.legacy import row_of
from taskmanager.engine.registry import JobDefinition, define
from taskmanager.storage.database import Database
from taskmanager.stored import StoredJobs
from taskmanager.testing import Testing


class TaskManager(StoredJobs):
    """One installation: a database, the jobs that are known, and what can be asked of them.

    settings: as loaded, else from files and environment; further keywords are settings by name.
    Raises ConfigurationError.
    """

    def __init__(self, settings: Settings | None = None, *, database: Database | None = None, **arguments: Any) -> None:
        super().__init__(settings, database=database, **arguments)
        self.testing = Testing(self)
        _remember(self)

    # -- jobs -------------------------------------------------------------------------------------------------

    @overload
    def job(self, target: str | None = None, **options: Any) -> Decorator: ...
    @overload
    def job(self, target: C) -> C: ...  # type: ignore[overload-overlap]
    @overload
    def job(self, target: Callable[Concatenate[JobContext, P], R]) -> JobFunction[P, R]: ...
    @overload
    def job(self, target: Callable[P, R]) -> JobFunction[P, R]: ...
    def job(self, target: Any = None, **options: Any) -> Any:
        """Decorate a function or class: `@tm.job`, `@tm.job("0 2 * * *")`, `@tm.job(queue="mail", retries=5)`.

        Options: cron, display_name, description, queue, priority, retries, delays (seconds), jitter, retry_on,
        give_up_on, timeout (seconds), isolate, memory_limit (bytes), time_zone, misfire, days_and, job_type, alerts,
        tags, search (names of arguments by which an index finds its jobs).
        """
        made = decorating.decorator(
            target, options, is_injected=self.providers.is_injected, take=self.register, owner=self
        )
        return made(target) if callable(target) else made

    def register_recurring(self) -> None:
        """Write the recurring jobs that discovery found; report those that are wrong, and those that left the code."""
        schedules.register(self)

    # -- enqueue ----------------------------------------------------------------------------------------------

    def enqueue(self, target: Any, *args: Any, **kwargs: Any) -> int:
        """Enqueue a job by its function, class or registered name; returns the job's id."""
        options = {k: kwargs.pop(k) for k in list(kwargs) if k in handles.OPTIONS}
        return self.enqueue_definition(self.definition(target), args, kwargs, options)

    def enqueue_definition(
        self, definition: JobDefinition, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
    ) -> int:
        """Write one job. options: session, queue, priority, delay (seconds or timedelta), at, tags, triggered_by,
        key, parameters.

        key: of `engine.client.new_key`: asked for twice under one key, it is one job. parameters: of the job, by name,
        as they are stored.
        """
        new = self._new(definition, args, kwargs, options)
        ids = self.client.create([new], session=options.get("session"), key=options.get("key"))
        if not ids:
            raise CreationCancelled(f"a filter does not let {definition.name} be created")
        return ids[0]

    def enqueue_many(
        self, target: Any, rows: Iterable[Sequence[Any] | Mapping[str, Any]], *, session: Any = None,
        batch: int = 1000, **options: Any,
    ) -> list[int]:  # fmt: skip
        """Write many jobs of one kind, `batch` to a transaction. A row is a tuple of positional or a dict of keyword
        arguments. Returns the ids in order. Nothing is written when a row's arguments do not fit.

        Raises ArgumentError, which names the row, from 1; InvalidArgument."""
        definition = self.definition(target)
        handles.known(options)
        if options.get("tags"):
            options["tags"] = tags.check(options["tags"])  # once for all rows: it may be an iterator
        if not isinstance(batch, int) or batch < 1:
            raise InvalidArgument(f"batch is a whole number from 1, not {batch!r}")
        new = [self._of_row(definition, number, row, options) for number, row in enumerate(rows, 1)]
        ids: list[int] = []
        for start in range(0, len(new), batch):
            ids += self.client.create(new[start : start + batch], session=session)
        return ids

    def _of_row(self, definition: JobDefinition, number: int, row: Any, options: Mapping[str, Any]) -> NewJob:
        args, kwargs = (row, {}) if type(row) is tuple else given.arguments(row, number)
        try:
            return self._new(definition, args, kwargs, options)
        except ArgumentError as error:
            raise ArgumentError(f"row {number} of enqueue_many: {error}") from None

    def continue_definition(
        self, parent_id: int, definition: JobDefinition, args: tuple[Any, ...], kwargs: dict[str, Any],
        options: Mapping[str, Any], on: str,
    ) -> int:  # fmt: skip
        """Write a job that waits for another."""
        if on not in ("success", "any"):
            raise InvalidArgument(f"on is 'success' or 'any', not {on!r}")
        for name in ("delay", "at"):
            if options.get(name) is not None:
                raise InvalidArgument(f"a continuation starts when its parent ends, and takes no {name!r}")
        new = self._new(definition, args, kwargs, options)
        parent, session = given.job_id(parent_id), options.get("session")
        return self.client.continue_after(parent, new, on_any=on == "any", session=session)

    def definition(self, target: Any) -> JobDefinition:
        """The definition of a decorated function or class, a plain function, or a name. Raises UnknownJob."""
        found = discovery.definition_of(target)
        if found is not None:
            return self.registry.get(found.name) or self.registry.add(found)
        if isinstance(target, JobDefinition):
            return target
        if isinstance(target, str):
            return self.registry.find(target)
        discovery.check_named(target)
        known = self.registry.get(f"{target.__module__}:{target.__qualname__}")
        plain = RetryPolicy(attempts=self.settings.plain_function_retries)
        return known or self.registry.add(define(target, is_injected=self.providers.is_injected, retry=plain))

    def _new(
        self, definition: JobDefinition, args: tuple[Any, ...], kwargs: dict[str, Any], options: Mapping[str, Any]
    ) -> NewJob:
        queue = definition.queue if options.get("queue") is None else options["queue"]
        check_queue(queue)
        priority = definition.priority if options.get("priority") is None else given.priority(options["priority"])
        parameters: dict[str, str] = dict(options.get("parameters") or {})
        state: State = enqueued(queue, priority)
        at = self._moment(options)
        if at is not None:
            state = Scheduled(enqueue_at=at)
            parameters["Delayed"] = "1"
        if options.get("triggered_by"):
            parameters[TRIGGERED_BY] = json.dumps(options["triggered_by"])
        if options.get("tags") and (checked := tags.check(options["tags"])):
            parameters[tags.PARAMETER] = tags.to_parameter(checked)
        return NewJob(definition.invocation(args, kwargs), state, queue, priority, definition, parameters)

    # -- recurring --------------------------------------------------------------------------------------------

    def recurring(
        self, recurring_id: str, target: Any, *, cron: str, args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None, time_zone: str | None = None, queue: str | None = None,
        misfire: str | int | None = None, days_and: bool | None = None, from_code: bool | None = None,
    ) -> None:  # fmt: skip
        """Add a recurring job, or change it. Raises InvalidCron, ArgumentError.

        from_code: it is a definition of the code, which a restore brings back, and which the worker that no longer
        finds it calls orphaned. Unless it is said, so is a call at the top level of a module of `discover`.
        """
        if from_code is None:
            from_code = discovery.is_at_top_of_module(sys._getframe(1), self.settings.discover)
        wanted = self.recurring_definition(
            recurring_id, target, cron=cron, args=args, kwargs=kwargs, time_zone=time_zone, queue=queue,
            misfire=misfire, days_and=days_and, from_code=from_code,
        )  # fmt: skip
        schedules.define(self, wanted)

    def recurring_definition(
        self, recurring_id: str, target: Any, *, cron: str, args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None, time_zone: str | None = None, queue: str | None = None,
        misfire: str | int | None = None, days_and: bool | None = None, from_code: bool = False,
    ) -> Definition:  # fmt: skip
        """A recurring job as it is wanted, not written yet. Raises ArgumentError."""
        definition = self.definition(target)
        if isinstance(args, str) or not isinstance(args, Sequence) or not isinstance(kwargs or {}, Mapping):
            raise ArgumentError(f"recurring job {recurring_id}: args is a tuple and kwargs a dict of arguments")
        return Definition(
            id=recurring_id,
            invocation=definition.invocation(tuple(args), dict(kwargs or {})),
            cron=cron,
            time_zone=time_zone or definition.time_zone,
            queue=queue or definition.queue,
            priority=definition.priority,
            misfire=Misfire.parse(definition.misfire if misfire is None else misfire),
            days_and=definition.days_and if days_and is None else days_and,
            from_code=from_code,
        )

    def restore_recurring(self) -> schedules.Restoration:
        """Bring back the recurring jobs of the code that are missing, or are not as the code says; what was done.

        Pauses survive, what people have changed does not. The packages of `discover` are imported if they are not yet.
        """
        return schedules.restore(self)

    def remove(self, recurring_id: str, *, keep_pause: bool = False) -> bool:
        """Delete a recurring job; whether there was one. Its pause is forgotten.

        keep_pause: it is kept, so that the job is still paused when it is restored.
        """
        return self.recurring_jobs.remove(recurring_id, keep_pause=keep_pause)

    def trigger(
        self, recurring_id: str, *, by: str = MANUAL, key: str | None = None, args: tuple[Any, ...] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> int:  # fmt: skip
        """Run a recurring job now, once; returns the job's id.

        args, kwargs: instead of the arguments it has, for this run alone. key: asked for twice under one key, it is one
        run. Raises RecurringJobNotFound, UnknownJob, ArgumentError, InvalidArgument (a row of c_Job takes none).
        """
        call = None
        if args is not None or kwargs is not None:
            call = self._called_anew(recurring_id, tuple(args or ()), dict(kwargs or {}))
        return self.recurring_jobs.trigger(recurring_id, by=by, key=key, invocation=call)

    def _called_anew(self, recurring_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Invocation:
        record = self.recurring_jobs.get(recurring_id)
        if row_of(recurring_id) is not None:
            raise InvalidArgument(f"{recurring_id} calls what its row says, and takes no other arguments")
        return self.registry.find(invocations.read(record.job).name).invocation(args, kwargs)

    def pause(
        self, recurring_id: str, *, by: str | None = None, note: str | None = None, until: datetime | None = None
    ) -> None:
        """Stop firing a recurring job, keeping it.

        by: who asks; note: why. until: when it resumes by itself (a naive one is UTC). Raises RecurringJobNotFound,
        InvalidArgument.
        """
        self.recurring_jobs.pause(recurring_id, by=by, note=note, until=until)

    def resume(
        self, recurring_id: str, *, run_missed: bool = False, by: str = MANUAL, key: str | None = None
    ) -> int | None:
        """Fire a paused recurring job again. What was due during the pause is skipped, unless it is asked for.

        run_missed: if anything was missed, run once now; returns that job's id. by: who asks for that run; key: asked
        for twice under one key, it is one run. Raises RecurringJobNotFound.
        """
        return self.recurring_jobs.resume(recurring_id, run_missed=run_missed, by=by, key=key)

    def recurring_list(self) -> list[RecurringRecord]:
        """All recurring jobs."""
        return self.recurring_jobs.all()

    # -- people -----------------------------------------------------------------------------------------------

    def notify(self, user: str, kind: str, message: str) -> int:
        """Tell a user something, on all his open pages; the notification's id. Inside a job, `ctx.notify` does it.

        kind: Success, Error, Info or Warning. A message of more than 4,000 characters is cut. Raises InvalidArgument.
        """
        return self.notifications.send(user, kind, message)


_lock = threading.Lock()
_latest: TaskManager | None = None


def _remember(tm: TaskManager) -> None:
    global _latest
    with _lock:
        _latest = tm


def current() -> TaskManager:
    """The TaskManager made last, or one from configuration: what a job found by discovery enqueues with."""
    with _lock:
        found = _latest
    return found if found is not None else TaskManager()


handles.current = current

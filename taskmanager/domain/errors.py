"""Every exception the package raises on purpose, named for what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class TaskManagerError(Exception):
    """The root: `except TaskManagerError` catches all that this package raises on purpose."""


class ConfigurationError(TaskManagerError):
    """A setting is missing, unknown or impossible; the message names it, its source and the cure."""


class InvalidCron(TaskManagerError, ValueError):
    """A cron expression or time zone that cannot be understood; the message names the field."""


class InvalidArgument(TaskManagerError, ValueError):
    """A value given to a call is out of range or malformed; the message names the parameter."""


class InvalidFields(InvalidArgument):
    """Fields of a form have values that cannot be. errors: what is wrong, by the field's name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


class ArgumentError(TaskManagerError, TypeError):
    """Arguments of a job do not fit its signature, or one of them cannot be written as JSON."""


class ArgumentsUnreadable(TaskManagerError):
    """Stored arguments cannot be turned back into the values the job asks for."""


class PayloadTooLarge(InvalidArgument):
    """Arguments exceed the configured size (`max_payload_bytes`)."""


class UnknownJob(TaskManagerError, LookupError):
    """No registered job answers to this name."""


class AmbiguousJob(UnknownJob):
    """More than one registered job answers to this name; the message lists them."""


class DuplicateJob(TaskManagerError):
    """Two different functions were registered under one name."""


class CreationCancelled(TaskManagerError):
    """A filter refused the creation of a job; nothing was written."""


class JobNotFound(TaskManagerError, LookupError):
    """There is no job with this id: it never existed, was rolled back, or has expired."""


class RecurringJobExists(TaskManagerError):
    """A recurring job of this id is there already."""


class RecurringJobNotFound(TaskManagerError, LookupError):
    """There is no recurring job with this id."""


class ChangedMeanwhile(TaskManagerError):
    """Somebody else has changed what is being edited."""


class JobFailed(TaskManagerError):
    """Raised by `wait()` when the awaited job ended in Failed or Deleted."""


class WaitTimeout(TaskManagerError, TimeoutError):
    """The awaited job did not end in time; it goes on."""


class StorageError(TaskManagerError):
    """The database refused or lost something; `__cause__` is the driver's own error."""


class TransactionLost(StorageError):
    """The caller's own transaction was rolled back by the server (deadlock, fail-over): begin it anew."""


class SchemaError(StorageError):
    """The tables are missing or of another version; the message says what is missing and how to make it."""


class DatabaseSlow(StorageError):
    """The database took longer than who waits for it would wait."""


class ReadOnlyDatabase(StorageError):
    """The database cannot be written: read-only server or file, or a full disk."""


class RemoteError(Exception):
    """What an isolated job raised in its own process. kinds: the names of its class and of those it derives from.

    details: the stack trace as it was there.
    """

    def __init__(self, message: str, kinds: Sequence[str], details: str) -> None:
        super().__init__(message)
        self.kinds = tuple(kinds)
        self.details = details


def qualified(kind: type) -> str:
    """The name of an exception as it is kept with a failed job: with its module, unless it is one of Python's own."""
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class JobCancelled(Exception):
    """Raised inside a job by `ctx.raise_if_cancelled()` after the job was deleted, requeued or timed out."""


class JobTimeout(TimeoutError):
    """A job ran longer than its `timeout`."""


class JobProcessDied(RuntimeError):
    """The child process of an `isolate=True` job ended without an answer (killed, `os._exit`)."""


class ClaimsExhausted(RuntimeError):
    """The worker process died under this job so many times that it is not started again by itself."""

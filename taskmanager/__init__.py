"""Durable jobs, schedules and retries on the database you already run."""

from __future__ import annotations

import importlib

from taskmanager.domain.version import VERSION as __version__

TYPE_CHECKING = False  # a type checker knows it by its name; `typing` itself would take as long as all of this file
if TYPE_CHECKING:
    from typing import Any

    from taskmanager.app import TaskManager, current
    from taskmanager.config import Settings
    from taskmanager.domain import cron
    from taskmanager.domain.errors import (
        AmbiguousJob,
        ArgumentError,
        ArgumentsUnreadable,
        ChangedMeanwhile,
        ConfigurationError,
        CreationCancelled,
        DuplicateJob,
        InvalidArgument,
        InvalidCron,
        JobCancelled,
        JobFailed,
        JobNotFound,
        JobProcessDied,
        JobTimeout,
        PayloadTooLarge,
        ReadOnlyDatabase,
        RecurringJobNotFound,
        SchemaError,
        StorageError,
        TaskManagerError,
        TransactionLost,
        UnknownJob,
        WaitTimeout,
    )
    from taskmanager.domain.results import JobResult
    from taskmanager.domain.retry import Retry, RetryPolicy
    from taskmanager.engine.context import CancellationToken, JobContext
    from taskmanager.engine.decorating import job
    from taskmanager.engine.filters import Filter
    from taskmanager.engine.handles import JobFunction
    from taskmanager.engine.injection import Inject, provide
    from taskmanager.engine.job_class import Job
    from taskmanager.engine.registry import JobType


#: Where each public name is. They are imported when they are asked for: `python -m taskmanager` and the console script
#: come by here before they can answer to Ctrl-C.
_PLACES = {
    "taskmanager.app": (
        "TaskManager",
        "current",
    ),
    "taskmanager.config": ("Settings",),
    "taskmanager.domain": ("cron",),
    "taskmanager.domain.errors": (
        "AmbiguousJob",
        "ArgumentError",
        "ArgumentsUnreadable",
        "ChangedMeanwhile",
        "ConfigurationError",
        "CreationCancelled",
        "DuplicateJob",
        "InvalidArgument",
        "InvalidCron",
        "JobCancelled",
        "JobFailed",
        "JobNotFound",
        "JobProcessDied",
        "JobTimeout",
        "PayloadTooLarge",
        "ReadOnlyDatabase",
        "RecurringJobNotFound",
        "SchemaError",
        "StorageError",
        "TaskManagerError",
        "TransactionLost",
        "UnknownJob",
        "WaitTimeout",
    ),
    "taskmanager.domain.results": ("JobResult",),
    "taskmanager.domain.retry": ("Retry", "RetryPolicy"),
    "taskmanager.engine.context": (
        "CancellationToken",
        "JobContext",
    ),
    "taskmanager.engine.decorating": ("job",),
    "taskmanager.engine.filters": ("Filter",),
    "taskmanager.engine.handles": ("JobFunction",),
    "taskmanager.engine.injection": (
        "Inject",
        "provide",
    ),
    "taskmanager.engine.job_class": ("Job",),
    "taskmanager.engine.registry": ("JobType",),
}
_PLACE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "AmbiguousJob",
    "ArgumentError",
    "ArgumentsUnreadable",
    "CancellationToken",
    "ChangedMeanwhile",
    "ConfigurationError",
    "CreationCancelled",
    "DuplicateJob",
    "Filter",
    "Inject",
    "InvalidArgument",
    "InvalidCron",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobFailed",
    "JobFunction",
    "JobNotFound",
    "JobProcessDied",
    "JobResult",
    "JobTimeout",
    "JobType",
    "PayloadTooLarge",
    "ReadOnlyDatabase",
    "RecurringJobNotFound",
    "Retry",
    "RetryPolicy",
    "SchemaError",
    "Settings",
    "StorageError",
    "TaskManager",
    "TaskManagerError",
    "TransactionLost",
    "UnknownJob",
    "WaitTimeout",
    "__version__",
    "cron",
    "current",
    "job",
    "provide",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    importlib.import_module("taskmanager.app")  # it puts itself where jobs look for their TaskManager
    found = globals()[name] = getattr(importlib.import_module(_PLACE_OF[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

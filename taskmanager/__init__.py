"""Durable jobs, schedules and retries on the database you already run."""

from taskmanager.app import TaskManager, current
from taskmanager.config import Settings
from taskmanager.domain import cron
from taskmanager.domain.errors import (
    ArgumentError,
    ConfigurationError,
    InvalidCron,
    JobCancelled,
    JobFailed,
    JobNotFound,
    JobTimeout,
    Retry,
    StorageError,
    TaskManagerError,
    TransactionLost,
    UnknownJob,
    WaitTimeout,
)
from taskmanager.domain.results import JobResult
from taskmanager.domain.retry import RetryPolicy
from taskmanager.engine.context import CancellationToken, JobContext
from taskmanager.engine.decorating import job
from taskmanager.engine.filters import Filter
from taskmanager.engine.handles import JobFunction
from taskmanager.engine.injection import Inject, provide
from taskmanager.engine.job_class import Job
from taskmanager.engine.registry import JobType

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "CancellationToken",
    "ConfigurationError",
    "Filter",
    "Inject",
    "InvalidCron",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobFailed",
    "JobFunction",
    "JobNotFound",
    "JobResult",
    "JobTimeout",
    "JobType",
    "Retry",
    "RetryPolicy",
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

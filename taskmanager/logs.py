"""Log lines: the standard logging, with the running job in every line a job writes, as text or JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

#: (job id, attempt, queue, server, job name) of the job this thread or task performs.
JobFields = tuple[int, int, str, str, str]
_JOB: ContextVar[JobFields | None] = ContextVar("taskmanager_job", default=None)
_NAMES = ("job_id", "attempt", "queue", "server", "job")
_SECRET = re.compile(r"(://[^:/@\s]*):[^@/\s]+@")


@contextmanager
def job_context(fields: JobFields) -> Iterator[None]:
    """Put a job into every record logged inside."""
    token = _JOB.set(fields)
    try:
        yield
    finally:
        _JOB.reset(token)


class JobFilter(logging.Filter):
    """Adds the running job to records, and takes passwords out of URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        fields = _JOB.get()
        record.taskmanager = dict(zip(_NAMES, fields, strict=True)) if fields else {}
        if isinstance(record.msg, str) and "://" in record.msg:
            record.msg = _SECRET.sub(r"\1:*****@", record.msg)
        return True


class TextFormatter(logging.Formatter):
    """`time level logger [job] message`."""

    def format(self, record: logging.LogRecord) -> str:
        job: dict[str, Any] = getattr(record, "taskmanager", {})
        where = " [" + " ".join(f"{k}={v}" for k, v in job.items()) + "]" if job else ""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{moment} {record.levelname:<7} {record.name}{where} {_message(record)}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        facts |= getattr(record, "taskmanager", {})
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return json.dumps(facts, default=str)


def configure(level: str = "INFO", form: str = "text", stream: TextIO | None = None) -> None:
    """Send the records of all loggers to a stream, once, whoever calls how often."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "taskmanager", False)]:
        root.removeHandler(handler)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.taskmanager = True  # type: ignore[attr-defined]
    handler.addFilter(JobFilter())
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root.addHandler(handler)
    root.setLevel(level)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # a job's broken logging call must not fail the job
        return f"{record.msg} (its arguments could not be formatted: {error})"

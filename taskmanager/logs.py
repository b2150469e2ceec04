"""Log lines: the standard logging, with the running job in every line a job writes, as text or JSON."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import Any, TextIO

#: (job id, attempt, queue, server, job name) of the job this thread or task performs.
JobFields = tuple[int, int, str, str, str]
_JOB: ContextVar[JobFields | None] = ContextVar("taskmanager_job", default=None)
_NAMES = ("job_id", "attempt", "queue", "server", "job")
#: A password in a URL, also one with a bare @ or /; what looks like a port and a path is none.
_SECRET = re.compile(r"(://[^:/@\s]*):(?:[^/?\s]+|(?!\d{1,5}[/?])\S+)@")


@contextmanager
def job_context(fields: JobFields) -> Iterator[None]:
    """Put a job into every record logged inside."""
    token = enter_job(fields)
    try:
        yield
    finally:
        leave_job(token)


def enter_job(fields: JobFields) -> Token[JobFields | None]:
    """As the beginning of `job_context`, for who enters thousands a second; the answer is for `leave_job`."""
    return _JOB.set(fields)


def leave_job(token: Token[JobFields | None]) -> None:
    """As the end of `job_context`."""
    _JOB.reset(token)


def about(job_id: int, attempt: int, queue: str, server: str, job: str = "") -> dict[str, Any]:
    """`extra` of a line that is about a job, and is written outside it; a name that is not known is left out."""
    fields = dict(zip(_NAMES, (job_id, attempt, queue, server, job), strict=True))
    return {"taskmanager": fields if job else {k: v for k, v in fields.items() if k != "job"}}


class JobFilter(logging.Filter):
    """Adds the running job to records that name none themselves."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "taskmanager"):
            fields = _JOB.get()
            record.taskmanager = dict(zip(_NAMES, fields, strict=True)) if fields else {}
        return True


_KEPT = (
    "name", "levelno", "levelname", "created", "pathname", "filename", "module", "lineno", "funcName", "stack_info",
)  # fmt: skip


def pack(record: logging.LogRecord) -> dict[str, Any]:
    """A record as JSON takes it: another process hands it to its own loggers."""
    facts = {name: getattr(record, name) for name in _KEPT}
    facts |= {"msg": _text(record), "process": record.process, "threadName": record.threadName}
    traceback = _trace(logging.Formatter(), record)
    return facts | ({"exc_text": traceback} if traceback else {})


def hand_on(facts: dict[str, Any]) -> None:
    """Give a packed record to this process's loggers, whose levels and handlers count."""
    logger = logging.getLogger(facts["name"])
    if logger.isEnabledFor(facts["levelno"]):
        logger.handle(logging.makeLogRecord(facts))


class TextFormatter(logging.Formatter):
    """`time level logger [job] message`, then the exception and the stack; without the passwords in URLs."""

    def format(self, record: logging.LogRecord) -> str:
        job: dict[str, Any] = getattr(record, "taskmanager", {})
        where = " [" + " ".join(f"{k}={v}" for k, v in job.items()) + "]" if job else ""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = f"{moment} {record.levelname:<7} {record.name}{where} {_message(record)}"
        return "\n".join([line, *_traces(self, record).values()])


class JsonFormatter(logging.Formatter):
    """One JSON object a line; without the passwords in URLs."""

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        facts |= getattr(record, "taskmanager", {})
        facts |= _traces(self, record)
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
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))  # our own steps are told in words


def _message(record: logging.LogRecord) -> str:
    return _without_secrets(_text(record))


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # a job's broken logging call must not fail the job
        template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        return f"{template} (its arguments could not be formatted: {type(error).__name__}: {error})"


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if record.exc_info:
        return formatter.formatException(record.exc_info) if record.exc_info[0] is not None else None
    return record.exc_text or None  # of a record that came from another process


def _traces(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, str]:
    """The exception and the stack of a record, those it has."""
    found = {}
    traceback = _trace(formatter, record)
    if traceback:
        found["exception"] = _without_secrets(traceback)
    if record.stack_info:
        found["stack"] = _without_secrets(formatter.formatStack(record.stack_info))
    return found


def _without_secrets(text: str) -> str:
    return _SECRET.sub(r"\1:*****@", text) if "://" in text else text

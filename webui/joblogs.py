"""The runs of a job and what each of them logged, as people read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskmanager.domain.records import JobRecord, StateRecord
from taskmanager.storage.monitoring_details import LogChunk
from webui import formats, jobviews, redaction


@dataclass(slots=True)
class Attempt:
    """One run of a job: the states from its Processing on."""

    number: int
    state: StateRecord
    ended: datetime | None = None
    outcome: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)


def attempts(
    record: JobRecord, log: tuple[LogChunk, ...], before: int | None = 0, *, is_newest: bool = True
) -> tuple[dict[int, Attempt], list[dict[str, Any]]]:
    """The runs of a job, by the id of their Processing row, each with its log; and lines of runs that are not here.

    before: how many runs are older than these; None where that is not known. is_newest: none is newer.
    """
    found: dict[int, Attempt] = {}
    for place, state in enumerate(record.history):
        if state.name == "Processing":
            after = record.history[place + 1] if place + 1 < len(record.history) else None
            number = 0 if before is None else before + len(found) + 1
            found[state.id] = Attempt(number, state, after.created_at if after else None, after.name if after else "")
    by_number = {attempt.number: attempt for attempt in found.values() if attempt.number}
    last, strays = max(by_number, default=0) if is_newest else 0, list[dict[str, Any]]()
    for line in log_lines(log):
        mine = by_number.get(min(line["attempt"], last or line["attempt"]))
        (mine.log if mine is not None else strays).append(line)
    return found, strays


def log_lines(log: tuple[LogChunk, ...] | list[LogChunk]) -> list[dict[str, Any]]:
    """The lines of a job's log: attempt, moment, level, message."""
    lines = []
    for chunk in log:
        for raw in chunk.lines.splitlines():
            lines.append(_log_line(chunk, raw))
    return lines


def _log_line(chunk: LogChunk, raw: str) -> dict[str, Any]:
    value = jobviews.value_of(raw)
    if not isinstance(value, dict):
        value = {"message": raw}
    at = formats.parsed(value.get("at")) or chunk.at
    fields = value.get("fields")
    extra = "".join(
        f" {k}={redaction.MASK if redaction.is_secret(k) else v}" for k, v in (fields or {}).items()
    ) if isinstance(fields, dict) else ""  # fmt: skip
    level = str(value.get("level", "INFO")).lower()
    message = redaction.text(str(value.get("message", ""))) + extra
    return {"attempt": chunk.attempt, "at": at, "level": level if level.isalpha() else "info", "message": message}

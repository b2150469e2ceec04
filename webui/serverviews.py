"""A server as people read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain.records import ServerRecord
from taskmanager.storage.monitoring_lists import Row
from webui import formats

#: Hangfire's thresholds: silent after a minute, presumed dead after two.
SILENT, DEAD = timedelta(minutes=1), timedelta(minutes=2)
STAGES = ("active", "silent", "dead")


@dataclass(frozen=True, slots=True)
class ServerView:
    """A worker process. `stage`: active, silent or dead, by its last heartbeat.

    memory: bytes; cpu: percent of one core; done: jobs since it began; ahead: seconds by which its host's clock is
    before the database's; busy: threads that perform. All None of servers that do not tell.
    """

    id: str
    name: str
    process: str
    workers: int
    queues: tuple[str, ...]
    started: datetime | None
    heartbeat: datetime | None
    stage: str
    scheduler: bool
    quiet: bool = False
    stopping: bool = False
    running: tuple[Row, ...] = ()
    version: str | None = None
    memory: float | None = None
    cpu: float | None = None
    done: float | None = None
    ahead: float | None = None
    busy: float | None = None


def view(
    record: ServerRecord, now: datetime, running: Sequence[Row] = (), asked: Mapping[str, bool] | None = None
) -> ServerView:
    """What a server's row says, whoever wrote it. asked: who is to take no jobs, and whether to stop."""
    asked = asked or {}
    data = record.data
    told = data.get("taskmanager")
    own: dict[str, Any] = told if isinstance(told, dict) else {}
    head, _, _guid = record.id.rpartition(":")
    name, _, process = head.rpartition(":")
    queues = data.get("Queues")
    workers = data.get("WorkerCount")
    silence = None if record.last_heartbeat is None else now - record.last_heartbeat
    stage = "dead" if silence is None or silence > DEAD else "silent" if silence > SILENT else "active"
    return ServerView(
        record.id, name or record.id, process, workers if isinstance(workers, int) else 0,
        tuple(map(str, queues)) if isinstance(queues, list) else (), formats.parsed(data.get("StartedAt")),
        record.last_heartbeat, stage, bool(own.get("scheduler")),
        record.id in asked, asked.get(record.id, False),
        tuple(r for r in running if r.data.get("ServerId") == record.id),
        str(own["version"])[:40] if own.get("version") else None,
        *(_figure(own.get(figure)) for figure in ("memory", "cpu", "done", "ahead", "busy")),
    )  # fmt: skip


def _figure(value: object) -> float | None:
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if right else None  # type: ignore[arg-type]

"""A server as people read it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.domain.records import ServerRecord
from taskmanager.storage.monitoring_lists import Row
from webui import formats

#: Hangfire's thresholds: silent after a minute, presumed dead after two.
SILENT, DEAD = timedelta(minutes=1), timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ServerView:
    """A worker process. `stage`: active, silent or dead, by its last heartbeat."""

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
    running: tuple[Row, ...] = ()


def view(record: ServerRecord, now: datetime, running: Sequence[Row] = (), quiet: Collection[str] = ()) -> ServerView:
    """What a server's row says, whoever wrote it."""
    data, own = record.data, record.data.get("taskmanager")
    head, _, _guid = record.id.rpartition(":")
    name, _, process = head.rpartition(":")
    queues = data.get("Queues")
    workers = data.get("WorkerCount")
    silence = None if record.last_heartbeat is None else now - record.last_heartbeat
    stage = "dead" if silence is None or silence > DEAD else "silent" if silence > SILENT else "active"
    return ServerView(
        record.id, name or record.id, process, workers if isinstance(workers, int) else 0,
        tuple(map(str, queues)) if isinstance(queues, list) else (), formats.parsed(data.get("StartedAt")),
        record.last_heartbeat, stage, bool(isinstance(own, dict) and own.get("scheduler")),
        record.id in quiet, tuple(r for r in running if r.data.get("ServerId") == record.id),
    )  # fmt: skip

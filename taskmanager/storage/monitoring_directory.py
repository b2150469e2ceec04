"""What there is by name, and is few enough to be looked through as a whole: servers, queues, recurring jobs."""

from __future__ import annotations

from dataclasses import dataclass

from taskmanager.domain.records import ServerRecord
from taskmanager.storage import queues, recurring
from taskmanager.storage import servers as server_rows
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_snapshot import queue_names
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Directory:
    """Names. has_job: whether the job that was asked for by its number is there."""

    has_job: bool
    servers: tuple[ServerRecord, ...]
    queues: tuple[str, ...]
    recurring: tuple[str, ...]
    paused: frozenset[str]


@statement
def directory(t: Tables, p: Product) -> str:
    """All names in one statement; the job by its key."""
    q = p.quote
    sets = ", ".join(f"'{key}'" for key in (queues.PAUSED, recurring.SET, recurring.PAUSED))
    return (
        f"SELECT 'server', {q('Id')}, {q('Data')}, {q('LastHeartbeat')} FROM {q(t.server.name)} "
        f"UNION ALL SELECT 'queue', name, NULL, NULL FROM ({queue_names(t, p)}) x "
        f"UNION ALL SELECT 'job', 'it', NULL, NULL FROM {q(t.job.name)} WHERE {q('Id')} = :job "
        f"UNION ALL SELECT {q('Key')}, {q('Value')}, NULL, NULL FROM {q(t.set.name)} WHERE {q('Key')} IN ({sets})"
    )


def look(tx: Tx, job_id: int | None = None) -> Directory:
    """All names, sorted; and whether there is a job."""
    found: dict[str, list[str]] = {}
    servers = []
    for kind, name, data, beat in tx.execute(directory, {"job": job_id or 0}):
        if kind == "server":
            servers.append(server_rows.record(name, data, beat))
        else:
            found.setdefault(str(kind), []).append(str(name))
    return Directory(
        "job" in found,
        tuple(sorted(servers, key=lambda one: one.id)),
        tuple(sorted({*found.get("queue", ()), *found.get(queues.PAUSED, ())})),
        tuple(sorted(found.get(recurring.SET, ()))),
        frozenset(found.get(recurring.PAUSED, ())),
    )

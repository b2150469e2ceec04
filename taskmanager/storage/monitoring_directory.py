"""What there is by name, and is few enough to be looked through as a whole: servers, queues, recurring jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskmanager.domain.records import ServerRecord
from taskmanager.storage import queues, recurring
from taskmanager.storage import servers as server_rows
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_recurring import Glance
from taskmanager.storage.monitoring_snapshot import queue_names
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Directory:
    """Names. has_job: whether the job that was asked for by its number is there. recurring: with what is searched."""

    has_job: bool
    servers: tuple[ServerRecord, ...]
    queues: tuple[str, ...]
    recurring: tuple[Glance, ...]
    paused: Mapping[str, float]


@statement
def directory(t: Tables, p: Product) -> str:
    """All names in one statement; the job by its key."""
    q = p.quote
    sets = ", ".join(f"'{key}'" for key in (queues.PAUSED, recurring.PAUSED))
    return (
        f"SELECT 'server', {q('Id')}, {q('Data')}, {q('LastHeartbeat')} FROM {q(t.server.name)} "
        f"UNION ALL SELECT 'queue', name, NULL, NULL FROM ({queue_names(t, p)}) x "
        f"UNION ALL {_recurring(t, p)} "
        f"UNION ALL SELECT 'job', 'it', NULL, NULL FROM {q(t.job.name)} WHERE {q('Id')} = :job "
        f"UNION ALL SELECT {q('Key')}, {q('Value')}, NULL, NULL FROM {q(t.set.name)} WHERE {q('Key')} IN ({sets})"
    )


def _recurring(t: Tables, p: Product) -> str:
    """Of each, with bars between, whether it is in error, cron, queue and call."""
    q = p.quote
    names = ("Error", "Cron", "Queue", "Job")
    key = p.concat(f"'{recurring.HASH}'", f"s.{q('Value')}")
    joins = " ".join(
        f"LEFT JOIN {q(t.hash.name)} h{n} ON h{n}.{q('Key')} = {key} AND h{n}.{q('Field')} = '{name}'"
        for n, name in enumerate(names)
    )
    error, *others = (f"COALESCE(h{n}.{q('Value')}, '')" for n in range(len(names)))
    parts = [f"CASE WHEN {error} = '' THEN '' ELSE '!' END", *others]
    told = p.concat(*[text for one in parts for text in (one, "'|'")][:-1])
    return (
        f"SELECT '{recurring.SET}', s.{q('Value')}, {told}, NULL FROM {q(t.set.name)} s {joins} "
        f"WHERE s.{q('Key')} = '{recurring.SET}'"
    )


def look(tx: Tx, job_id: int | None = None) -> Directory:
    """All names, sorted; and whether there is a job."""
    found: dict[str, list[str]] = {}
    servers, jobs = list[ServerRecord](), dict[str, str]()
    for kind, name, data, beat in tx.execute(directory, {"job": job_id or 0}):
        if kind == "server":
            servers.append(server_rows.record(name, data, beat))
        elif kind == recurring.SET:
            jobs[str(name)] = str(data)
        else:
            found.setdefault(str(kind), []).append(str(name))
    paused = dict.fromkeys(found.get(recurring.PAUSED, ()), 0.0)
    return Directory(
        "job" in found,
        tuple(sorted(servers, key=lambda one: one.id)),
        tuple(sorted({*found.get("queue", ()), *found.get(queues.PAUSED, ())})),
        tuple(_glance(name, jobs[name], name in paused) for name in sorted(jobs)),
        paused,
    )


def _glance(name: str, told: str, is_paused: bool) -> Glance:
    error, cron, queue, job = told.split("|", 3)
    return Glance(name, None, bool(error), is_paused, "", cron, queue, job)

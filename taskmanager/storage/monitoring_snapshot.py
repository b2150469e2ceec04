"""What every page shows of everything: the counts, in one statement whose cost does not grow with the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskmanager.storage.dialects import Product
from taskmanager.storage.recurring import SET as RECURRING
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Counting stops here: 10001 means "more than 10000".
CAP = 10_000
_CAPPED = ("Enqueued", "Scheduled", "Processing", "Failed", "Awaiting")
_COUNTERS = ("succeeded", "deleted")
_MOST_QUEUES = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts at one moment. `at`: by the database's clock; `revision` grows whenever a job changes its state."""

    at: datetime
    counts: dict[str, int]
    revision: int

    def is_capped(self, name: str) -> bool:
        """Whether there are more than were counted."""
        return name.title() in _CAPPED and self.counts[name] > CAP


@statement
def counts(t: Tables, p: Product) -> str:
    """Capped index reads, counters, and the newest State row."""
    q = p.quote
    job, key = q(t.job.name), q("Key")
    parts = [
        f"SELECT '{state.lower()}', COUNT(*) FROM "
        f"(SELECT 1 FROM {job} WHERE {q('StateName')} = '{state}' LIMIT {CAP + 1}) x"
        for state in _CAPPED
    ]
    for name in _COUNTERS:
        one = f"{key} = 'stats:{name}'"
        parts.append(f"SELECT '{name}', {_counter(t, p, one)}")
    for name in ("succeeded", "failed", "deleted"):
        days = f"{key} IN (:{name}_now, :{name}_before)"
        parts.append(f"SELECT 'ended_{name}', {_counter(t, p, days)}")
    for name, members in (("retries", "retries"), ("recurring", RECURRING)):
        parts.append(
            f"SELECT '{name}', COUNT(*) FROM "
            f"(SELECT 1 FROM {q(t.set.name)} WHERE {key} = '{members}' LIMIT {CAP + 1}) x"
        )
    parts.append(f"SELECT 'rows', COUNT(*) FROM {q(t.legacy.job.name)}")
    parts.append(f"SELECT 'servers', COUNT(*) FROM {q(t.server.name)}")
    parts.append(f"SELECT 'queues', COUNT(*) FROM ({queue_names(t, p)}) x")
    parts.append(f"SELECT 'revision', COALESCE(MAX({q('Id')}), 0) FROM {q(t.state.name)}")
    return " UNION ALL ".join(parts)


def queue_names(t: Tables, p: Product) -> str:
    """The names of queues in which something is."""
    return p.distinct(t.queue.name, "Queue", _MOST_QUEUES)


def take(tx: Tx) -> Snapshot:
    """Count everything now."""
    now = tx.now()
    found = {str(name): int(value) for name, value in tx.execute(counts, _keys(now))}
    found["recurring"] += found.pop("rows")
    revision = found.pop("revision")
    return Snapshot(now, {name: max(0, value) for name, value in found.items()}, revision)


def _keys(now: datetime) -> dict[str, Any]:
    """Two days' counters only ever grow together, so that their differences are what ended between two looks."""
    before = datetime.fromordinal(max(1, now.toordinal() - 1))
    keys = {}
    for name in ("succeeded", "failed", "deleted"):
        keys[f"{name}_now"] = f"stats:{name}:{now:%Y-%m-%d}"
        keys[f"{name}_before"] = f"stats:{name}:{before:%Y-%m-%d}"
    return keys


def _counter(t: Tables, p: Product, where: str) -> str:
    value = p.quote("Value")
    sums = [
        f"(SELECT COALESCE(SUM({value}), 0) FROM {p.quote(table.name)} WHERE {where})"
        for table in (t.counter, t.aggregated)
    ]
    return " + ".join(sums)

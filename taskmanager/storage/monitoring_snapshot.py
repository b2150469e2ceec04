"""What every page shows of everything: the counts, in one statement whose cost does not grow with the tables.

Where no job has changed its state since the last look it is a few look-ups.
"""

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
    """Counts at one moment. `at`: by the database's clock; `revision` grows whenever a job changes its state.

    changes: grows with each row of the audit log. settled: the revision was the same at the look before. While one was
    not, a transaction that took an earlier number may still commit behind it.
    """

    at: datetime
    counts: dict[str, int]
    revision: int
    changes: int = 0
    settled: bool = False

    def is_capped(self, name: str) -> bool:
        """Whether there are more than were counted."""
        is_bounded = name.title() in _CAPPED or name in ("retries", "recurring")
        return is_bounded and self.counts[name] > CAP


@statement
def counts(t: Tables, p: Product) -> str:
    """Counts of states, counters, and the newest State row."""
    q = p.quote
    key = q("Key")
    ours = {state.lower(): f"{q(t.job.name)} WHERE {q('StateName')} = '{state}'" for state in _CAPPED}
    ours["retries"] = f"{q(t.set.name)} WHERE {key} = 'retries'"
    parts = [f"SELECT '{name}', {_counted(t, p, name, rows)}" for name, rows in ours.items()]
    for name in _COUNTERS:
        one = f"{key} = 'stats:{name}'"
        parts.append(f"SELECT '{name}', {_counter(t, p, one)}")
    for name in ("succeeded", "failed", "deleted"):
        days = f"{key} IN (:{name}_now, :{name}_before)"
        parts.append(f"SELECT 'ended_{name}', {_counter(t, p, days)}")
    members = f"(SELECT 1 FROM {q(t.set.name)} WHERE {key} = '{RECURRING}' LIMIT {CAP + 1}) x"
    parts.append(f"SELECT 'recurring', COUNT(*) FROM {members}")
    parts.append(f"SELECT 'rows', COUNT(*) FROM {q(t.legacy.job.name)}")
    parts.append(f"SELECT 'servers', COUNT(*) FROM {q(t.server.name)}")
    parts.append(f"SELECT 'queues', COUNT(*) FROM ({queue_names(t, p)}) x")
    parts.append(f"SELECT 'changes', COALESCE(MAX({q('Id')}), 0) FROM {q(t.audit.name)}")
    parts.append(f"SELECT 'revision', {_revision(t, p)}")
    return " UNION ALL ".join(parts)


def queue_names(t: Tables, p: Product) -> str:
    """The names of queues in which something is."""
    return p.distinct(t.queue.name, "Queue", _MOST_QUEUES)


def take(tx: Tx, before: Snapshot | None = None) -> Snapshot:
    """Count everything now. before: the last snapshot; what it knows of states that nobody changed since is kept."""
    now = tx.now()
    found = {str(name): int(value) for name, value in tx.execute(counts, _keys(now) | _known(before))}
    found["recurring"] += found.pop("rows")
    revision, changes = found.pop("revision"), found.pop("changes")
    settled = before is not None and before.revision == revision
    return Snapshot(now, {name: max(0, value) for name, value in found.items()}, revision, changes, settled)


def _counted(t: Tables, p: Product, name: str, rows: str) -> str:
    """How many of these rows there are, up to the cap and one: as it was where no job has changed its state since.

    Where too few have changed to reach the cap, none is looked for.
    """
    revision = _revision(t, p)
    counted = p.count_up_to(CAP + 1, rows, few=f"{revision} <= :{name}_few")
    return f"CASE WHEN {revision} <= :kept THEN :{name}_known ELSE {counted} END"


def _revision(t: Tables, p: Product) -> str:
    return f"(SELECT COALESCE(MAX({p.quote('Id')}), 0) FROM {p.quote(t.state.name)})"


def _known(before: Snapshot | None) -> dict[str, int]:
    """Revisions up to which the counts of a snapshot are right, and up to which they surely stay below the cap."""
    given = {"kept": before.revision if before is not None and before.settled else -1}
    for name in (*map(str.lower, _CAPPED), "retries"):
        known = before.counts[name] if before is not None else 0
        given[f"{name}_known"] = known
        given[f"{name}_few"] = before.revision + CAP - known if before is not None else -1
    return given


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

"""What every page shows of everything: the counts, in one statement whose cost does not grow with the tables.

Where no job has changed its state since the last look it is a few look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from taskmanager.storage import queues, recurring, servers
from taskmanager.storage.alert_marks import ACKNOWLEDGED, FAILING
from taskmanager.storage.dialects import Product
from taskmanager.storage.recurring import SET as RECURRING
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Counting stops here: 10001 means "more than 10000".
CAP = 10_000
_CAPPED = ("Enqueued", "Scheduled", "Processing", "Failed", "Awaiting")
_STATES = (*_CAPPED, "Succeeded", "Deleted")
_COUNTERS = ("succeeded", "deleted")
_MOST_QUEUES = 1_000
#: The newest State rows are summed up by their names, in blocks of so many ids: one to two blocks are read.
BLOCK = 500
#: What is neither shown nor counted, but tells that something changed.
_MARKS = ("due", "flags", "silent", "list", "audit")
#: A server is silent after so long.
_SILENCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts at one moment. `at`: by the database's clock; `revision` grows whenever a job changes its state.

    settled: the revision was the same at the look before. While one was not, a transaction that took an earlier number
    may still commit behind it.

    entered: for each state, the sum of the ids of its newest State rows: another one when a job has entered it, and
    now and then without. marks: what changes with recurring jobs, pauses, servers that fall silent, runs and messages,
    and the audit log; the same in all processes that look at the same rows.
    """

    at: datetime
    counts: dict[str, int]
    revision: int
    settled: bool = False
    entered: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)

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
    parts.append(f"SELECT 'recurring', {_members(t, p, RECURRING)}")
    parts.append(f"SELECT 'alerts', {_members(t, p, FAILING)} - {_members(t, p, ACKNOWLEDGED)}")
    parts.append(f"SELECT 'rows', COUNT(*) FROM {q(t.legacy.job.name)}")
    parts.append(f"SELECT 'servers', COUNT(*) FROM {q(t.server.name)}")
    parts.append(f"SELECT 'queues', COUNT(*) FROM ({queue_names(t, p)}) x")
    parts.append(f"SELECT 'revision', {_revision(t, p)}")
    parts += _marks(t, p)
    parts.append(f"SELECT name, SUM(id) FROM ({_newest(t, p)}) y GROUP BY name")
    return " UNION ALL ".join(parts)


def _members(t: Tables, p: Product, key: str) -> str:
    """How many members a set has, up to the cap and one."""
    q = p.quote
    return f"(SELECT COUNT(*) FROM (SELECT 1 FROM {q(t.set.name)} WHERE {q('Key')} = '{key}' LIMIT {CAP + 1}) x)"


def queue_names(t: Tables, p: Product) -> str:
    """The names of queues in which something is."""
    return p.distinct(t.queue.name, "Queue", _MOST_QUEUES)


def take(tx: Tx, before: Snapshot | None = None) -> Snapshot:
    """Count everything now. before: the last snapshot; what it knows of states that nobody changed since is kept."""
    return take_with(tx, before, counts, {})[0]


def take_with(
    tx: Tx, before: Snapshot | None, build: Builder, also: Mapping[str, Any]
) -> tuple[Snapshot, dict[str, int]]:  # fmt: skip
    """The same by a statement that counts more: what has a name that begins with `~` comes apart, without it."""
    now = tx.now()
    given = _keys(now) | _known(before) | {"silent": tx.bind_moment(now - _SILENCE)} | dict(also)
    seen = {str(name): value for name, value in tx.execute(build, given)}
    apart = {name[1:]: int(seen.pop(name)) for name in list(seen) if name.startswith("~")}
    entered = {name[1:]: float(seen.pop(name)) for name in list(seen) if name.startswith("+")}
    marks = {name: float(seen.pop(name)) for name in _MARKS}
    found = {name: int(value) for name, value in seen.items()}
    found["recurring"] += found.pop("rows")
    revision = found.pop("revision")
    settled = before is not None and before.revision == revision
    if before is not None and before.settled and settled:
        entered = dict(before.entered)  # they were not read again
    shown = {name: max(0, value) for name, value in found.items()}
    return Snapshot(now, shown, revision, settled, entered, marks), apart


def _marks(t: Tables, p: Product) -> list[str]:
    q = p.quote
    of_set = f"FROM {q(t.set.name)} WHERE {q('Key')}"
    flags = ", ".join(f"'{key}'" for key in (queues.PAUSED, recurring.PAUSED, servers.QUIET))
    score, beat = q("Score"), q("LastHeartbeat")
    return [
        f"SELECT 'due', COALESCE(SUM({score}), 0) FROM (SELECT {score} {of_set} = '{RECURRING}' LIMIT {CAP + 1}) z",
        f"SELECT 'flags', COALESCE(SUM({score} + 1), 0) {of_set} IN ({flags})",
        f"SELECT 'silent', COUNT(*) FROM {q(t.server.name)} WHERE {beat} < :silent",
        f"SELECT 'list', COALESCE(MAX({q('Id')}), 0) FROM {q(t.list.name)}",
        f"SELECT 'audit', COALESCE(MAX({q('Id')}), 0) FROM {q(t.audit.name)}",
    ]


def _newest(t: Tables, p: Product) -> str:
    """Ids of the newest State rows and `+` with the state; none where no job has changed its state since.

    They begin at a multiple of BLOCK, so that all processes sum the same up.
    """
    q, revision = p.quote, _revision(t, p)
    names = " ".join(f"WHEN '{one}' THEN '+{one.lower()}'" for one in _STATES)
    return (
        f"SELECT {q('Id')} AS id, CASE {q('Name')} {names} ELSE '+other' END AS name FROM {q(t.state.name)} "
        f"WHERE {q('Id')} > {revision} - {revision} % {BLOCK} - {BLOCK} AND {revision} > :kept "
        f"ORDER BY {q('Id')} DESC LIMIT {2 * BLOCK}"
    )


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

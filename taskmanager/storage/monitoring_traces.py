"""What is known under a name elsewhere: its newest runs in c_LoggedJob, and what people changed of it or as it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.storage import monitoring_logged
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: So many names are looked up, and so many rows of each.
NAMES, EACH = 5, 5
#: What a row of the audit log may be about.
KINDS = ("job", "recurring", "queue", "server", "operation", "alert", "search")


@dataclass(frozen=True, slots=True)
class TracedRun:
    """A run by its row in c_LoggedJob. started: UTC."""

    id: int
    job: str
    started: datetime
    duration_ms: int | None
    succeeded: bool


@dataclass(frozen=True, slots=True)
class TracedChange:
    """What somebody did, by its row in the audit log."""

    id: int
    at: datetime
    user: str
    action: str
    kind: str
    target: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Traces:
    """Runs and changes, newest first."""

    runs: tuple[TracedRun, ...] = ()
    changes: tuple[TracedChange, ...] = ()


def look(tx: Tx, names: Sequence[str], target: str, *, with_changes: bool) -> Traces:
    """The newest runs of jobs of these names, at most `NAMES`, and what was changed of or by `target`: one statement.

    with_changes: whether the audit log is looked into.
    """
    with_runs = bool(names) and monitoring_logged.shape(tx)[0] is Shape.SPECIFICATION
    if not (with_runs or with_changes):
        return Traces()
    given: dict[str, Any] = {"target": target[:100]} if with_changes else {}
    if with_runs:
        given |= {f"n{place}": names[place] if place < len(names) else "" for place in range(NAMES)}
    rows = tx.execute(_traces(with_runs, with_changes), given).all()
    runs = [
        TracedRun(int(r[1]), str(r[2]), tx.clock.to_utc(as_moment(r[3])), r[4], r[8] == "done")
        for r in rows if r[0] == "run"
    ]  # fmt: skip
    changes = {
        int(r[1]): TracedChange(int(r[1]), as_moment(r[3]), str(r[5]), str(r[2]), str(r[6]), str(r[7]), str(r[8]))
        for r in rows if r[0] == "change"
    }  # fmt: skip
    runs.sort(key=lambda one: (one.started, one.id), reverse=True)
    return Traces(tuple(runs), tuple(changes[one] for one in sorted(changes, reverse=True)))


@lru_cache(maxsize=4)
def _traces(with_runs: bool, with_changes: bool) -> Builder:
    def build(t: Tables, p: Product) -> str:
        parts = [*(_runs(t, p) if with_runs else ()), *(_changes(t, p) if with_changes else ())]
        return " UNION ALL ".join(f"SELECT * FROM ({part}) x{place}" for place, part in enumerate(parts))

    return build


def _runs(t: Tables, p: Product) -> Iterator[str]:
    """Of each name the newest, by the index of names and starts."""
    q, name = p.quote, p.quote("JobName")
    # Both texts of a column are compared in one way: c_LoggedJob may be somebody else's, in a collation of its own.
    told = f"CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin" if p.name in ("mysql", "mariadb") else name
    for place in range(NAMES):
        yield (
            f"SELECT 'run' AS what, {q('ID')} AS id, {told} AS name, {q('StartedAt')} AS moment, "
            f"{q('DurationMs')} AS lasted, '' AS who, '' AS kind, '' AS target, "
            f"CASE WHEN {q('Success')} >= 1 THEN 'done' ELSE 'failed' END AS outcome FROM {q(t.legacy.logged.name)} "
            f"WHERE {name} = :n{place} ORDER BY {q('StartedAt')} DESC LIMIT {EACH}"
        )


def _changes(t: Tables, p: Product) -> Iterator[str]:
    """Of each kind of thing, and of the user of that name, the newest, by indexes."""
    q, whole = p.quote, "SIGNED" if p.name in ("mysql", "mariadb") else "INTEGER"
    rows = (
        f"SELECT 'change' AS what, {q('Id')} AS id, {q('Action')} AS name, {q('At')} AS moment, "
        f"CAST(NULL AS {whole}) AS lasted, {q('UserName')} AS who, {q('TargetKind')} AS kind, "
        f"{q('TargetId')} AS target, {q('Outcome')} AS outcome FROM {q(t.audit.name)} WHERE "
    )
    newest = f" ORDER BY {q('Id')} DESC LIMIT {EACH}"
    for kind in KINDS:
        yield f"{rows}{q('TargetKind')} = '{kind}' AND {q('TargetId')} = :target{newest}"
    yield f"{rows}{q('UserName')} = :target{newest}"


@statement
def traces(t: Tables, p: Product) -> str:
    """Runs and changes under a name."""
    return str(_traces(True, True)(t, p))

"""What the front page tells of sets: the causes of the latest failures, and the recurring jobs that are due next."""

from __future__ import annotations

from dataclasses import dataclass

from taskmanager.domain import times
from taskmanager.storage import failures, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_failures import CAP, FailureGroup, described
from taskmanager.storage.monitoring_sets import NextRun
from taskmanager.storage.recurring import HASH, SET
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Causes and runs that are told.
CAUSES, RUNS = 6, 8


@dataclass(frozen=True, slots=True)
class Front:
    """Causes of failures, that of the last one first, and the next runs in their order."""

    causes: list[FailureGroup]
    runs: list[NextRun]


@statement
def front_sets(t: Tables, p: Product) -> str:
    """The groups that failed last, and the recurring jobs that are due next."""
    key, score, row, value = p.quote("Key"), p.quote("Score"), p.quote("Id"), p.quote("Value")
    of = f"{value}, {score} FROM {p.quote(t.set.name)} WHERE {key} ="
    last = f"SELECT 'cause', {of} '{failures.GROUPS}' ORDER BY {score} DESC, {row} DESC LIMIT {CAUSES}"
    coming = f"SELECT 'run', {of} '{SET}' AND {score} >= 0 ORDER BY {score}, {row} LIMIT {RUNS}"
    return f"SELECT * FROM ({last}) a UNION ALL SELECT * FROM ({coming}) b"


@statement
def cause_sizes(t: Tables, p: Product) -> str:
    """How many failed jobs each of a few groups has, capped. The order keeps it to the index."""
    key, score = p.quote("Key"), p.quote("Score")
    kind = "CHAR(100)" if p.name in ("mysql", "mariadb") else "VARCHAR"
    parts = []
    for n in range(CAUSES):
        members = f"{p.quote(t.set.name)} WHERE {key} = :k{n}"
        parts.append(f"SELECT CAST(:k{n} AS {kind}), {p.count_up_to(CAP + 1, members, order=f'ORDER BY {score} DESC')}")
    return " UNION ALL ".join(parts)


def front(tx: Tx) -> Front:
    """Both, by three statements however many there are."""
    found = [(str(kind), str(value), float(score)) for kind, value, score in tx.execute(front_sets)]
    causes = [(value, score) for kind, value, score in found if kind == "cause"]
    runs = sorted(((value, score) for kind, value, score in found if kind == "run"), key=lambda one: one[1])
    about = structures.fields_of(tx, [failures.ABOUT + k for k, _ in causes] + [HASH + i for i, _ in runs])
    sizes: dict[str, tuple[int, ...]] = {}
    if causes:
        slots = {f"k{n}": failures.MEMBERS + causes[n][0] if n < len(causes) else "" for n in range(CAUSES)}
        sizes = {str(r[0]): (int(r[1]), 0, 0, 0) for r in tx.execute(cause_sizes, slots)}
    causes.sort(key=lambda one: -one[1])
    return Front(
        [group for group in described(causes, about, sizes) if group.count],
        [NextRun(i, times.from_unix(score), about.get(HASH + i, {}).get("Cron", "")) for i, score in runs],
    )

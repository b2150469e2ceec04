"""What runs of c_LoggedJob come to: of those that a filter finds, and of each name.

Counted by the database: thousands of rows are dearer to send than to sort. They are read as a page of them is, from the
newest on, up to a bound; beyond it they are of the newest so many. A percentile is the nearest rank: a duration that a
run really had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.storage import monitoring_logged
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_logged import NEVER, OLDER_ROWS, Run, WantedRuns
from taskmanager.storage.monitoring_logged_pages import Kind, branches
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Statistics beside a list are of so many of the newest runs; those that are asked for by themselves of so many.
MEASURED, MOST = 2_000, 100_000
#: Of each name in a list of names so many runs are counted, and so many results shown.
OF_NAME, RESULTS = 400, 20
#: So many names are summed up at once.
NAMES = 20


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """Of the newest runs: how many, how many succeeded, durations in milliseconds, and the last, oldest first.

    is_capped: there may be older ones that were not counted. floor: a search looked at none that began earlier.
    """

    runs: int
    succeeded: int
    p50_ms: int | None
    p95_ms: int | None
    last: tuple[Run, ...]
    avg_ms: int | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    is_capped: bool = False
    floor: datetime | None = None

    @property
    def rate(self) -> float | None:
        """How many of 100 succeeded."""
        return 100 * self.succeeded / self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class NameSummary:
    """The runs of a name in some days; `last` are its newest ones, whenever that was."""

    name: str
    statistics: RunStatistics


def statistics(tx: Tx, name: str, *, shown: int = 60, measured: int | None = None) -> RunStatistics:
    """What the newest runs of a name were like, and the last `shown` of them. measured: of how many."""
    return measure(tx, WantedRuns(name), shown=shown, most=measured)


def measure(tx: Tx, wanted: WantedRuns, *, shown: int = 60, most: int | None = None) -> RunStatistics:
    """What the newest runs that are wanted come to, and the last `shown` of them. most: so many are counted."""
    whose, many = monitoring_logged.shape(tx)[0], most or MEASURED
    if whose is not Shape.SPECIFICATION:
        found = monitoring_logged.older_page(tx, wanted, OLDER_ROWS).rows if whose is Shape.TARGCC else ()
        return _of_runs(found, shown, many)
    given, kind = monitoring_logged.given_for(tx, wanted), monitoring_logged.kind_of(wanted)
    floor = monitoring_logged.floor_of(tx, wanted, given, None) if wanted.is_searched else None
    if floor is not None:
        given["since"] = max(given["since"], floor)
    given |= {"edge_at": tx.bind_moment(NEVER), "edge_id": 1 << 62, "limit": min(many, shown)}
    since = None if floor is None else tx.clock.to_utc(as_moment(floor))
    runs = [_run(tx, r) for r in tx.execute(_newest(kind), given)]
    if len(runs) < shown or many <= shown:
        return _of_runs(runs, shown, many, since)
    return _counted(tx.execute(_measuring(kind), given | {"limit": many}).all()[0], runs[::-1], many, since)


def by_name(
    tx: Tx, names: Sequence[str], since: datetime | None = None, until: datetime | None = None
) -> list[NameSummary]:  # fmt: skip
    """The runs of each of at most 20 names between two moments (UTC), and their newest ones."""
    whose, asked = monitoring_logged.shape(tx)[0], list(names[:NAMES])
    if not asked or whose is not Shape.SPECIFICATION:
        return [NameSummary(name, measure(tx, WantedRuns(name, None, since, until), shown=RESULTS)) for name in asked]
    given = monitoring_logged.given_for(tx, WantedRuns(None, None, since, until))
    given |= {f"name{n}": name for n, name in enumerate(asked)}
    last: dict[int, list[Run]] = {n: [] for n in range(len(asked))}
    for place, *row in tx.execute(_last_of(len(asked)), given | {"limit": RESULTS}):
        last[int(place)].append(_run(tx, row))
    for runs in last.values():
        runs.sort(key=lambda run: (run.started, run.id))
    found = {int(place): row for place, *row in tx.execute(_summing(len(asked)), given | {"limit": OF_NAME})}
    return [NameSummary(name, _counted(found[n], last[n], OF_NAME)) for n, name in enumerate(asked)]


@statement
def logged_newest(t: Tables, p: Product) -> str:
    """The newest runs of a name."""
    return str(_newest((True, None, False, False, False))(t, p))


@statement
def logged_measures(t: Tables, p: Product) -> str:
    """What the newest runs of everything come to."""
    return str(_measuring((False, None, False, False, False))(t, p))


@statement
def logged_sums(t: Tables, p: Product) -> str:
    """What the runs of two names come to."""
    return str(_summing(2)(t, p))


@statement
def logged_last(t: Tables, p: Product) -> str:
    """The newest runs of two names."""
    return str(_last_of(2)(t, p))


_SHOWN = ("JobName", "JobId", "DurationMs", "Success")


@lru_cache(maxsize=64)
def _newest(kind: Kind) -> Builder:
    def build(t: Tables, p: Product) -> str:
        return (
            f"SELECT ID, StartedAt, {', '.join(_SHOWN)} FROM ({branches(t, p, kind, False, _SHOWN)}) u "
            f"ORDER BY StartedAt DESC, ID DESC LIMIT :limit"
        )

    return build


@lru_cache(maxsize=64)
def _measuring(kind: Kind) -> Builder:
    """How many, how many succeeded, durations that a half and 95 % do not exceed, their mean, least and longest."""

    def build(t: Tables, p: Product) -> str:
        rows = branches(t, p, kind, False, ("DurationMs", "Success"))
        return _sums(f"SELECT DurationMs, Success FROM ({rows}) u ORDER BY StartedAt DESC, ID DESC LIMIT :limit")

    return build


@lru_cache(maxsize=32)
def _summing(count: int) -> Builder:
    """The same of each of some names, in their days."""

    def build(t: Tables, p: Product) -> str:
        return " UNION ALL ".join(
            _sums(_of_name(t, p, n, "DurationMs, Success", " AND {at} >= :since AND {at} < :until"), f"{n} AS place, ")
            for n in range(count)
        )

    return build


@lru_cache(maxsize=32)
def _last_of(count: int) -> Builder:
    def build(t: Tables, p: Product) -> str:
        columns = "ID, StartedAt, " + ", ".join(_SHOWN)
        parts = (f"SELECT {n} AS place, {columns} FROM ({_of_name(t, p, n, columns)}) n{n}" for n in range(count))
        return " UNION ALL ".join(parts)

    return build


def _of_name(t: Tables, p: Product, n: int, columns: str, period: str = "") -> str:
    """The newest runs of one of several names."""
    q = p.quote
    where, order = p.is_one(q("JobName"), f":name{n}")
    shown = ", ".join(f"{q(c)} AS {c}" for c in columns.split(", "))
    by = ", ".join(f"{column} DESC" for column in (*order, q("StartedAt"), q("ID")))
    return (
        f"SELECT {shown} FROM {q(t.legacy.logged.name)} WHERE {where}{period.format(at=q('StartedAt'))} "
        f"ORDER BY {by} LIMIT :limit"
    )


def _sums(rows: str, begin: str = "") -> str:
    """One row of what these rows (DurationMs, Success) come to."""
    order = "ORDER BY CASE WHEN DurationMs IS NULL THEN 1 ELSE 0 END, DurationMs"
    ranked = (
        f"SELECT DurationMs AS took, CASE WHEN Success <> 0 THEN 1 ELSE 0 END AS good, "
        f"ROW_NUMBER() OVER ({order}) AS place, COUNT(DurationMs) OVER () AS timed FROM ({rows}) n"
    )
    ranks = ", ".join(f"MIN(CASE WHEN place * 100 >= {share} * timed THEN took END)" for share in (50, 95))
    return f"SELECT {begin}COUNT(*), SUM(good), {ranks}, AVG(took), MIN(took), MAX(took) FROM ({ranked}) r"


def _counted(row: Sequence[Any], last: Sequence[Run], most: int, floor: datetime | None = None) -> RunStatistics:
    """What the database counted. last: oldest first."""
    number, good, *took = (None if value is None else round(float(value)) for value in row)
    p50, p95, mean, least, longest = took
    runs = number or 0
    return RunStatistics(runs, good or 0, p50, p95, tuple(last), mean, least, longest, runs >= most, floor)


def _of_runs(runs: Sequence[Run], shown: int, most: int, floor: datetime | None = None) -> RunStatistics:
    """Of a few runs that are at hand, newest first."""
    took = sorted(run.duration_ms for run in runs if run.duration_ms is not None)
    p50, p95 = _percentile(took, 50), _percentile(took, 95)
    mean, least, longest = (round(sum(took) / len(took)), took[0], took[-1]) if took else (None, None, None)
    good, last, is_capped = sum(run.succeeded for run in runs), tuple(runs[:shown][::-1]), len(runs) >= most
    return RunStatistics(len(runs), good, p50, p95, last, mean, least, longest, is_capped, floor)


def _run(tx: Tx, r: Sequence[Any]) -> Run:
    number, started, name, job_id, took, success = r
    at = tx.clock.to_utc(as_moment(started))
    return Run(int(number), str(name), job_id, "", at, took, bool(success), None, None, "")


def _percentile(ordered: Sequence[int], share: int) -> int | None:
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None

"""What runs of c_LoggedJob come to: of those that a filter finds, and of each name.

Counted by the database, each duration with how many had it: thousands of rows are dearer to send than to group. A few
thousand of the newest are read, and from the time that took follows of how many the figures are; they tell it. A
percentile is the nearest rank: a duration that a run really had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.storage import monitoring_logged, windows
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.monitoring_logged import NEVER, OLDER_ROWS, Run, WantedRuns
from taskmanager.storage.monitoring_logged_pages import Kind, branches
from taskmanager.storage.monitoring_logged_searches import ANY_ID, FIRST_OF_NAME, Window, most_of, rows_of, window
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Statistics beside a list are of so many of the newest runs; those that are asked for by themselves of so many.
MEASURED, MOST = 1_000, 100_000
#: So many are read first where more are asked for; of one name as many as a search looks at first.
FIRST = 5_000
#: Seconds that reading them may take: these are no search, and their page is to be told within 80 ms.
BUDGET = 0.05
#: Of each name in a list of names so many runs are counted, and so many results shown.
OF_NAME, RESULTS = 100, 20
#: So many names are summed up at once.
NAMES = 20


@dataclass(frozen=True, slots=True)
class RunStatistics:
    """Of the newest runs: how many, how many succeeded, durations in milliseconds, and the last, oldest first.

    is_capped: there may be older ones that were not counted. floor: none that began earlier was looked at, but for
    `looked` runs at least.
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
    looked: int | None = None

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
    """What the newest runs that are wanted come to, and the last `shown` of them.

    most: so many runs are looked at, where there is time; the last ones of a search are among the first it looks at.
    """
    whose, many = monitoring_logged.shape(tx)[0], most or MEASURED
    if whose is not Shape.SPECIFICATION:
        found = monitoring_logged.older_page(tx, wanted, OLDER_ROWS).rows if whose is Shape.TARGCC else ()
        return _of_runs(found, shown, many)
    given, kind = monitoring_logged.given_for(tx, wanted), monitoring_logged.kind_of(wanted)
    given |= {"edge_at": tx.bind_moment(NEVER), "edge_id": ANY_ID, "limit": min(many, shown)}
    runs: list[Run] = []
    if not wanted.is_searched:
        runs = [_run(tx, r) for r in tx.execute(_newest(kind, False), given)]
        if len(runs) < shown or many <= shown:
            return _of_runs(runs, shown, many)
    began, size = windows.clock(), min(many, FIRST_OF_NAME if wanted.name is not None else FIRST)
    inside, row = _figures_of(tx, kind, given, size)
    if wanted.is_searched and row[0] and shown:
        runs = [_run(tx, r) for r in tx.execute(_newest(kind, inside.lies), inside.given)]
    if inside.bound is not None:
        # The percentiles of two windows are not those of both: the second one begins at the newest run again.
        again = windows.further(size, windows.clock() - began, most_of(tx, kind, many) + size, BUDGET)
        if again > size:
            size, (inside, row) = again, _figures_of(tx, kind, given, again)
    floor = None if inside.bound is None else tx.clock.to_utc(as_moment(inside.bound))
    return _counted(row, runs[::-1], floor, size)


def _figures_of(tx: Tx, kind: Kind, given: dict[str, Any], size: int) -> tuple[Window, Sequence[Any]]:
    inside = window(tx, kind, given, size)
    return inside, tx.execute(_measuring(kind, inside.lies), inside.given).all()[0]


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
    return [NameSummary(name, _capped(found.get(n), last[n])) for n, name in enumerate(asked)]


@statement
def logged_newest(t: Tables, p: Product) -> str:
    """The newest runs of a name."""
    return str(_newest((True, None, False, False, False), False)(t, p))


@statement
def logged_measures(t: Tables, p: Product) -> str:
    """What the newest runs of everything come to, by the index of their start."""
    return str(_measuring((False, None, False, False, False), False)(t, p))


@statement
def logged_measures_as_they_lie(t: Tables, p: Product) -> str:
    """What the newest failures come to, in the order in which they lie."""
    return str(_measuring((False, False, False, False, False), True)(t, p))


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
def _newest(kind: Kind, lies: bool) -> Builder:
    def build(t: Tables, p: Product) -> str:
        columns = ", ".join(f"{p.quote(c)} AS {c}" for c in ("ID", "StartedAt", *_SHOWN))
        if lies:
            rows = " UNION ALL ".join(f"SELECT {columns} {part}" for part in rows_of(t, p, kind, lies))
        else:
            rows = branches(t, p, kind, False, _SHOWN)
        return (
            f"SELECT ID, StartedAt, {', '.join(_SHOWN)} FROM ({rows}) u ORDER BY StartedAt DESC, ID DESC LIMIT :limit"
        )

    return build


@lru_cache(maxsize=64)
def _measuring(kind: Kind, lies: bool) -> Builder:
    """How many, how many succeeded, durations that a half and 95 % do not exceed, their mean, least and longest."""

    def build(t: Tables, p: Product) -> str:
        took, success = p.quote("DurationMs"), p.quote("Success")
        parts = [
            f"SELECT {took} AS took, COUNT(*) AS runs, SUM(CASE WHEN {success} <> 0 THEN 1 ELSE 0 END) AS good "
            f"{part} GROUP BY {took}"
            for part in rows_of(t, p, kind, lies)
        ]
        if len(parts) == 1:
            return _figures(parts[0])
        every = " UNION ALL ".join(parts)
        return _figures(f"SELECT took, SUM(runs) AS runs, SUM(good) AS good FROM ({every}) p GROUP BY took")

    return build


@lru_cache(maxsize=32)
def _summing(count: int) -> Builder:
    """The same of each of some names, in their days."""

    def build(t: Tables, p: Product) -> str:
        period = " AND {at} >= :since AND {at} < :until"
        rows = " UNION ALL ".join(
            f"SELECT {n} AS place, DurationMs, Success FROM ({_of_name(t, p, n, 'DurationMs, Success', period)}) n{n}"
            for n in range(count)
        )
        good = "SUM(CASE WHEN Success <> 0 THEN 1 ELSE 0 END)"
        return _figures(
            f"SELECT place, DurationMs AS took, COUNT(*) AS runs, {good} AS good FROM ({rows}) u "
            f"GROUP BY place, DurationMs",
            "place, ",
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


def _figures(groups: str, by: str = "") -> str:
    """What groups of runs come to: of each duration (took) how many had it (runs) and how many succeeded (good).

    by: the column that parts them, and a comma; a row is told of each.
    """
    within = f"PARTITION BY {by[:-2]} " if by else ""
    known = "CASE WHEN took IS NULL THEN 0 ELSE runs END"
    ranked = (
        f"SELECT {by}took, runs, good, SUM({known}) OVER ({within}ORDER BY took) AS up_to, "
        f"SUM({known}) OVER ({within.strip()}) AS timed FROM ({groups}) g"
    )
    ranks = ", ".join(f"MIN(CASE WHEN up_to * 100 >= {share} * timed THEN took END)" for share in (50, 95))
    mean = "SUM(took * runs) * 1.0 / NULLIF(MAX(timed), 0)"
    told = f"SELECT {by}SUM(runs), SUM(good), {ranks}, {mean}, MIN(took), MAX(took) FROM ({ranked}) r"
    return f"{told} GROUP BY {by[:-2]}" if by else told


def _counted(
    row: Sequence[Any], last: Sequence[Run], floor: datetime | None = None, looked: int | None = None
) -> RunStatistics:
    """What the database counted. last: oldest first."""
    number, good, *took = (None if value is None else round(float(value)) for value in row)
    p50, p95, mean, least, longest = took
    is_capped = floor is not None
    return RunStatistics(
        number or 0, good or 0, p50, p95, tuple(last), mean, least, longest, is_capped, floor,
        looked if is_capped else None,
    )  # fmt: skip


def _capped(row: Sequence[Any] | None, last: Sequence[Run]) -> RunStatistics:
    """The same of a name, of which no more than so many were read."""
    found = _counted(row or (0, 0, *[None] * 5), last)
    return replace(found, is_capped=found.runs >= OF_NAME)


def _of_runs(runs: Sequence[Run], shown: int, most: int) -> RunStatistics:
    """Of a few runs that are at hand, newest first."""
    took = sorted(run.duration_ms for run in runs if run.duration_ms is not None)
    p50, p95 = _percentile(took, 50), _percentile(took, 95)
    mean, least, longest = (round(sum(took) / len(took)), took[0], took[-1]) if took else (None, None, None)
    good, last, is_capped = sum(run.succeeded for run in runs), tuple(runs[:shown][::-1]), len(runs) >= most
    return RunStatistics(len(runs), good, p50, p95, last, mean, least, longest, is_capped)


def _run(tx: Tx, r: Sequence[Any]) -> Run:
    number, started, name, job_id, took, success = r
    at = tx.clock.to_utc(as_moment(started))
    return Run(int(number), str(name), job_id, "", at, took, bool(success), None, None, "")


def _percentile(ordered: Sequence[int], share: int) -> int | None:
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None

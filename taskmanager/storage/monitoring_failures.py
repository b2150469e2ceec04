"""Groups of failed jobs as people look at them: newest first, capped counts, never a look at the jobs themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.domain import times
from taskmanager.domain.texts import wholes
from taskmanager.storage import failures, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.monitoring_sets import Place
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Groups on a page, and where counting ends in each of them.
AT_ONCE, CAP = 25, 1_000
#: Spans of time that are told apart.
_WINDOWS = {"hour": timedelta(hours=1), "today": timedelta(hours=24), "week": timedelta(days=7)}
_FACTS = ("Job", "Exception", "Message", "Frame", "Sample")


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """A kind of failure. `count`, `hour`, `today`, `week`: Failed jobs of it, all and of that time, of the newest CAP
    and one.
    """

    key: str
    job: str
    exception: str
    message: str
    frame: str
    sample: str
    first: datetime | None
    last: datetime
    count: int = 0
    today: int = 0
    hour: int = 0
    week: int = 0


@statement
def group_sizes(t: Tables, p: Product) -> str:
    """How many failed jobs some groups have, all and since some moments, of the newest of each. By the index alone."""
    key, score = p.quote("Key"), p.quote("Score")
    kind = "CHAR(100)" if p.name in ("mysql", "mariadb") else "VARCHAR"
    since = ", ".join(f"SUM(CASE WHEN {score} >= :{one} THEN 1 ELSE 0 END)" for one in _WINDOWS)
    parts = []
    for n in range(AT_ONCE):
        newest = f"SELECT {score} FROM {p.quote(t.set.name)} WHERE {key} = :k{n} ORDER BY {score} DESC LIMIT {CAP + 1}"
        parts.append(f"SELECT CAST(:k{n} AS {kind}), COUNT(*), {since} FROM ({newest}) g{n}")
    return " UNION ALL ".join(parts)


def groups(
    tx: Tx, after: Place | None = None, *, within: timedelta | None = None
) -> tuple[list[FailureGroup], Place | None]:
    """A page of groups that have failed jobs, and where the next one begins. within: failed so lately."""
    place = after or Place(1e300, 1 << 62)
    given = {"key": failures.GROUPS, "score": place.score, "row": place.row, "limit": AT_ONCE + 1}
    found = [(int(r[0]), str(r[1]), float(r[2])) for r in tx.execute(failures.newest_failures, given)]
    if within is not None:
        since = times.to_unix(tx.now() - within)
        found = [one for one in found if one[2] >= since]
    some = found[:AT_ONCE]
    seen = _described(tx, [(key, score) for _, key, score in some])
    following = Place(some[-1][2], some[-1][0]) if len(found) > AT_ONCE else None
    return [group for group in seen if group.count], following


def group(tx: Tx, key: str) -> FailureGroup | None:
    """One group; None when there never was one."""
    about = structures.fields(tx, failures.ABOUT + key)
    if not about:
        return None
    given = {"key": failures.MEMBERS + key, "score": 1e300, "row": 1 << 62, "limit": 1}
    newest = tx.execute(failures.newest_failures, given).first()
    first = times.parse(about.get("FirstSeen") or 0) or tx.now()
    return _described(tx, [(key, float(newest[2]) if newest else times.to_unix(first))])[0]


def jobs_of(tx: Tx, key: str, *, limit: int, after: Place | None = None) -> tuple[list[Row], Place | None]:
    """A page of the failed jobs of a group, those that failed last first."""
    place = after or Place(1e300, 1 << 62)
    given = {"key": failures.MEMBERS + key, "score": place.score, "row": place.row, "limit": limit + 1}
    found = [(int(r[0]), str(r[1]), float(r[2])) for r in tx.execute(failures.newest_failures, given)]
    shown = found[:limit]
    rows = rows_of(tx, wholes(value for _, value, _ in shown))
    following = Place(shown[-1][2], shown[-1][0]) if len(found) > limit else None
    return [row for row in rows if row.state == "Failed"], following


def _described(tx: Tx, scores: list[tuple[str, float]]) -> list[FailureGroup]:
    if not scores:
        return []
    about = structures.fields_of(tx, [failures.ABOUT + key for key, _ in scores])
    slots = {f"k{n}": failures.MEMBERS + scores[n][0] if n < len(scores) else "" for n in range(AT_ONCE)}
    now = tx.now()
    since = {name: times.to_unix(now - span) for name, span in _WINDOWS.items()}
    sizes = {str(r[0]): tuple(int(n or 0) for n in r[1:]) for r in tx.execute(group_sizes, slots | since)}
    return described(scores, about, sizes)


def described(
    scores: Sequence[tuple[str, float]], about: Mapping[str, Mapping[str, str]], sizes: Mapping[str, tuple[int, ...]]
) -> list[FailureGroup]:
    """Groups by key and moment of their last failure, with what their hashes say and how many jobs they have."""
    found = []
    for key, score in scores:
        facts = about.get(failures.ABOUT + key, {})
        count, hour, today, week = sizes.get(failures.MEMBERS + key, (0, 0, 0, 0))
        job, exception, message, frame, sample = (facts.get(name, "") for name in _FACTS)
        first = times.parse(facts["FirstSeen"]) if facts.get("FirstSeen") else None
        last = times.from_unix(score)
        found.append(FailureGroup(key, job, exception, message, frame, sample, first, last, count, today, hour, week))
    return found

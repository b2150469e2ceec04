"""Groups of failed jobs as people look at them: newest first, capped counts, never a look at the jobs themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from taskmanager.domain import times
from taskmanager.domain.texts import wholes
from taskmanager.storage import failures, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.monitoring_sets import Place
from taskmanager.storage.servers import DEPLOYS
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: Groups on a page, where counting ends in each of them, and groups that are looked at for what no index serves: a page
#: reads some 10,000 index rows at most.
AT_ONCE, CAP, LOOKED = 20, 400, 300
#: Spans of time that are told apart; the hours of the last day are, too.
_DAY, _WEEK, _HOURS = timedelta(hours=24), timedelta(days=7), 24
_FACTS = ("Job", "Exception", "Message", "Frame", "Sample")
#: Where failures of the week, and older ones, are counted, besides the hours of the day.
_THIS_WEEK, _BEFORE = -1, -2


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """A kind of failure. `count`, `hour`, `today`, `week`: Failed jobs of it, all and of that time, of the newest CAP
    and one. hours: those of each of the last 24 hours, the oldest first.
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
    hours: tuple[int, ...] = ()


@statement
def group_sizes(t: Tables, p: Product) -> str:
    """How many failed jobs some groups have, by the hour of the last day, of the week and before it, of the newest of
    each. By the index alone.
    """
    key, score = p.quote("Key"), p.quote("Score")
    kind = "CHAR(100)" if p.name in ("mysql", "mariadb") else "VARCHAR"
    since = f"({score} - :day) / 3600"
    hour = f"CAST({since} AS INTEGER)" if p.name == "sqlite" else f"FLOOR({since})"
    part = f"CASE WHEN {score} >= :day THEN {hour} WHEN {score} >= :week THEN {_THIS_WEEK} ELSE {_BEFORE} END"
    parts = []
    for n in range(AT_ONCE):
        newest = f"SELECT {score} FROM {p.quote(t.set.name)} WHERE {key} = :k{n} ORDER BY {score} DESC LIMIT {CAP + 1}"
        told = f"SELECT {part} AS part FROM ({newest}) g{n}"
        parts.append(f"SELECT CAST(:k{n} AS {kind}), part, COUNT(*) FROM ({told}) h{n} GROUP BY part")
    return " UNION ALL ".join(parts)


def groups(
    tx: Tx, after: Place | None = None, *, within: timedelta | None = None,
    chosen: Callable[[FailureGroup], bool] | None = None,
) -> tuple[list[FailureGroup], Place | None]:  # fmt: skip
    """A page of groups that have failed jobs, and where the next one begins. within: failed so lately.

    chosen: of those which of their facts are shown; LOOKED are looked at for it, so that a page may have few, and be
    followed by another.
    """
    most = AT_ONCE if chosen is None else LOOKED
    place = after or Place(1e300, 1 << 62)
    given = {"key": failures.GROUPS, "score": place.score, "row": place.row, "limit": most + 1}
    found = [(int(r[0]), str(r[1]), float(r[2])) for r in tx.execute(failures.newest_failures, given)]
    if within is not None:
        since = times.to_unix(tx.now() - within)
        found = [one for one in found if one[2] >= since]
    some = found[:most]
    about = structures.fields_of(tx, [failures.ABOUT + key for _, key, _ in some]) if some else {}
    if chosen is not None:
        told = described([(key, score) for _, key, score in some], about, {})
        wanted = [one for one, group in zip(some, told, strict=True) if chosen(group)]
        some = wanted[:AT_ONCE] if len(wanted) > AT_ONCE else some
        shown = [(key, score) for _, key, score in wanted[:AT_ONCE]]
        following = Place(some[-1][2], some[-1][0]) if len(wanted) > AT_ONCE or len(found) > most else None
    else:
        shown = [(key, score) for _, key, score in some]
        following = Place(some[-1][2], some[-1][0]) if len(found) > most else None
    return [group for group in _counted(tx, shown, about) if group.count], following


def newest_deploy(tx: Tx) -> tuple[str, datetime] | None:
    """The version of the application that was seen first most lately, and when; None before a worker told of any."""
    given = {"key": DEPLOYS, "score": 1e300, "row": 1 << 62, "limit": 1}
    row = tx.execute(failures.newest_failures, given).first()
    return None if row is None else (str(row[1]), times.from_unix(float(row[2])))


def group(tx: Tx, key: str) -> FailureGroup | None:
    """One group; None when there never was one."""
    about = structures.fields(tx, failures.ABOUT + key)
    if not about:
        return None
    given = {"key": failures.MEMBERS + key, "score": 1e300, "row": 1 << 62, "limit": 1}
    newest = tx.execute(failures.newest_failures, given).first()
    first = times.parse(about.get("FirstSeen") or 0) or tx.now()
    scores = [(key, float(newest[2]) if newest else times.to_unix(first))]
    return _counted(tx, scores, {failures.ABOUT + key: about})[0]


def jobs_of(tx: Tx, key: str, *, limit: int, after: Place | None = None) -> tuple[list[Row], Place | None]:
    """A page of the failed jobs of a group, those that failed last first."""
    place = after or Place(1e300, 1 << 62)
    given = {"key": failures.MEMBERS + key, "score": place.score, "row": place.row, "limit": limit + 1}
    found = [(int(r[0]), str(r[1]), float(r[2])) for r in tx.execute(failures.newest_failures, given)]
    shown = found[:limit]
    rows = rows_of(tx, wholes(value for _, value, _ in shown))
    following = Place(shown[-1][2], shown[-1][0]) if len(found) > limit else None
    return [row for row in rows if row.state == "Failed"], following


def _counted(
    tx: Tx, scores: list[tuple[str, float]], about: Mapping[str, Mapping[str, str]]
) -> list[FailureGroup]:  # fmt: skip
    """Groups by key and moment, with what their hashes say, and how many jobs they have."""
    if not scores:
        return []
    slots = {f"k{n}": failures.MEMBERS + scores[n][0] if n < len(scores) else "" for n in range(AT_ONCE)}
    now = tx.now()
    since = {"day": times.to_unix(now - _DAY), "week": times.to_unix(now - _WEEK)}
    parts: dict[str, dict[int, int]] = defaultdict(dict)
    for key, part, count in tx.execute(group_sizes, slots | since):
        parts[str(key)][int(part)] = int(count)
    return described(scores, about, {key: _sizes(found) for key, found in parts.items()})


def _sizes(parts: Mapping[int, int]) -> tuple[int, ...]:
    """All, of the last hour, day and week, then each of the last 24 hours; a moment ahead is of the last hour."""
    ahead = sum(count for part, count in parts.items() if part >= _HOURS)
    hours = [parts.get(part, 0) for part in range(_HOURS)]
    hours[-1] += ahead
    today = sum(hours)
    week = today + parts.get(_THIS_WEEK, 0)
    return (week + parts.get(_BEFORE, 0), hours[-1], today, week, *hours)


def described(
    scores: Sequence[tuple[str, float]], about: Mapping[str, Mapping[str, str]], sizes: Mapping[str, tuple[int, ...]]
) -> list[FailureGroup]:
    """Groups by key and moment of their last failure, with what their hashes say and how many jobs they have."""
    found = []
    for key, score in scores:
        facts = about.get(failures.ABOUT + key, {})
        count, hour, today, week, *hours = sizes.get(failures.MEMBERS + key, (0, 0, 0, 0))
        job, exception, message, frame, sample = (facts.get(name, "") for name in _FACTS)
        first = times.parse(facts["FirstSeen"]) if facts.get("FirstSeen") else None
        found.append(
            FailureGroup(
                key, job, exception, message, frame, sample, first, times.from_unix(score), count, today, hour, week,
                tuple(hours),
            )
        )  # fmt: skip
    return found

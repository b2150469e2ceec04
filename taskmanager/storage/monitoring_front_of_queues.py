"""What the front page of a dashboard of some queues tells: small things of many tables, by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.records import ServerRecord
from taskmanager.domain.rollups import DAY, HOUR, MINUTE, QUEUE, moments
from taskmanager.storage import monitoring_narrowed as narrowed
from taskmanager.storage import servers
from taskmanager.storage.dialects import Product
from taskmanager.storage.monitoring_lists import Row, rows_of
from taskmanager.storage.monitoring_overview import MARKS, Mark
from taskmanager.storage.monitoring_sets import NextRun
from taskmanager.storage.monitoring_trends import Trend
from taskmanager.storage.recurring import HASH, SET
from taskmanager.storage.statements import Builder, statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: Failed jobs and coming runs that are told.
FAILED, RUNS = 6, 8
#: Buckets of a chart, and what each spans.
PERIODS = {"hour": (MINUTE, 60), "day": (HOUR, 24), "week": (DAY, 7), "month": (DAY, 30)}


@dataclass(frozen=True, slots=True)
class FrontOfQueues:
    """day: runs of the last 24 hours; trend: of the period. servers: those that take jobs of these queues."""

    day: Trend
    trend: Trend
    servers: list[ServerRecord]
    marks: list[Mark]
    runs: list[NextRun]
    failed: list[Row]


@statement
def front_of_queues(t: Tables, p: Product) -> str:
    """Of two queues."""
    return str(_front(2)(t, p))


@statement
def trend_of_queues(t: Tables, p: Product) -> str:
    """Runs of two queues by bucket."""
    return str(_trend(2)(t, p))


def front(tx: Tx, queues: Sequence[str], period: str) -> FrontOfQueues:
    """All of it, by three statements."""
    now = tx.now()
    span, count = PERIODS[period]
    shown, hours = moments(now, span, count), moments(now, HOUR, 24)
    given = narrowed.bound(queues) | {
        "span": span, "since": tx.bind_moment(shown[0]), "day": tx.bind_moment(hours[0]),
        "marked": times.to_unix(shown[0]),
    }  # fmt: skip
    found: dict[str, list[tuple[str, str, str]]] = {}
    for what, name, at, rest in tx.execute(_front(len(queues)), given):
        found.setdefault(_text(what), []).append((_text(name), _text(at), _text(rest)))
    of_day = _buckets((at, rest) for _, at, rest in found.get("day", ()))
    of_period = _buckets((at, rest) for _, at, rest in found.get("period", ()))
    known = [servers.record(name, rest, at or None) for name, at, rest in sorted(found.get("server", ()))]
    return FrontOfQueues(
        _drawn(hours, of_day), _drawn(shown, of_period),
        [one for one in known if set(one.queues) & set(queues)],
        [Mark(times.from_unix(float(at)), "deploy", name) for name, at, _ in found.get("deploy", ())][::-1],
        sorted((NextRun(n, times.from_unix(float(at)), cron) for n, at, cron in found.get("run", ())),
               key=lambda one: one.at),
        rows_of(tx, sorted((int(name) for name, _, _ in found.get("failed", ())), reverse=True)),
    )  # fmt: skip


def trend(tx: Tx, queues: Sequence[str], period: str) -> Trend:
    """Runs of these queues in each bucket of a period; one that is tried again is a failed one."""
    span, count = PERIODS[period]
    shown = moments(tx.now(), span, count)
    given = narrowed.bound(queues) | {"span": span, "since": tx.bind_moment(shown[0])}
    rows = tx.execute(_trend(len(queues)), given)
    return _drawn(shown, _buckets((_text(at), _text(rest)) for _, _, at, rest in rows))


@lru_cache(maxsize=8)
def _trend(size: int) -> Builder:
    def build(t: Tables, p: Product) -> str:
        return _runs(t, p, size, "period", ":span", ":since")

    return build


@lru_cache(maxsize=8)
def _front(size: int) -> Builder:
    """Rows of four texts: what it is of, a name, a moment or number, and the rest."""

    def build(t: Tables, p: Product) -> str:
        q, text = p.quote, _text_type(p)
        value, score = q("Value"), q("Score")
        parts = [
            f"SELECT 'server', {q('Id')}, CAST({q('LastHeartbeat')} AS {text}), {q('Data')} FROM {q(t.server.name)}",
            _runs(t, p, size, "day", str(HOUR), ":day"),
            _runs(t, p, size, "period", ":span", ":since"),
            f"SELECT 'deploy', {value}, CAST({score} AS {text}), '' FROM {q(t.set.name)} WHERE {q('Key')} = "
            f"'{servers.DEPLOYS}' AND {score} >= :marked ORDER BY {score} DESC LIMIT {MARKS}",
            _coming(t, p, size),
            _failed(t, p, size),
        ]
        return " UNION ALL ".join(p.bounded(part, number) for number, part in enumerate(parts))

    return build


def _runs(t: Tables, p: Product, size: int, what: str, span: str, since: str) -> str:
    """Sums over the queues, by the primary key."""
    q, text, bucket = p.quote, _text_type(p), p.quote("Bucket")
    sums = p.concat(f"SUM({q('Count')})", "','", f"SUM({q('Failed')})")
    return (
        f"SELECT '{what}', '', CAST({bucket} AS {text}), {sums} FROM {q(t.rollup.name)} WHERE {q('Span')} = {span} "
        f"AND {q('Kind')} = '{QUEUE}' AND {q('Key')} IN ({narrowed.listed(size)}) AND {bucket} >= {since} "
        f"GROUP BY {bucket}"
    )


def _coming(t: Tables, p: Product, size: int) -> str:
    """The recurring jobs of these queues that are due next, among so many that are due before all others."""
    q, text, value, score = p.quote, _text_type(p), p.quote("Value"), p.quote("Score")
    key = p.concat(f"'{HASH}'", "s.id")
    first = (
        f"SELECT {value} AS id, {score} AS at FROM {q(t.set.name)} WHERE {q('Key')} = '{SET}' AND {score} >= 0 "
        f"ORDER BY {score} LIMIT {narrowed.LOOKED}"
    )
    ours = (
        f"SELECT s.id, s.at FROM ({first}) s LEFT JOIN {q(t.hash.name)} h ON h.{q('Key')} = {key} "
        f"AND h.{q('Field')} = 'Queue' WHERE {narrowed.queue_of_hash(p, 'h')} IN ({narrowed.listed(size)}) "
        f"ORDER BY s.at LIMIT {RUNS}"
    )
    return (
        f"SELECT 'run', s.id, CAST(s.at AS {text}), c.{value} FROM ({ours}) s "
        f"LEFT JOIN {q(t.hash.name)} c ON c.{q('Key')} = {key} AND c.{q('Field')} = 'Cron'"
    )


def _failed(t: Tables, p: Product, size: int) -> str:
    newest = narrowed.newest_in_state(t, p, "Failed", narrowed.LOOKED)
    return (
        f"SELECT 'failed', CAST(f.id AS {_text_type(p)}), '', '' FROM {newest} f "
        f"WHERE f.queue IN ({narrowed.listed(size)}) ORDER BY f.id DESC LIMIT {FAILED}"
    )


def _buckets(rows: Any) -> dict[datetime, tuple[int, int]]:
    """Runs and failed ones by bucket."""
    found = {}
    for at, rest in rows:
        count, failed = (int(float(part)) for part in rest.split(","))
        found[as_moment(at)] = (count, failed)
    return found


def _drawn(shown: tuple[datetime, ...], found: dict[datetime, tuple[int, int]]) -> Trend:
    pairs = [found.get(at, (0, 0)) for at in shown]
    return Trend(
        shown, {"succeeded": tuple(n - bad for n, bad in pairs), "failed": tuple(bad for _, bad in pairs)}
    )  # fmt: skip


def _text_type(p: Product) -> str:
    return "CHAR" if p.name in ("mysql", "mariadb") else "VARCHAR"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)

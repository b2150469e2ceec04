"""What the front page tells of servers, of the slowest types, of the last hour by the minute, of deploys, alerts and
running operations: small things of many tables, by one statement."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.records import ServerRecord
from taskmanager.domain.rollups import ALL, HOUR, MINUTE, STEPS, TYPE, Figures, floor
from taskmanager.domain.texts import whole
from taskmanager.storage import servers
from taskmanager.storage.alert_limits import MESSAGES
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: The types that took most time are looked at, and so many of them told; marks and operations, the newest of each.
TYPES, SLOWEST, MARKS, OPERATIONS = 100, 8, 20, 10
#: The set of bulk operations, and the parameter that tells where one stands.
BULK, STATE = "bulk-operations", "Operation"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment (naive UTC) beside the charts. kind: deploy or alert; name: a version, or the job that sent it."""

    at: datetime
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Facts:
    """minutes: runs and failed ones by the minute; types: the slowest first, by p95; operations: job and state."""

    servers: list[ServerRecord]
    types: list[tuple[str, Figures]]
    minutes: dict[datetime, tuple[int, int]]
    marks: list[Mark]
    operations: list[tuple[int, dict[str, Any]]]


@statement
def overview_facts(t: Tables, p: Product) -> str:
    """Rows of four texts: what it is of, a name, a moment or number, and the rest."""
    text, number_type = ("CHAR", "SIGNED") if p.name in ("mysql", "mariadb") else ("VARCHAR", "BIGINT")
    q, key, value, score = p.quote, p.quote("Key"), p.quote("Value"), p.quote("Score")
    rollup, members = q(t.rollup.name), q(t.set.name)
    sums = [f"SUM({q(c)})" for c in ("Count", "Failed", "DurationMs", *(f"D{step}" for step in range(STEPS)))]
    figures = p.concat(*_between([*sums, f"MAX({q('LongestMs')})"]))
    minute = p.concat(*_between([q("Count"), q("Failed")]))
    member = f"o.{value}"
    if p.name == "postgresql":  # it takes no text for a number that is none
        member = f"CASE WHEN {member} ~ '^[0-9]{{1,18}}$' THEN {member} END"
    operation = (
        f"SELECT 'operation', o.{value}, '', s.{value} FROM (SELECT {value}, {score} FROM {members} "
        f"WHERE {key} = '{BULK}' ORDER BY {score} DESC LIMIT {OPERATIONS}) o JOIN {q(t.parameter.name)} s "
        f"ON s.{q('JobId')} = CAST({member} AS {number_type}) AND s.{q('Name')} = '{STATE}'"
    )
    parts = [
        f"SELECT 'server', {q('Id')}, CAST({q('LastHeartbeat')} AS {text}), {q('Data')} FROM {q(t.server.name)}",
        f"SELECT 'type', {key}, '', {figures} FROM {rollup} WHERE {q('Span')} = {HOUR} AND {q('Kind')} = '{TYPE}' "
        f"AND {q('Bucket')} >= :day GROUP BY {key} ORDER BY SUM({q('DurationMs')}) DESC LIMIT {TYPES}",
        f"SELECT 'minute', '', CAST({q('Bucket')} AS {text}), {minute} FROM {rollup} WHERE {q('Span')} = {MINUTE} "
        f"AND {q('Kind')} = '{ALL}' AND {key} = '' AND {q('Bucket')} >= :hour",
        *(
            f"SELECT '{what}', {value}, CAST({score} AS {text}), '' FROM {members} WHERE {key} = '{name}' "
            f"AND {score} >= :since ORDER BY {score} DESC LIMIT {MARKS}"
            for what, name in (("deploy", servers.DEPLOYS), ("alert", MESSAGES))
        ),
        operation,
    ]
    return " UNION ALL ".join(p.bounded(part, number) for number, part in enumerate(parts))


def facts(tx: Tx, since: datetime) -> Facts:
    """All of it. since: naive UTC, from when on marks are told."""
    now = tx.now()
    given = {
        "day": tx.bind_moment(floor(now, HOUR) - timedelta(hours=23)),
        "hour": tx.bind_moment(floor(now, MINUTE) - timedelta(minutes=59)), "since": times.to_unix(since),
    }  # fmt: skip
    found: dict[str, list[tuple[str, str, str]]] = {}
    for what, name, at, rest in tx.execute(overview_facts, given):
        found.setdefault(_text(what), []).append((_text(name), _text(at), _text(rest)))
    return Facts(
        [servers.record(name, rest, at or None) for name, at, rest in sorted(found.get("server", ()))],
        _slowest(found.get("type", ())),
        {as_moment(at): _pair(rest) for _, at, rest in found.get("minute", ())},
        sorted(
            (Mark(times.from_unix(float(at)), kind, name) for kind in ("deploy", "alert")
             for name, at, _ in found.get(kind, ())),
            key=lambda one: one.at,
        ),
        sorted((whole(name) or 0, json.loads(rest)) for name, _, rest in found.get("operation", ()))[::-1],
    )  # fmt: skip


def _slowest(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, Figures]]:
    found = [(name, _figures(rest)) for name, _, rest in rows]
    return sorted(found, key=lambda one: -(one[1].below(0.95) or 0))[:SLOWEST]


def _figures(text: str) -> Figures:
    count, failed, ms, *rest = (int(float(part)) for part in text.split(","))
    return Figures(count, failed, ms, longest=rest[-1], steps=tuple(rest[:-1]))


def _pair(text: str) -> tuple[int, int]:
    count, failed = text.split(",")
    return int(count), int(failed)


def _between(parts: list[str]) -> list[str]:
    """The parts with commas between them."""
    return [one for part in parts for one in (part, "','")][:-1]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)

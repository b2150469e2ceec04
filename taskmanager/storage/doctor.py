"""What a DBA would look at: version, isolation, clocks, old snapshots, stale servers, unknown job types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.times import utcnow
from taskmanager.storage import schema, servers
from taskmanager.storage.database import Database
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: level ok, warn or bad; what it is about; what was seen; what to do."""

    level: str
    subject: str
    text: str
    cure: str = ""


_OLDEST = {"mysql": (8, 0, 1), "mariadb": (10, 6), "postgresql": (13,), "sqlite": (3, 38)}
_SKEW = timedelta(seconds=2)


@statement
def waiting_sample(t: Tables, p: Any) -> str:
    q = p.quote
    return (
        f"SELECT j.{q('InvocationData')} FROM {q(t.job.name)} j WHERE j.{q('StateName')} = 'Enqueued' "
        f"ORDER BY j.{q('Id')} LIMIT 200"
    )


def examine(database: Database, *, known: Sequence[str] = ()) -> list[Finding]:
    """All findings; the good ones too, so that one sees what was looked at."""
    findings = [_version(database)]
    lacking = schema.missing(database.engine, database.tables.prefix)
    if lacking:
        return [*findings, Finding("bad", "tables", "; ".join(lacking), "run `taskmanager db upgrade`")]
    findings.append(Finding("ok", "tables", "all there"))
    findings += [_clock(database), _isolation(database), _history(database)]
    findings += database.read(_servers)
    findings += database.read(lambda tx: _types(tx, set(known)))
    return [f for f in findings if f.text]


def _version(database: Database) -> Finding:
    product = database.product.name
    with database.engine.connect():
        found = tuple(database.engine.dialect.server_version_info or ())
    shown = ".".join(str(part) for part in found)
    if found and tuple(p for p in found if isinstance(p, int)) < _OLDEST[product]:
        least = ".".join(map(str, _OLDEST[product]))
        return Finding("bad", "version", f"{product} {shown}", f"upgrade to {least} or later: SKIP LOCKED is needed")
    return Finding("ok", "version", f"{product} {shown}")


def _clock(database: Database) -> Finding:
    database.read(lambda tx: None)
    skew = abs(database.clock.now() - utcnow())
    if skew > _SKEW:
        seen = f"this host's clock is {skew.total_seconds():.1f} s off the database's"
        return Finding("warn", "clock", seen, "synchronise clocks (NTP); due-ness uses the database's")
    return Finding("ok", "clock", f"{skew.total_seconds():.3f} s apart")


def _isolation(database: Database) -> Finding:
    if database.is_embedded:
        return Finding("ok", "isolation", "writers take turns (BEGIN IMMEDIATE)")
    with database.engine.connect() as connection:
        level = connection.get_isolation_level()
    good = level == "READ COMMITTED"
    return Finding("ok" if good else "bad", "isolation", level, "" if good else "let sessions set READ COMMITTED")


def _history(database: Database) -> Finding:
    """An old snapshot anywhere on the server stops purge, and delete-marked rows slow the claim."""
    if database.product.name not in ("mysql", "mariadb"):
        return Finding("ok", "purge", "")
    query = "SELECT count FROM information_schema.INNODB_METRICS WHERE name = 'trx_rseg_history_len'"
    with database.engine.connect() as connection:
        length = int(connection.execute(text(query)).scalar() or 0)
    if length > 1_000_000:
        return Finding(
            "warn", "purge", f"history list length {length}", "end the oldest open transaction of the server"
        )
    return Finding("ok", "purge", f"history list length {length}")


def _servers(tx: Tx) -> list[Finding]:
    line = tx.now() - timedelta(seconds=60)
    found = servers.all_servers(tx)
    stale = [s.id for s in found if s.last_heartbeat is None or s.last_heartbeat < line]
    if stale:
        return [Finding("warn", "servers", f"silent: {', '.join(stale)}", "they are buried when another server runs")]
    return [Finding("ok", "servers", f"{len(found)} running")]


def _types(tx: Tx, known: set[str]) -> list[Finding]:
    unknown = set()
    for (data,) in tx.execute(waiting_sample):
        try:
            name = read(data).name
        except InvocationUnreadable:
            name = "(unreadable)"
        if name not in known:
            unknown.add(name)
    if unknown and known:
        listed = ", ".join(sorted(unknown)[:10])
        return [
            Finding(
                "warn",
                "jobs",
                f"waiting, but not known here: {listed}",
                "set `discover`, or run a server that knows them",
            )
        ]
    return [Finding("ok", "jobs", "all waiting types are known")] if known else []

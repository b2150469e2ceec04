"""What a DBA would look at, and the cure of each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from taskmanager.domain.errors import SchemaError, StorageError
from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.records import RecurringRecord
from taskmanager.domain.times import utcnow
from taskmanager.domain.wallclock import WallClock
from taskmanager.storage import (
    backlog,
    job_pauses,
    legacy_shape,
    monitoring,
    plans,
    schema,
    servers,
    sql_api,
    stranded,
    turns,
)
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
#: So many jobs are named in a cure.
_NAMED = 20
_UPGRADE = "run `taskmanager db upgrade`"


@statement
def waiting_sample(t: Tables, p: Any) -> str:
    q = p.quote
    return (
        f"SELECT j.{q('InvocationData')} FROM {q(t.job.name)} j WHERE j.{q('StateName')} = 'Enqueued' "
        f"ORDER BY j.{q('Id')} LIMIT 200"
    )


def examine(
    database: Database,
    *,
    known: Sequence[str] = (),
    recurring: Callable[[], Sequence[RecurringRecord]] = tuple,
    silent_after: float = 60.0,
    wall_clock: Callable[[], WallClock | None] = lambda: None,
    procedures: sql_api.Options | None = None,
) -> list[Finding]:
    """All findings; the good ones too, so that one sees what was looked at.

    known: names of the jobs known here. recurring: reads the recurring jobs. silent_after: seconds.
    wall_clock: reads how the server tells time to the rows of c_Job, if there are any. procedures: as they should be.
    """
    try:
        findings = [_version(database)]
        lacking = schema.missing(database.engine, database.tables.prefix)
        if schema.is_empty(database.engine, database.tables.prefix):
            return [*findings, Finding("bad", "tables", "there are none", _UPGRADE)]
        findings.append(_tables(database, lacking))
        findings += _procedures(database, procedures)
        findings += [_clock(database), _isolation(database)]
        # Where nothing can be written, the plans of writing statements are not told either.
        findings += list(_binlog(database)) or _indexes(database)
        findings += _purge(database)
        findings += database.read(lambda tx: [*_servers(tx, silent_after), *_queues(tx, silent_after)])
        findings += database.read(lambda tx: list(_states(tx)))
        findings += database.read(lambda tx: list(_legacy(tx)))
        is_older = database.read(legacy_shape.of).job is legacy_shape.Shape.TARGCC
        findings += _recurring(recurring(), is_older)
        findings += _zone(wall_clock())
        return findings + database.read(lambda tx: list(_types(tx, set(known))))
    except SchemaError:
        raise
    except (StorageError, SQLAlchemyError) as error:
        return [Finding("bad", "database", _brief(error), "start the server, or correct `database_url`")]


def _brief(error: Exception) -> str:
    return turns.brief(error) if isinstance(error, DBAPIError) else str(error)


def _version(database: Database) -> Finding:
    product = database.product.name
    with database.engine.connect():
        found = tuple(database.engine.dialect.server_version_info or ())
    shown = ".".join(str(part) for part in found)
    if found and tuple(p for p in found if isinstance(p, int)) < _OLDEST[product]:
        least = ".".join(map(str, _OLDEST[product]))
        return Finding("bad", "version", f"{product} {shown}", f"upgrade it to {least} or later")
    return Finding("ok", "version", f"{product} {shown}")


def _tables(database: Database, lacking: list[str]) -> Finding:
    if lacking:
        return Finding("bad", "tables", "; ".join(lacking), _UPGRADE)
    at, newest = schema.current(database.engine, database.tables.prefix), schema.head()
    if at != newest:
        return Finding("ok", "tables", f"all there; revision {at or 'not recorded'}, the newest is {newest}")
    return Finding("ok", "tables", f"all there; revision {at}")


def _procedures(database: Database, options: sql_api.Options | None) -> Iterator[Finding]:
    """Procedures of the SQL API that an update of the program, or of its settings, has left behind."""
    names = sql_api.behind(database.engine, options) if options is not None else []
    if names:
        yield Finding("warn", "procedures", sql_api.told_of(names), sql_api.cure_of(database.engine, names))


def _clock(database: Database) -> Finding:
    database.read(lambda tx: None)
    skew = abs(database.clock.now() - utcnow())
    if skew > _SKEW:
        seen = f"this host's clock is {skew.total_seconds():.1f} s off the database's"
        return Finding("warn", "clock", seen, "synchronise clocks (NTP); what is due is due by the database's")
    return Finding("ok", "clock", f"{skew.total_seconds():.3f} s apart")


def _zone(clock: WallClock | None) -> Iterator[Finding]:
    if clock is not None and not clock.knows_rules:
        seen = f"the server's is SYSTEM, {clock.schedule} today: when daylight saving begins and ends is not known"
        yield Finding("warn", "time zone", seen, "set `legacy_time_zone`, by whose rules the crons of c_Job then go")


def _isolation(database: Database) -> Finding:
    if database.is_embedded:
        return Finding("ok", "isolation", "writers take turns (BEGIN IMMEDIATE)")
    with database.engine.connect() as connection:
        level = connection.get_isolation_level()
    if level == "READ COMMITTED":
        return Finding("ok", "isolation", level)
    cure = "sessions are to keep READ COMMITTED: look for a proxy or an event listener that sets another level"
    return Finding("bad", "isolation", f"{level}: claims would block those who enqueue", cure)


def _binlog(database: Database) -> Iterator[Finding]:
    """READ COMMITTED cannot be written to a binary log of statements: every write would be refused."""
    if database.product.name not in ("mysql", "mariadb"):
        return
    with database.engine.connect() as connection:
        rows = connection.execute(text("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')")).all()
    found = {str(name): str(value) for name, value in rows}
    if found.get("log_bin") == "ON" and found.get("binlog_format") == "STATEMENT":
        yield Finding("bad", "binlog", "binlog_format is STATEMENT", "SET GLOBAL binlog_format = 'ROW'")


def _indexes(database: Database) -> list[Finding]:
    lame = plans.lame(database)
    if not lame:
        return [Finding("ok", "indexes", f"{len(plans.hot_statements(database.tables))} hot statements are served")]
    cure = f"ANALYZE TABLE {{0}}; then, if {{1}} is missing or invisible, {_UPGRADE} or make it visible"
    if database.product.name not in ("mysql", "mariadb"):
        cure = f'ANALYZE "{{0}}"; then, if {{1}} is missing, {_UPGRADE}'
    return [
        Finding("bad", "indexes", f"{one.hot.name} {one.why}", cure.format(one.hot.table, one.hot.indexes[0]))
        for one in lame
    ]


def _purge(database: Database) -> list[Finding]:
    seen, wrong = backlog.look(database)
    if not wrong:
        return [Finding("ok", "purge", seen)]
    return [Finding("warn", "purge", what, cure) for what, cure in wrong]


def _servers(tx: Tx, silent_after: float) -> Iterator[Finding]:
    found = servers.all_servers(tx)
    alive = {s.id for s in _alive(tx, silent_after)}
    silent = [s.id for s in found if s.id not in alive]
    if silent:
        cure = "look at that host; any server that runs gives back what they hold: start one with `taskmanager worker`"
        yield Finding("warn", "servers", f"silent: {', '.join(silent)}", cure)
    else:
        yield Finding("ok", "servers", f"{len(found)} running")


def _alive(tx: Tx, silent_after: float) -> list[Any]:
    line = tx.now() - timedelta(seconds=silent_after)
    return [s for s in servers.all_servers(tx) if s.last_heartbeat is not None and s.last_heartbeat >= line]


def _queues(tx: Tx, silent_after: float) -> Iterator[Finding]:
    """Jobs that wait where nobody claims them."""
    alive = _alive(tx, silent_after)
    served = {name for s in alive for name in s.queues}
    found = monitoring.queue_lengths(tx)
    lengths = [q for q in found if q.waiting]
    good = True
    if held := sum(q.held for q in found):
        paused = ", ".join(one.value for one in job_pauses.known(tx))
        cure = "`taskmanager jobs resume --type NAME`, or --tag"
        seen = f"{held} jobs are held: paused are {paused}" if paused else f"{held} jobs are held, and go back soon"
        yield Finding("warn", "queues", seen, cure if paused else "run a server: it gives them back")
    for queue in lengths:
        if queue.paused:
            cure = f"`taskmanager queues resume {queue.name}`"
            yield Finding("warn", "queues", f"{queue.name} is paused, and {_waiting(queue.waiting)} in it", cure)
        elif queue.name not in served:
            who = "no server serves it" if alive else "no server runs"
            cure = f"`taskmanager worker --queues {queue.name}`, or add it to setting `queues` of a server"
            yield Finding("warn", "queues", f"{_waiting(queue.waiting)} in {queue.name}, and {who}", cure)
        else:
            continue
        good = False
    if good:
        yield Finding("ok", "queues", f"{_waiting(sum(q.waiting for q in lengths))}, all where a server claims them")


def _states(tx: Tx) -> Iterator[Finding]:
    """Jobs that say they run, or wait to, and that no queue knows."""
    good = True
    for state, fate in (("Processing", "nobody will end"), ("Enqueued", "nobody will claim")):
        found = stranded.jobs_in(tx, state)
        if found:
            seen = f"{len(found)} jobs are {state} without a queue row, and {fate} them"
            some = " ".join(map(str, found[:_NAMED]))
            rest = ", and the next when the doctor names them" if len(found) > _NAMED else ""
            yield Finding("warn", "states", seen, f"`taskmanager jobs requeue {some}`, or delete{rest}")
            good = False
    if good:
        yield Finding("ok", "states", "what is Enqueued or Processing has its queue row")


def _legacy(tx: Tx) -> Iterator[Finding]:
    """Tables c_* that are not of the specification's shape; they are their owners'."""
    found = legacy_shape.read(tx)
    for fault in found.faults:
        yield Finding("warn", "legacy", fault, "add the columns by hand, or rename that table and upgrade")
    for table, columns in found.texts.items():
        told = f"{', '.join(sorted(columns))} of {table} cannot hold every text: what does not fit is cut, or becomes ?"
        cure = f"ALTER TABLE {table} MODIFY {min(columns)} LONGTEXT CHARACTER SET utf8mb4, if its owner agrees"
        yield Finding("warn", "legacy", told, cure)
    if found.job is legacy_shape.Shape.TARGCC:
        yield Finding("ok", "legacy", "c_Job is of the older TARGCC shape (lkpJob), and is served as it is")


def _recurring(found: Sequence[RecurringRecord], is_older: bool) -> list[Finding]:
    wrong = [f for record in found for f in _one_recurring(record, is_older)]
    return wrong or [Finding("ok", "recurring", f"{len(found)} defined")]


def _one_recurring(record: RecurringRecord, is_older: bool) -> Iterator[Finding]:
    if record.error and record.id.startswith("c_job:"):
        cure = f"UPDATE c_Job SET CronExpression = '0 2 * * *' WHERE ID = {record.id.removeprefix('c_job:')}"
        if is_older:
            cure = "`taskmanager legacy check` tells what keeps each row from running"
        yield Finding("warn", "recurring", f"{record.id} {record.name or ''} does not fire: {record.error}", cure)
    elif record.error:
        cure = f"write it anew: `taskmanager recurring add {record.id} …`"
        yield Finding("warn", "recurring", f"{record.id} does not fire: {record.error}", cure)
    if record.orphaned:
        cure = f"`taskmanager recurring remove {record.id}`, or bring its code back"
        yield Finding("warn", "recurring", f"the code of {record.id} is gone", cure)


def _types(tx: Tx, known: set[str]) -> Iterator[Finding]:
    unknown = set()
    for (data,) in tx.execute(waiting_sample):
        try:
            name = read(data).name
        except InvocationUnreadable:
            name = "(unreadable)"
        if name not in known:
            unknown.add(name)
    if unknown:
        listed = ", ".join(sorted(unknown)[:10])
        cure = "set `discover`, or run a server that knows them; `taskmanager jobs delete --state enqueued --job NAME`"
        yield Finding("warn", "jobs", f"waiting, but not known here: {listed}", cure)
    else:
        yield Finding("ok", "jobs", "all waiting types are known here")


def _waiting(count: int) -> str:
    return "1 job waits" if count == 1 else f"{count} jobs wait"

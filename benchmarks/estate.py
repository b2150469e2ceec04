"""A large installation, filled fast: a million jobs in all states with their history, as the engine writes them.

One job of each kind is made by the engine itself; the server copies its rows by the thousand.
`benchmarks.pages` measures the dashboard on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from benchmarks.estate_kinds import JOBS, QUEUES, SERVER, STATES, Kind, build_report, kinds_of
from benchmarks.fill import analyze, fresh
from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.engine.audit import Actor
from taskmanager.engine.client import new_key
from taskmanager.engine.conditions import condition_of
from taskmanager.engine.entering import RETRIES
from taskmanager.storage import failures, logged, recurring_runs, servers, structures
from taskmanager.storage.monitoring_filters import Wanted
from taskmanager.storage.recurring_runs import RecurringRun
from taskmanager.storage.transaction import Tx

#: Jobs that one statement copies.
_STEP = 10_000
_DAYS = 30


def build(tm: TaskManager, count: int, *, recurring: int = 200, audit: int = 10_000) -> None:
    """Fill new tables with `count` jobs, and with what else a large installation has."""
    _log_names(tm)
    for function, _ in JOBS:
        tm.job(function)
    tm.database.run(lambda tx: servers.announce(tx, SERVER, {"WorkerCount": 20, "Queues": list(QUEUES)}))
    kinds = list(kinds_of(tm))
    assert sum(kind.share for kind in kinds) == 1000
    now = tm.database.read(lambda tx: tx.now())
    for base in range(_STEP, count + _STEP, _STEP):
        pace = timedelta(days=_DAYS) / count
        _copy(tm, kinds, base, min(_STEP, count + _STEP - base), now - pace * (count + _STEP - base), pace)
    _number_on(tm)
    _memberships(tm, kinds, count)
    _surroundings(tm, now, recurring, audit)
    analyze(tm)


def _copy(tm: TaskManager, kinds: list[Kind], base: int, size: int, at: datetime, pace: timedelta) -> None:
    """Copy the kinds' rows for the jobs `base` to `base + size`, the first of a moment, the others at a pace."""
    q, t = tm.database.product.quote, tm.database.tables
    parts, low = [], 0
    for kind in (k for k in kinds if k.share):
        facts = (low, low + kind.share, kind.job_id, kind.state_id, kind.states)
        named = zip(facts, ("low", "high", "job", "first", "states"), strict=True)
        parts.append("SELECT " + ", ".join(f"{value} AS {name}" for value, name in named))
        low += kind.share
    digits = "(" + " UNION ALL ".join(f"SELECT {n} AS d" for n in range(10)) + ")"
    numbers = (
        f"(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM {digits} a, {digits} b, {digits} c, {digits} e) n"
    )
    source = f"FROM {numbers} JOIN ({' UNION ALL '.join(parts)}) k ON n.n % 1000 >= k.low AND n.n % 1000 < k.high"
    # Not in order: MariaDB would sort on disk, in a directory that another server clears when it starts.
    rest = f"WHERE n.n < {size}"
    job, state = q(t.job.name), q(t.state.name)
    job_columns = [q(c) for c in ("StateName", "InvocationData", "Arguments", "Queue", "Priority")]
    names = ", ".join([q("Id"), q("StateId"), q("CreatedAt"), q("ExpireAt"), *job_columns])
    new, new_state = f"{base} + n.n", f"({base} + n.n) * {STATES}"
    moment = _moments(tm, pace)
    expire = f"CASE WHEN f.{q('ExpireAt')} IS NULL THEN NULL ELSE {moment.replace(':at', ':expire')} END"
    run = [
        f"INSERT INTO {job} ({names}) SELECT {new}, {new_state} + k.states - 1, {moment}, {expire}, "
        f"{', '.join(f'f.{c}' for c in job_columns)} {source} JOIN {job} f ON f.{q('Id')} = k.job {rest}",
        f"INSERT INTO {state} ({', '.join(q(c) for c in ('Id', 'JobId', 'CreatedAt', 'Name', 'Reason', 'Data'))}) "
        f"SELECT {new_state} + f.{q('Id')} - k.first, {new}, {moment}, "
        f"{', '.join(f'f.{q(c)}' for c in ('Name', 'Reason', 'Data'))} {source} "
        f"JOIN {state} f ON f.{q('JobId')} = k.job {rest}",
        f"INSERT INTO {q(t.parameter.name)} ({q('JobId')}, {q('Name')}, {q('Value')}) "
        f"SELECT {new}, f.{q('Name')}, f.{q('Value')} {source} "
        f"JOIN {q(t.parameter.name)} f ON f.{q('JobId')} = k.job {rest}",
        f"INSERT INTO {q(t.queue.name)} ({q('JobId')}, {q('Queue')}, {q('Priority')}) "
        f"SELECT {new}, f.{q('Queue')}, f.{q('Priority')} {source} "
        f"JOIN {q(t.queue.name)} f ON f.{q('JobId')} = k.job {rest}",
        _history_of(tm, source, rest, moment),
        f"INSERT INTO {q(t.tag.name)} ({q('JobId')}, {q('Name')}, {q('Value')}) "
        f"SELECT {new}, 'tag', CASE WHEN n.n % 8 = 0 THEN 'common' ELSE 'rare' END {source} "
        f"JOIN {job} f ON f.{q('Id')} = k.job {rest} AND n.n % 8 IN (0, 1) AND (n.n % 8 = 0 OR n.n % 1000 = 1)",
    ]
    given = {"at": at, "expire": at + timedelta(days=_DAYS + 1)}
    with tm.database.engine.begin() as connection:
        for sql in run:
            used = {name: value for name, value in given.items() if f":{name}" in sql}
            connection.execute(text(sql), {n: _bound(tm, value) for n, value in used.items()})


def _history_of(tm: TaskManager, source: str, rest: str, moment: str) -> str:
    """A row of c_LoggedJob for every job that ended, of one of fifty names."""
    q, t = tm.database.product.quote, tm.database.tables
    table, job = q(t.legacy.logged.name), q(t.job.name)
    kept = [q(c) for c in ("JobType", "DurationMs", "ResultMessage", "ErrorMessage", "ServerName", "TriggeredBy")]
    names = ", ".join([q(c) for c in ("JobName", "StartedAt", "CreatedAt", "Success")] + kept)
    good = f"CASE WHEN f.{q('StateName')} = 'Succeeded' THEN 1 ELSE 0 END"
    return (
        f"INSERT INTO {table} ({names}) SELECT l.{q('JobName')}, {moment}, {moment}, {good}, "
        f"{', '.join(f'l.{c}' for c in kept)} {source} JOIN {job} f ON f.{q('Id')} = k.job "
        f"JOIN {table} l ON l.{q('ID')} = 1 + n.n % 50 "
        f"{rest} AND f.{q('StateName')} IN ('Succeeded', 'Failed')"
    )


def _moments(tm: TaskManager, pace: timedelta) -> str:
    """The moment of the job `n.n` of those that are copied."""
    seconds = f"{pace.total_seconds():.3f} * n.n"
    return {
        "postgresql": f"CAST(:at AS TIMESTAMP) + {seconds} * INTERVAL '1 second'",
        "sqlite": f"strftime('%Y-%m-%d %H:%M:%f000', :at, '+' || ({seconds}) || ' seconds')",
    }.get(tm.database.product.name, f"DATE_ADD(CAST(:at AS DATETIME(6)), INTERVAL {seconds} SECOND)")


def _bound(tm: TaskManager, at: datetime) -> Any:
    return at.isoformat(" ", "microseconds") if tm.database.is_embedded else at


def _number_on(tm: TaskManager) -> None:
    """PostgreSQL's sequences do not see the ids that were given; the other products do."""
    if tm.database.product.name == "postgresql":
        with tm.database.engine.begin() as connection:
            for table in (tm.database.tables.job, tm.database.tables.state):
                name = f'"{table.name}"'
                highest = f'(SELECT MAX("Id") FROM {name})'
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'Id'), {highest})"))


def _memberships(tm: TaskManager, kinds: list[Kind], count: int) -> None:
    """What stands in sets: failed jobs in their groups, retries, scheduled jobs."""
    low = 0
    for kind in (k for k in kinds if k.share):
        record = tm.get(kind.job_id)
        ids = [_STEP + n for n in range(count) if low <= (_STEP + n) % 1000 < low + kind.share]
        low += kind.share
        group = record.parameters.get(failures.PARAMETER)
        at = times.to_unix(record.created_at)
        if group:
            _put(tm, failures.MEMBERS + group, {str(i): at - (count - i) for i in ids})
        elif record.state == "Scheduled":
            _put(tm, "schedule", {f"default:{i}": at + 86_400 + i for i in ids})
            _put(tm, RETRIES, {str(i): at for i in ids[::3]})


def _put(tm: TaskManager, key: str, scores: dict[str, float]) -> None:
    """Members of a set, inserted: of the template's own member there is one already."""
    q, table = tm.database.product.quote, tm.database.tables.set
    sql = f"INSERT INTO {q(table.name)} ({q('Key')}, {q('Value')}, {q('Score')}) VALUES (:key, :value, :score)"
    rows = [{"key": key, "value": value, "score": score} for value, score in scores.items()]
    with tm.database.engine.begin() as connection:
        for start in range(0, len(rows), _STEP):
            connection.execute(text(sql), rows[start : start + _STEP])


def _surroundings(tm: TaskManager, now: datetime, recurring: int, audit: int) -> None:
    """Recurring jobs, rows of c_Job, servers, counters, rules of alerts, and an audit log."""
    for number in range(recurring):
        tm.recurring(f"nightly-{number}", build_report, args=(f"r{number}", 2026), cron=f"{number % 60} 2 * * *")
    for number in range(recurring):
        tm.database.run(lambda tx, n=number: _runs(tx, f"nightly-{n}", now))  # type: ignore[misc]
    with tm.database.engine.begin() as connection:
        names = [{"JobName": f"Totals {n}", "StoredProcName": f"SP_{n}", "IsActive": 1} for n in range(50)]
        row = {"CronExpression": "30 1 * * *"}
        connection.execute(tm.database.tables.legacy.job.insert(), [one | row for one in names])
        rules = [{"JobName": f"Totals {n}", "EmailRecipients": "ops@example.org"} for n in range(20)]
        connection.execute(tm.database.tables.legacy.alert.insert(), rules)
    tm.conditions.save(condition_of({"title": "Slow queues", "kind": "latency"}))
    for number in range(2, 7):
        data = {"WorkerCount": 20, "Queues": list(QUEUES), "taskmanager": {"pid": number}}
        tm.database.run(lambda tx, n=number, d=data: servers.announce(tx, f"bench-{n}:1:{n:032x}", d))  # type: ignore[misc]
    tm.database.run(lambda tx: _counters(tx, now))
    actor = Actor("ann", "dashboard", "192.0.2.7")
    tm.operations.start("requeue", Wanted(("Failed",)), "", actor, new_key())
    for start in range(0, audit, 500):

        def noted(tx: Tx, start: int = start) -> None:
            for number in range(500):
                tm.audit.note(tx, actor, "jobs.requeue", "job", start + number)

        tm.database.run(noted)


def _runs(tx: Tx, recurring_id: str, now: datetime) -> None:
    """As many runs of a recurring job as are kept: one a night, one in seventeen failed."""
    listed = [
        RecurringRun(
            recurring_id, _STEP + back, now - timedelta(days=back), 900 + 37 * back % 400, 12,
            "failed" if back % 17 == 0 else "succeeded",
        )
        for back in range(recurring_runs.KEPT, 0, -1)
    ]  # fmt: skip
    recurring_runs.add(tx, listed)


def _counters(tx: Tx, now: datetime) -> None:
    counts: dict[tuple[str, datetime | None], int] = {
        ("stats:succeeded", None): 930_000,
        ("stats:deleted", None): 20_000,
    }
    for back in range(24 * _DAYS):
        hour = now - timedelta(hours=back)
        for name, number in (("succeeded", 1300), ("failed", 40), ("deleted", 28)):
            form = "%Y-%m-%d-%H" if back < 24 else "%Y-%m-%d"
            key = (f"stats:{name}:{hour.strftime(form)}", now + timedelta(days=40))
            counts[key] = counts.get(key, 0) + number
    structures.add_counts(tx, counts)


def _log_names(tm: TaskManager) -> None:
    """The rows of history that are copied: one of each name."""
    rows = [
        {
            "JobName": f"Job of history {n}", "JobId": None, "JobType": "Recurring",
            "StartedAt": datetime(2026, 1, 1), "CompletedAt": datetime(2026, 1, 1), "DurationMs": 100 + n, "Success": 1,
            "ResultMessage": "1,204 rows", "ErrorMessage": None, "StackTrace": None, "ServerName": SERVER,
            "MemoryUsedMB": 48, "TriggeredBy": "System", "CpuTimeMs": 90,
        }
        for n in range(50)
    ]  # fmt: skip
    tm.database.run(lambda tx: logged.add(tx, rows))


def make(url: str, count: int) -> TaskManager:
    """New tables, filled."""
    tm = fresh(url)
    build(tm, count)
    return tm

"""Rows of Job, State and JobParameter: added, locked, moved to another state, read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from taskmanager.domain.errors import PayloadTooLarge
from taskmanager.domain.records import JobRecord, StateRecord
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Rows, Tx, insert_each


class LockedJob(NamedTuple):
    """What the one door for state changes needs to know of a job whose row it has locked."""

    id: int
    state: str | None
    state_id: int | None
    queue: str | None
    priority: int
    created_at: datetime


_ADDED = ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey")
_STATE = ("JobId", "Name", "Reason", "CreatedAt", "Data")


@statement
def insert_job(t: Tables, p: Product) -> str:
    return p.insert_text(t.job, _ADDED)


@statement
def insert_one_job(t: Tables, p: Product) -> str:
    return p.insert_text(t.job, _ADDED) + p.returning_id


@statement
def insert_state(t: Tables, p: Product) -> str:
    return p.insert_text(t.state, _STATE)


@statement
def insert_one_state(t: Tables, p: Product) -> str:
    return p.insert_text(t.state, _STATE) + p.returning_id


@statement
def jobs_by_key(t: Tables, p: Product) -> Any:
    """The jobs of one enqueue, in their order: its keys share a beginning."""
    key = t.job.c.EnqueueKey
    return select(t.job.c.Id).where(key >= bindparam("low"), key < bindparam("high")).order_by(key)


@statement
def enter_state(t: Tables, p: Product) -> str:
    """Point jobs at their newest State row: no reliance on the ids an INSERT was given."""
    newest = (
        f"(SELECT MAX(s.{p.quote('Id')}) FROM {p.quote(t.state.name)} s WHERE s.{p.quote('JobId')} = t.{p.quote('Id')})"
    )
    return p.update_by_ids(t.job.name, {"StateId": newest, "StateName": ":name", "ExpireAt": ":expire"})


def _enter_one(t: Tables, p: Product, state_id: str) -> str:
    q = p.quote
    return (
        f"UPDATE {q(t.job.name)} SET {q('StateId')} = {state_id}, {q('StateName')} = :name, {q('ExpireAt')} = :expire "
        f"WHERE {q('Id')} = :id"
    )


@statement
def enter_one(t: Tables, p: Product) -> str:
    """As enter_state for one job, whose new State row is known by its id."""
    return _enter_one(t, p, ":state")


@statement
def enter_inserted(t: Tables, p: Product) -> str:
    """As enter_state for one job, whose new State row was inserted just before on this connection."""
    return _enter_one(t, p, p.last_id)


@statement
def route(t: Tables, p: Product) -> str:
    """Remember on the job where it belongs, so that a retry or a requeue finds its queue again."""
    return p.update_by_ids(t.job.name, {"Queue": ":queue", "Priority": ":priority"})


#: In place of a State row's id: it was the last INSERT, and its id is known to the server only.
INSERTED = 0
#: Arguments from this size on are compared with what the server takes.
_LONG = 512 * 1024
_LOCKED = ("Id", "StateName", "StateId", "Queue", "Priority", "CreatedAt")
_READ = ("Id", "StateName", "StateId", "InvocationData", "Arguments", "CreatedAt", "ExpireAt", "Queue", "Priority")


@statement
def lock_jobs(t: Tables, p: Product) -> str:
    return p.select_by_ids(_LOCKED, t.job.name, lock=True)


@statement
def lock_free_jobs(t: Tables, p: Product) -> str:
    """As lock_jobs, passing by what somebody else is changing at this moment."""
    return p.select_by_ids(_LOCKED, t.job.name, lock=True) + (" SKIP LOCKED" if p.for_update_skip else "")


@statement
def read_jobs(t: Tables, p: Product) -> str:
    return p.select_by_ids(_READ, t.job.name)


@statement
def states_now(t: Tables, p: Product) -> str:
    return p.select_by_ids(("Id", "StateName", "StateId"), t.job.name)


@statement
def read_parameters(t: Tables, p: Product) -> str:
    return p.select_by_ids(("JobId", "Name", "Value"), t.parameter.name, key="JobId")


@statement
def lock_parameter(t: Tables, p: Product) -> Any:
    """Locked, so that the newest value is read even where a caller's transaction sees an old snapshot."""
    c = t.parameter.c
    return select(c.Value).where(c.JobId == bindparam("job"), c.Name == bindparam("name")).with_for_update()


@statement
def read_parameter(t: Tables, p: Product) -> Any:
    c = t.parameter.c
    return select(c.Value).where(c.JobId == bindparam("job"), c.Name == bindparam("name"))


@statement
def upsert_parameter(t: Tables, p: Product) -> str:
    return p.upsert(t.parameter, ("JobId", "Name"), {"Value": "{new}"})


@statement
def read_history(t: Tables, p: Product) -> Any:
    s = t.state.c
    return select(s.Id, s.Name, s.Reason, s.CreatedAt, s.Data).where(s.JobId == bindparam("job")).order_by(s.Id)


def ids_json(ids: Iterable[int]) -> str:
    """The list parameter of a statement by ids: sorted, so that everybody locks in the same order."""
    return json.dumps(sorted(set(ids)))


def add(tx: Tx, rows: Sequence[dict[str, Any]], key: str) -> list[int]:
    """Insert Job rows under one enqueue key and return their ids in order.

    Run again with the same key after a COMMIT in doubt, it finds the rows of its first try and adds nothing.
    """
    at: datetime | None = None
    bound: Any = None
    for number, row in enumerate(rows):
        if row["CreatedAt"] is not at:
            at = row["CreatedAt"]
            bound = tx.bind_moment(at)
        row["EnqueueKey"] = f"{key}-{number:06x}"
        row["CreatedAt"] = bound
        if len(row["Arguments"]) > _LONG:
            _check_statement(tx, row)
    if len(rows) == 1:
        return [_new_id(tx.execute(insert_one_job, rows[0]))]
    tx.execute(insert_job, list(rows))
    return by_key(tx, key)


def _check_statement(tx: Tx, row: Mapping[str, Any]) -> None:
    """Raises PayloadTooLarge where the server would drop the connection, which looks as if it had died."""
    bound = tx.prepared.product.longest_statement
    if not bound:
        return
    texts = (row["InvocationData"], row["Arguments"])
    size = sum(len(t) + t.count("\\") + t.count('"') + t.count("'") for t in texts) + _LONG // 8
    limit = int(tx.connection.exec_driver_sql(f"SELECT {bound}").scalar_one())
    if size > limit:
        raise PayloadTooLarge(
            f"the arguments make a statement of {size} bytes, and the server takes {limit} (max_allowed_packet): "
            "pass a reference (an id, a path) instead, or raise it on the server"
        )


def by_key(tx: Tx, key: str) -> list[int]:
    """The ids of the jobs that one enqueue made, in order; empty when it made none."""
    return [int(r[0]) for r in tx.execute(jobs_by_key, {"low": f"{key}-", "high": f"{key}."})]


def lock(tx: Tx, ids: Iterable[int], *, skip_locked: bool = False) -> dict[int, LockedJob]:
    """Lock Job rows in the order of their ids; what does not exist is absent from the answer."""
    text = ids_json(ids)
    if text == "[]":
        return {}
    rows = tx.execute(lock_free_jobs if skip_locked else lock_jobs, {"ids": text})
    return {
        job_id: LockedJob(job_id, name, state_id, queue, priority or 0, _moment(created_at))
        for job_id, name, state_id, queue, priority, created_at in rows
    }


def current_states(tx: Tx, ids: Iterable[int]) -> dict[int, tuple[str | None, int | None]]:
    """Name and id of the state each of these jobs is in, unlocked."""
    return {int(r[0]): (r[1], r[2]) for r in tx.execute(states_now, {"ids": ids_json(ids)})}


def add_states(tx: Tx, rows: Sequence[dict[str, Any]]) -> int | None:
    """Append State rows: JobId, Name, Reason, CreatedAt, Data (JSON text). If it is only one: its id, or INSERTED."""
    if len(rows) == 1 and not tx.sends_together:
        return _new_id(tx.execute(insert_one_state, rows[0]))
    insert_each(tx, insert_state, rows)
    return INSERTED if len(rows) == 1 else None


def enter(tx: Tx, ids: Sequence[int], name: str, expire_at: datetime | None, *, state_id: int | None = None) -> None:
    """Make the newest State row of each job its current state; state_id: of `add_states`, just before."""
    if state_id is not None and len(ids) == 1:
        given = {"id": ids[0], "name": name, "expire": tx.bind_moment(expire_at)}
        if state_id == INSERTED:
            tx.send(enter_inserted, given)
        else:
            tx.send(enter_one, given | {"state": state_id})
        return
    tx.send(enter_state, {"ids": ids_json(ids), "name": name, "expire": tx.bind_moment(expire_at)})


def set_route(tx: Tx, ids: Iterable[int], queue: str, priority: int) -> None:
    """Remember queue and priority on jobs."""
    tx.send(route, {"ids": ids_json(ids), "queue": queue, "priority": priority})


def parameters(tx: Tx, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """All parameters of these jobs."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for job_id, name, value in tx.execute(read_parameters, {"ids": ids_json(ids)}):
        found[int(job_id)][name] = value
    return found


def parameter(tx: Tx, job_id: int, name: str) -> str | None:
    """One parameter; None when the job has none of this name."""
    row = tx.execute(read_parameter, {"job": job_id, "name": name}).first()
    return None if row is None else row[0]


def locked_parameter(tx: Tx, job_id: int, name: str) -> str | None:
    """One parameter, locked where it exists, to be changed."""
    row = tx.execute(lock_parameter, {"job": job_id, "name": name}).first()
    return None if row is None else row[0]


def set_parameters(tx: Tx, values: Mapping[tuple[int, str], str | None]) -> None:
    """Write parameters, each (job id, name) once; ordered, so that writers do not cross."""
    rows = [{"JobId": job, "Name": name, "Value": value} for (job, name), value in sorted(values.items())]
    insert_each(tx, upsert_parameter, rows)


def read(tx: Tx, job_id: int, *, history: bool = True) -> JobRecord | None:
    """One job, with parameters and history."""
    found = read_many(tx, [job_id])
    if not found:
        return None
    record = found[0]
    states = tuple(_state(r) for r in tx.execute(read_history, {"job": job_id})) if history else ()
    return JobRecord(
        record.id, record.state, record.state_id, record.invocation_data, record.arguments, record.created_at,
        record.expire_at, record.queue, record.priority, parameters(tx, [job_id]).get(job_id, {}), states,
    )  # fmt: skip


def read_many(tx: Tx, ids: Iterable[int]) -> list[JobRecord]:
    """Jobs without parameters and history, by id."""
    return [
        JobRecord(int(r[0]), r[1], r[2], r[3], r[4], _moment(r[5]), _maybe(r[6]), r[7], int(r[8] or 0))
        for r in tx.execute(read_jobs, {"ids": ids_json(ids)})
    ]


def _new_id(rows: Rows) -> int:
    """The number of the row just inserted."""
    return int(rows.scalar_one() if rows.last_id is None else rows.last_id)


def _state(row: Any) -> StateRecord:
    try:
        data = json.loads(row[4]) if row[4] else {}
    except ValueError:
        data = {"Unreadable": row[4]}
    return StateRecord(int(row[0]), row[1], row[2], _moment(row[3]), data if isinstance(data, dict) else {})


def _moment(value: Any) -> datetime:
    """Plain SQL text on SQLite gives moments as text, Core gives datetimes."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _maybe(value: Any) -> datetime | None:
    return None if value is None else _moment(value)

"""Whether the hot statements are served by their indexes, by the server's own word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from taskmanager.storage import expiry, holds, jobs, monitoring, queues, structures
from taskmanager.storage.database import Database
from taskmanager.storage.dialects import Plan
from taskmanager.storage.statements import Builder
from taskmanager.storage.tables import Tables

#: A server reads a table of fewer rows as it likes; nothing is to be learnt from it.
FEW_ROWS = 1000
#: PostgreSQL takes any list for one of a hundred ids, for which it rather reads a table of so many rows as a whole.
FEW_ROWS_FOR_LISTS = {"postgresql": 200_000}


@dataclass(frozen=True, slots=True)
class Hot:
    """A statement that runs often, the table it must not walk, and the indexes of which one must serve it."""

    name: str
    build: Builder
    table: str
    indexes: tuple[str, ...]
    ordered: bool = False
    by_list: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lame:
    """A statement that its index does not serve, and why."""

    hot: Hot
    why: str


def hot_statements(t: Tables) -> list[Hot]:
    """What workers, schedulers and pages run all the time."""
    claim, due = f"IX_{t.queue.name}_Claim", f"IX_{t.set.name}_Key_Score"
    of_state, expire = f"IX_{t.job.name}_StateName", f"IX_{t.job.name}_ExpireAt"
    queue, job, state, members = t.queue.name, t.job.name, t.state.name, t.set.name
    return [
        Hot("queues.claimable", queues.claimable, queue, (claim,), ordered=True),
        Hot("queues.claimable_before", queues.claimable_before, queue, (claim,), ordered=True),
        Hot("queues.claimable_after", queues.claimable_after, queue, (claim, "PRIMARY"), ordered=True),
        Hot("holds.held_behind", holds.held_behind, queue, (claim,), ordered=True),
        Hot("holds.held_of_priority", holds.held_of_priority, queue, (claim, "PRIMARY"), ordered=True),
        Hot("queues.delete_of_jobs", queues.delete_of_jobs, queue, (f"IX_{queue}_JobId",), by_list=True),
        Hot("jobs.lock_jobs", jobs.lock_jobs, job, ("PRIMARY",), by_list=True),
        Hot("jobs.enter_state", jobs.enter_state, state, (f"IX_{state}_JobId",), by_list=True),
        Hot("structures.due_members", structures.due_members, members, (due,), ordered=True, values={"now": 0.0}),
        Hot("monitoring.ids_in_state", monitoring.ids_in_state, job, (of_state, "PRIMARY")),
        Hot("expiry.expired_jobs", expiry.expired_jobs, job, (expire,), ordered=True),
    ]


def lame(database: Database) -> list[Lame]:
    """The hot statements that their indexes do not serve, on tables large enough to tell."""
    with database.engine.connect() as connection:
        connection = connection.execution_options(taskmanager_read=True)
        values = _values(database, connection)
        found = [_judged(database, connection, hot, values) for hot in hot_statements(database.tables)]
        connection.rollback()
    return [one for one in found if one is not None]


def _judged(database: Database, connection: Connection, hot: Hot, values: Mapping[str, Any]) -> Lame | None:
    try:
        plan = _plan(database, connection, hot.build, {**values, **hot.values})
    except SQLAlchemyError as error:
        connection.rollback()
        return Lame(hot, str(getattr(error, "orig", error)).partition("\n")[0])
    served = bool(plan.indexes & set(hot.indexes))
    if served and not (hot.ordered and plan.sorts):
        return None
    few = FEW_ROWS_FOR_LISTS.get(database.product.name, FEW_ROWS) if hot.by_list else FEW_ROWS
    count = text(f"SELECT COUNT(*) FROM (SELECT 1 FROM {database.product.quote(hot.table)} LIMIT {few}) few")
    if int(connection.execute(count).scalar_one()) < few:
        return None
    read_by = ", ".join(sorted(plan.indexes)) or "no index"
    return Lame(hot, f"reads by {read_by}{' and sorts' if plan.sorts else ''}, not by {hot.indexes[0]}")


def _plan(database: Database, connection: Connection, build: Builder, values: Mapping[str, Any]) -> Plan:
    made, product = build(database.tables, database.product), database.product
    if isinstance(made, str):
        used = {name: value for name, value in values.items() if f":{name}" in made}
        rows = connection.execute(text(f"{product.explain} {made}"), used)
    else:
        compiled = made.compile(dialect=connection.dialect)
        given = compiled.construct_params({name: values[name] for name in compiled.params if name in values})
        bound = tuple(given[name] for name in compiled.positiontup) if compiled.positional else given
        rows = connection.exec_driver_sql(f"{product.explain} {compiled}", bound)
    return product.plan([dict(row) for row in rows.mappings()])


def _values(database: Database, connection: Connection) -> dict[str, Any]:
    """Values as they are usual; the queue is one in which something waits."""
    queue = connection.execute(text(f"SELECT MAX({database.product.quote('Queue')}) FROM {_queue(database)}")).scalar()
    return {
        "queue": queue or "default", "limit": 20, "priority": 0, "id": 0, "ids": "[1,2,3]", "state": "Failed",
        "before": 1 << 62, "key": "schedule", "name": "Enqueued", "expire": None,
        "now": "2020-01-01 00:00:00.000000" if database.is_embedded else datetime(2020, 1, 1),
    }  # fmt: skip


def _queue(database: Database) -> str:
    return database.product.quote(database.tables.queue.name)

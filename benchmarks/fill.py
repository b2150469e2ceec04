"""Empty tables, and tables filled fast: rows as enqueue writes them, a few large statements instead of many small."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from benchmarks import noop
from taskmanager import TaskManager

_STEP = 10_000


def fresh(url: str, **settings: Any) -> TaskManager:
    """A TaskManager on newly made tables."""
    tm = TaskManager(database_url=url, **{"doorbell": False, "discover": "benchmarks", **settings})
    tm.database.tables.metadata.drop_all(tm.database.engine)
    tm.database.create_tables()
    return tm


def fill(tm: TaskManager, count: int, queue: str = "default") -> None:
    """Queue `count` no-op jobs. One is enqueued as usual, and its rows are copied by the server."""
    first = tm.enqueue(noop.noop, queue=queue)
    database, made = tm.database, 1
    q = database.product.quote
    job, state, queued = (q(t.name) for t in (database.tables.job, database.tables.state, database.tables.queue))
    columns = ", ".join(q(c) for c in ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority"))
    numbers = f"SELECT {q('Id')} FROM {job} ORDER BY {q('Id')} LIMIT :step"
    while made < count:
        step = min(made, _STEP * 10, count - made)
        with database.engine.begin() as connection:
            last = connection.execute(text(f"SELECT MAX({q('Id')}) FROM {job}")).scalar_one()
            source = ", ".join(f"f.{c}" for c in columns.split(", "))
            connection.execute(
                text(
                    f"INSERT INTO {job} ({columns}) SELECT {source} FROM ({numbers}) n "
                    f"JOIN {job} f ON f.{q('Id')} = :first"
                ),
                {"first": first, "step": step},
            )
            connection.execute(
                text(
                    f"INSERT INTO {state} ({q('JobId')}, {q('Name')}, {q('CreatedAt')}, {q('Data')}) "
                    f"SELECT j.{q('Id')}, 'Enqueued', j.{q('CreatedAt')}, '{{}}' FROM {job} j WHERE j.{q('Id')} > :last"
                ).bindparams(last=last)
            )
            connection.execute(
                text(
                    f"INSERT INTO {queued} ({q('JobId')}, {q('Queue')}, {q('Priority')}) "
                    f"SELECT {q('Id')}, {q('Queue')}, 0 FROM {job} WHERE {q('Id')} > :last ORDER BY {q('Id')}"
                ),
                {"last": last},
            )
        made += step


def analyze(tm: TaskManager) -> None:
    """Let the server look at what is in the tables, as it does by itself in time."""
    names = [
        tm.database.product.quote(t.name) for t in (*tm.database.tables.hangfire(), tm.database.tables.legacy.logged)
    ]
    if tm.database.is_embedded:
        statements = ["ANALYZE"]
    elif tm.database.product.name == "postgresql":
        statements = [f"ANALYZE {name}" for name in names]
    else:
        statements = [f"ANALYZE TABLE {', '.join(names)}"]
    with tm.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))

"""All rows of all tables, comparable: what differs by nature (moments, keys) is written as its distance or kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from taskmanager import TaskManager
from taskmanager.domain import times

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
_KEY = re.compile(r"(?P<ms>[0-9a-f]{12})[0-9a-f]{20}-000000")
_UNIX = re.compile(r"1\d{9}")
#: What a group of failed jobs is and when it failed last: a process that has just told it does not tell it again.
_TOLD = "failure-group"
_TYPES = re.compile(r'"ParameterTypes":"\[.*?\]"')


def empty(tm: TaskManager) -> None:
    """All rows go, and ids begin anew."""
    with tm.database.engine.begin() as connection:
        for table in tm.database.tables.hangfire():
            name = tm.database.product.quote(table.name)
            again = " RESTART IDENTITY" if tm.database.product.name == "postgresql" else ""
            connection.execute(text(f"TRUNCATE TABLE {name}{again}"))


def both(
    tm: TaskManager, before: Callable[[], Any], by_program: Callable[[Any], Any], by_sql: Callable[[Any], Any],
    *, types: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Do the same both ways, on equal tables: all rows of all tables must be equal. Returns them."""
    shots = []
    for act in (by_program, by_sql):
        empty(tm)
        prepared = before()
        act(prepared)
        shots.append(shot(tm, types=types))
    assert shots[1] == shots[0]
    return shots[1]


def shot(tm: TaskManager, *, types: bool = True) -> dict[str, Any]:
    """All rows by table. types: compare ParameterTypes, which SQL knows of recurring jobs only."""
    now = tm.database.read(lambda tx: tx.now())
    shots: dict[str, Any] = {}
    with tm.database.engine.connect() as connection:
        states: dict[int, int] = dict(
            connection.execute(text(_sql(tm, 'SELECT "Id", "JobId" FROM "HangfireState"'))).all()
        )
        for table in tm.database.tables.hangfire():
            if table not in (tm.database.tables.server, tm.database.tables.counter):
                rows = [dict(r) for r in connection.execute(table.select()).mappings() if not _is_told(r)]
                for row in rows:
                    if table is tm.database.tables.job:
                        assert states.get(row["StateId"]) == row["Id"], "StateId names a state of the job"
                        newest = max(i for i, job in states.items() if job == row["Id"])
                        row["StateId"] = "newest" if row["StateId"] == newest else row["StateId"]
                    else:
                        del row["Id"]
                names = [c.name for c in table.columns]
                plain = [tuple(_plain(row[n], n, now, types) for n in names if n in row) for row in rows]
                shots[table.name] = sorted(plain, key=repr)
        shots[tm.database.tables.counter.name] = _counted(tm, connection)
    return shots


def _is_told(row: Any) -> bool:
    return str(row.get("Key", "")).startswith(_TOLD)


def _counted(tm: TaskManager, connection: Any) -> list[Any]:
    """Counters are sums of rows, which are rolled up later: a batch of the program's adds one row for many jobs."""
    c = tm.database.tables.counter.c
    rows = connection.execute(select(c.Key, func.sum(c.Value), c.ExpireAt).group_by(c.Key, c.ExpireAt).order_by(c.Key))
    return [(key, int(value), expire and expire.isoformat()) for key, value, expire in rows]


def _sql(tm: TaskManager, statement: str) -> str:
    return statement if tm.database.product.name == "postgresql" else statement.replace('"', "`")


def _plain(value: Any, name: str, now: datetime, types: bool) -> Any:
    if isinstance(value, datetime):
        return _distance(value, now)
    if name == "Score" and value > 1e9:
        return _distance(times.from_unix(value), now)
    if name == "EnqueueKey" and value:
        found = _KEY.fullmatch(value)
        assert found, value
        return _distance(times.from_unix(int(found["ms"], 16) / 1000), now)
    if isinstance(value, str):
        value = _ISO.sub(lambda m: _distance(times.parse(m[0]) or now, now), value)
        value = _UNIX.sub(lambda m: _distance(times.from_unix(int(m[0])), now), value)
        return value if types else _TYPES.sub("", value)
    return value


def _distance(moment: datetime, now: datetime) -> str:
    """A moment as minutes from now, rounded; the beginning of an hour as itself."""
    if moment.minute == moment.second == moment.microsecond == 0:
        return moment.isoformat()
    return f"now {round((moment - now) / timedelta(minutes=1)):+d} min"

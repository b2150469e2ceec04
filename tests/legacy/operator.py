"""A person with an SQL console: plain connections, no code of the project."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pymysql
from pymysql.cursors import DictCursor


@dataclass(frozen=True)
class Until:
    """Something that must come true within seconds."""

    seconds: float
    holds: Callable[[], Any]
    what: str = "it did not happen"


@dataclass(frozen=True)
class Quiet:
    """Seconds in which nothing needs to happen."""

    seconds: float


#: One operation: what the person does, with pauses for what the engine is to do.
Script = Generator[Until | Quiet, None, None]


class Console:
    """One person's session."""

    def __init__(self, url: str, **changes: Any) -> None:
        match = re.fullmatch(r"mysql\+pymysql://(\w*):?(\w*)@([\w.]+):(\d+)/(\w+)(?:\?.*)?", url)
        assert match is not None, url
        user, password, host, port, database = match.groups()
        self._where = {"user": user, "password": password, "host": host, "port": int(port), "database": database}
        self._where |= {"charset": "utf8mb4", "autocommit": True, "cursorclass": DictCursor, **changes}
        self.url = url
        self.connection = pymysql.connect(**self._where)

    def again(self, **changes: Any) -> Console:
        """Another session."""
        return Console(self.url, **changes)

    def run(self, sql: str, *given: Any) -> int:
        """Run a statement; how many rows it touched."""
        with self.connection.cursor() as cursor:
            return cursor.execute(sql, given or None)

    def rows(self, sql: str, *given: Any) -> list[dict[str, Any]]:
        """All rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, given or None)
            return list(cursor.fetchall())

    def value(self, sql: str, *given: Any) -> Any:
        """The first cell."""
        found = self.rows(sql, *given)
        return next(iter(found[0].values())) if found else None

    def insert(self, name: str | None, cron: str | None, procedure: str | None, active: Any = 1, **more: Any) -> int:
        """A row as people write it; its ID."""
        values = {"JobName": name, "CronExpression": cron, "StoredProcName": procedure, "IsActive": active} | more
        with self.connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(values))
            cursor.execute(f"INSERT INTO c_Job ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
            return int(cursor.lastrowid)

    def job(self, row_id: int) -> dict[str, Any]:
        """The row."""
        (found,) = self.rows("SELECT * FROM c_Job WHERE ID = %s", row_id)
        return found

    def force(self, row_id: int) -> None:
        """Run it now."""
        self.run("UPDATE c_Job SET NextRun = NOW() WHERE ID = %s", row_id)

    def history(self, name: str) -> list[dict[str, Any]]:
        """Its runs, the oldest first."""
        return self.rows("SELECT * FROM c_LoggedJob WHERE JobName = %s ORDER BY StartedAt, ID", name)

    def runs(self, name: str, count: int, seconds: float = 6.0) -> Until:
        """So many runs are in the history."""
        return Until(seconds, lambda: len(self.history(name)) >= count, f"{name} did not run {count} times")

    def planned(self, row_id: int, seconds: float = 2.5) -> Until:
        """NextRun was filled in."""
        return Until(seconds, lambda: self.job(row_id)["NextRun"] is not None, f"row {row_id} was not planned")

    def unplanned(self, row_id: int, seconds: float = 2.5) -> Until:
        """NextRun was taken away."""
        return Until(seconds, lambda: self.job(row_id)["NextRun"] is None, f"row {row_id} kept its NextRun")

    def now(self) -> datetime:
        """The server's wall clock."""
        found = self.value("SELECT NOW()")
        assert isinstance(found, datetime)
        return found

    def procedure(self, name: str, body: str) -> str:
        """A stored procedure that notes its begin and end in table Calls; its name."""
        self.run(
            f"CREATE PROCEDURE {name}() BEGIN INSERT INTO Calls (Name, Begun) VALUES ('{name}', NOW(3)); "
            f"COMMIT; {body}; UPDATE Calls SET Ended = NOW(3) WHERE Name = '{name}' AND Ended IS NULL; END"
        )
        return name

    def calls(self, name: str) -> int:
        """How often a procedure was called."""
        return int(self.value("SELECT COUNT(*) FROM Calls WHERE Name = %s", name))

    def overlaps(self, name: str) -> int:
        """How many pairs of calls of one procedure ran at the same time."""
        return int(
            self.value(
                "SELECT COUNT(*) FROM Calls a JOIN Calls b ON a.Name = b.Name AND a.ID < b.ID "
                "AND b.Begun < COALESCE(a.Ended, NOW(3)) WHERE a.Name = %s",
                name,
            )
        )

    def close(self) -> None:
        """Leave."""
        self.connection.close()


def play(scripts: dict[str, Script]) -> dict[str, BaseException]:
    """Let all scripts go on side by side until each has ended; those that failed, with what they failed by."""
    failed: dict[str, BaseException] = {}
    waiting: dict[str, tuple[Until | Quiet, float]] = {}
    going = dict(scripts)
    while going:
        for name, script in list(going.items()):
            try:
                if _goes_on(waiting.get(name)):
                    waiting[name] = (next(script), time.monotonic())
            except StopIteration:
                del going[name]
            except BaseException as error:
                failed[name] = error
                del going[name]
        time.sleep(0.02)
    return failed


def _goes_on(step: tuple[Until | Quiet, float] | None) -> bool:
    if step is None:
        return True
    what, since = step
    passed = time.monotonic() - since
    if isinstance(what, Quiet):
        return passed >= what.seconds
    if what.holds():
        return True
    if passed > what.seconds:
        raise AssertionError(f"{what.what} within {what.seconds:g} s")
    return False

"""What the tests of stored procedures share: rows of c_Job written by plain SQL, and real procedures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text

import taskmanager
from taskmanager import TaskManager
from tests.faults.test_kill import end as end
from tests.faults.test_kill import wait_for as wait_for

SERVERS = ("mariadb", "mysql", "postgresql")
_ROOT = str(Path(taskmanager.__file__).parent.parent)

#: Notes that it began, sleeps in a loop until it is let go, at its first call for another time than later at most,
#: notes that it ended.
_LOOPS = {
    "mysql": """BEGIN DECLARE n INT DEFAULT 0; DECLARE most INT;
        INSERT INTO tm_marks (what, number) VALUES ('began', CONNECTION_ID());
        SET most = (SELECT IF(COUNT(*) > 1, {then}, {seconds}) FROM tm_marks WHERE what = 'began') * 5;
        WHILE n < most AND NOT EXISTS (SELECT 1 FROM tm_marks WHERE what = 'let go') DO
        DO SLEEP(0.2); SET n = n + 1; END WHILE;
        INSERT INTO tm_marks (what, number) VALUES ('ended', CONNECTION_ID()); END""",
    "postgresql": """LANGUAGE plpgsql AS $$ DECLARE most int; BEGIN
        INSERT INTO tm_marks (what, number) VALUES ('began', pg_backend_pid()); COMMIT;
        SELECT CASE WHEN count(*) > 1 THEN {then} ELSE {seconds} END * 5 INTO most FROM tm_marks WHERE what = 'began';
        FOR n IN 1..most LOOP
        EXIT WHEN EXISTS (SELECT 1 FROM tm_marks WHERE what = 'let go'); PERFORM pg_sleep(0.2); END LOOP;
        INSERT INTO tm_marks (what, number) VALUES ('ended', pg_backend_pid()); END $$""",
}


class Bench:
    """One database as people at a console use it."""

    def __init__(self, tm: TaskManager) -> None:
        self.tm = tm
        self.product = tm.database.product.name
        self.engine = create_engine(tm.database.url, isolation_level="AUTOCOMMIT")
        self.q = tm.database.product.quote

    def close(self) -> None:
        self.engine.dispose()

    def sql(self, *statements: str) -> list[Any]:
        """Run statements on a connection of their own; the rows of the last."""
        with self.engine.connect() as connection:
            for one in statements:
                result = connection.execute(text(one.replace(":", "\\:")))
            return list(result) if result.returns_rows else []

    def procedure(self, name: str, body: str) -> str:
        """Make a procedure; its name."""
        quoted = self.q(name.replace("`", "``")) if self.product != "postgresql" else self.q(name)
        arguments = "" if self.product == "postgresql" and body.startswith("(") else "()"
        with self.engine.connect() as connection:
            connection.exec_driver_sql(f"DROP PROCEDURE IF EXISTS {quoted}")
            connection.exec_driver_sql(f"CREATE PROCEDURE {quoted}{arguments} {body}".replace("%", "%%"))
        return name

    def simple(self, name: str) -> str:
        """A procedure that does nothing, or a function that stands in for one; its name."""
        if self.product == "sqlite":
            self.tm.procedure(name)(lambda: "ran")
            return name
        body = "(INOUT r text DEFAULT 'ran') LANGUAGE sql AS $$ SELECT 'ran' $$"
        return self.procedure(name, body if self.product == "postgresql" else "SELECT 'ran'")

    def loop(self, name: str, seconds: int = 60, then: int | None = None) -> str:
        """A procedure that sleeps in a loop, between two marks, until `let_go` or for so many seconds.

        then: seconds of later calls, where they differ.
        """
        self.sql(
            "DROP TABLE IF EXISTS tm_marks",
            "CREATE TABLE tm_marks (what VARCHAR(20), number BIGINT, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)",
        )
        body = _LOOPS["postgresql" if self.product == "postgresql" else "mysql"]
        return self.procedure(name, body.format(seconds=seconds, then=seconds if then is None else then))

    def let_go(self) -> None:
        """End the loop's sleep."""
        self.sql("INSERT INTO tm_marks (what, number) VALUES ('let go', 0)")

    def marks(self, what: str) -> list[int]:
        """The connections on which the procedure began or ended."""
        return [int(row[0]) for row in self.sql(f"SELECT number FROM tm_marks WHERE what = '{what}'")]

    def is_connected(self, number: int) -> bool:
        """Whether the server still has this connection."""
        if self.product == "postgresql":
            return bool(self.sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {number}"))
        return bool(self.sql(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = {number}"))

    def job(self, procedure: str | None, name: str = "Report", cron: str = "0 2 1 1 *") -> int:
        """Write a row of c_Job by plain SQL; its ID."""
        columns = ", ".join(map(self.q, ("JobName", "CronExpression", "StoredProcName", "IsActive", "FailureCount")))
        given = {"name": name, "cron": cron, "procedure": procedure}
        table, key = self.q("c_Job"), self.q("ID")
        with self.engine.connect() as connection:
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES (:name, :cron, :procedure, 1, 7)"), given)
            return int(connection.execute(text(f"SELECT MAX({key}) FROM {table}")).scalar_one())

    def row(self, row_id: int) -> dict[str, Any]:
        """A row of c_Job."""
        with self.engine.connect() as connection:
            found = connection.execute(text(f"SELECT * FROM {self.q('c_Job')} WHERE {self.q('ID')} = {row_id}"))
            return dict(found.mappings().one())

    def runs(self) -> list[dict[str, Any]]:
        """The rows of c_LoggedJob, oldest first."""
        with self.engine.connect() as connection:
            found = connection.execute(text(f"SELECT * FROM {self.q('c_LoggedJob')} ORDER BY {self.q('ID')}"))
            return [dict(row) for row in found.mappings()]

    def servers(self) -> set[str]:
        """Who has announced itself and not signed off."""
        return {str(row[0]) for row in self.sql(f"SELECT {self.q('Id')} FROM {self.q('HangfireServer')}")}

    def trigger(self, row_id: int) -> int:
        """Run a row now; the id of its job."""
        assert self.tm.legacy_jobs is not None
        return self.tm.legacy_jobs.trigger(row_id, by="Manual")

    def performer_of(self, job_id: int) -> str:
        """The server id in whose hands a job is; empty when that is not told."""
        states = self.tm.get(job_id).history
        return next((s.data["ServerId"] for s in reversed(states) if s.name == "Processing"), "")

    def begun(self, job_id: int) -> tuple[int, str]:
        """Wait until the loop runs: its connection and the server process that runs it."""
        wait_for(lambda: self.marks("began"), 60, "the procedure did not begin")
        wait_for(lambda: self.performer_of(job_id), 5, "Processing is not told")
        return self.marks("began")[-1], self.performer_of(job_id)

    def run(self, procedure: str | None, hands: Any) -> dict[str, Any]:
        """Run a procedure by a worker ticked by hand: the row of c_Job after it, with `run`, its row of history."""
        row_id = self.job(procedure)
        self.trigger(row_id)
        assert hands().work() == 1
        return self.row(row_id) | {"run": self.runs()[-1]}

    def worker(
        self, folder: Path, *more: str, environment: Mapping[str, str] | None = None, **settings: Any
    ) -> subprocess.Popen[bytes]:
        """A real worker process with its children; `settings` are those of its environment."""
        url = self.tm.database.url.render_as_string(hide_password=False)
        variables = {f"TASKMANAGER_{name.upper()}": str(value) for name, value in settings.items()}
        variables |= {"TASKMANAGER_DATABASE_URL": url, "PYTHONPATH": f"{folder}{os.pathsep}{_ROOT}"}
        command = [sys.executable, "-m", "taskmanager", "worker", "--threads", "4", *more]
        with (folder / f"worker-{time.monotonic_ns()}.log").open("wb") as log:
            return subprocess.Popen(
                command, env=os.environ | variables | dict(environment or {}), stdout=log, stderr=log, cwd=folder
            )


def kill(server_id: str, *, whole: bool) -> None:
    """kill -9 of the process that performs, and with `whole` of its supervisor as well."""
    child = psutil.Process(int(server_id.split(":")[-2]))
    if whole:
        os.kill(child.ppid(), signal.SIGKILL)
    child.kill()


def logs(folder: Path) -> str:
    """What the workers wrote."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.glob("worker-*.log")))

"""A database of TARGCC with a worker on it, and a person at a plain driver's connection."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import DictCursor
from sqlalchemy.engine import make_url

from taskmanager import TaskManager
from taskmanager.storage import schema
from tests.alerts import receivers
from tests.faults.test_kill import start_worker

TABLES = ("c_Job", "c_LoggedJob", "c_JobAlertRecipient", "c_User", "c_Lookup")
JOBS = """
import time
from taskmanager import JobContext, JobResult, job

@job(display_name="BackupDB")
def backup() -> str:
    return "backed up"

@job(retries=0)
def partly() -> JobResult:
    return JobResult.ok("9 of 12").with_metadata("SuccessCount", 9).with_metadata("FailureCount", 3)

@job(retries=1, delays=[1.0])
def second_try(ctx: JobContext) -> str:
    if ctx.attempt == 1:
        raise ValueError("not yet")
    return "at last"

@job(retries=0)
def needs(argument: int) -> None:
    pass

@job(retries=0)
def takes_long(ctx: JobContext) -> None:
    ctx.sleep(60)
"""
#: Rows that are due when the first worker starts, by code and runner: what they come to is looked at later.
DUE: dict[tuple[str, str], dict[str, Any]] = {
    ("mnTM_Long", "due"): {},
    ("mnTM_Two", "due"): {},
    ("mnTM_Silent", "due"): {},
    ("mntm_sales", "due"): {"NextRunTime": "2024-02-10 02:00"},
    ("PARTLY", "due"): {},
    ("second_try", "due"): {},
    ("NobodyKnowsIt", "due"): {},
    ("mnTM_Missing", "due"): {},
    ("needs", "due"): {},
    ("run_procedure", "due"): {},
    ("mnTM_Two", "once"): {"enmJobType": "OneOff", "WhenToRun": "2024-02-10 08:00", "NextRunTime": None},
    ("mnTM_Silent", "paced"): {"enmJobType": "CyclicSec", "CyclicCount": 1, "NextRunTime": None},
    ("mnTM_Slow", "due"): {"TimeOutSec": 1},
    ("takes_long", "due"): {"TimeOutSec": 1},
    ("mnTM_Edited", "held"): {"Active": 0},
}


class Office:
    """runner: LocalTaskManager. Rows are made by `insert`, which returns the ID."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.mailbox = receivers.start_mail()
        (folder / "targccjobs.py").write_text(JOBS)
        self._connection = self.connect()
        self._script((Path(__file__).parent / "schema.sql").read_text("utf-8"))
        self.before = {name: self.definition(name) for name in TABLES}
        self.tm = TaskManager(database_url=url, doorbell=False, discover="targccjobs")
        schema.upgrade(self.tm.database.engine, "Hangfire")
        schema.check(self.tm.database.engine, "Hangfire")
        self.workers: list[subprocess.Popen[bytes]] = []
        now = self.now()
        self.due = {key: self.insert(*key, **({"NextRunTime": now} | columns)) for key, columns in DUE.items()}

    def start(self) -> None:
        """One more worker."""
        quick = {
            "TASKMANAGER_DISCOVER": "targccjobs",
            "TASKMANAGER_SMTP_HOST": "127.0.0.1",
            "TASKMANAGER_SMTP_PORT": str(self.mailbox.port),
            "TASKMANAGER_SMTP_TLS": "off",
        }
        self.workers.append(start_worker(self.url, self.folder, environment=quick))

    def kill(self) -> None:
        """kill -9 of all workers and their children, and new ones in their place."""
        for worker in self.workers:
            family = psutil.Process(worker.pid).children(recursive=True)
            for one in [psutil.Process(worker.pid), *family]:
                one.send_signal(signal.SIGKILL)
            worker.wait()
        self.workers = []
        self.start()

    def close(self) -> None:
        for worker in self.workers:
            worker.terminate()
        codes = [worker.wait(30) for worker in self.workers]
        self.tm.close()
        self._connection.close()
        self.mailbox.stop()
        assert codes == [0] * len(codes)

    def log(self) -> str:
        """What the workers have written."""
        return "".join(file.read_text("utf-8", "replace") for file in sorted(self.folder.glob("worker-*.log")))

    # -- the person -------------------------------------------------------------------------------------------

    def connect(self, **options: Any) -> Any:
        at = make_url(self.url)
        return pymysql.connect(
            host=at.host, port=at.port, user=at.username, password=at.password or "", database=at.database,
            charset="utf8mb4", autocommit=options.pop("autocommit", True), cursorclass=DictCursor, **options,
        )  # fmt: skip

    def sql(self, text: str, *values: Any) -> Any:
        """Run one statement; its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall()

    def one(self, text: str, *values: Any) -> Any:
        (row,) = self.sql(text, *values)
        return row

    def _script(self, text: str) -> None:
        several = self.connect(client_flag=CLIENT.MULTI_STATEMENTS)
        with several.cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass
        several.close()

    def definition(self, table: str) -> str:
        made = str(list(self.one(f"SHOW CREATE TABLE {table}").values())[1])
        return re.sub(r" AUTO_INCREMENT=\d+", "", made)

    def insert(self, code: str, runner: str = "LocalTaskManager", **columns: Any) -> int:
        """As T5: active, managed, daily at 02:00, unless told otherwise."""
        values = {
            "lkpJob": code, "lkpJobRunner": runner, "enmJobType": "Daily", "WhenToRun": "2000-01-01 02:00",
            "Active": 1, "IsManaged": 1, "TimeOutSec": 600, "AddedBy": "dba",
        } | columns  # fmt: skip
        with self._connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(values))
            cursor.execute(f"INSERT INTO c_Job ({', '.join(values)}) VALUES ({marks})", list(values.values()))
            return int(cursor.lastrowid)

    def run_now(self, row_id: int, user: str = "ops") -> None:
        """As T1."""
        self.sql(
            "UPDATE c_Job SET NextRunTime=NOW(), Active=1, WarningMailSent=0, ActivatingUser=%s WHERE ID=%s",
            user, row_id,
        )  # fmt: skip

    def row(self, row_id: int) -> Any:
        """A row, its flags as numbers."""
        found = self.one("SELECT * FROM c_Job WHERE ID = %s", row_id)
        return {n: int.from_bytes(v, "big") if isinstance(v, bytes) else v for n, v in found.items()}

    def logged(self, row_id: int) -> Any:
        """The runs of a row, oldest first."""
        return self.sql("SELECT * FROM c_LoggedJob WHERE c_JobID = %s ORDER BY ID", row_id)

    def mailed(self, row_id: int, who: str) -> None:
        """Let somebody be mailed of a row."""
        self.sql(
            "INSERT INTO c_JobAlertRecipient (c_JobID,enmJobAlertType,OverrideName,OverrideEmailOrPhone,AddedBy) "
            "VALUES (%s,'email',%s,%s,'dba')", row_id, who, f"{who}@example.com",
        )  # fmt: skip

    def mails_to(self, who: str) -> list[str]:
        """Subjects of what came to one address, oldest first."""
        return [str(mail["Subject"]) for _, to, mail in self.mailbox.mails if f"{who}@example.com" in to]

    def ran(self, what: str) -> int:
        return int(self.one("SELECT COUNT(*) AS n FROM Ran WHERE What = %s", what)["n"])

    def now(self) -> Any:
        return self.one("SELECT NOW() AS at")["at"]

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
        """Wait for something to be so: within a second or two, but on a machine that is busy."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what}\n{self.log()[-3000:]}"
            time.sleep(0.05)
        return found

    def until_ended(self, row_id: int, runs: int = 1, seconds: float = 30.0) -> Any:
        """Wait for a run to be told in c_LoggedJob; the row, and that run."""
        found = self.until(
            lambda: len(self.logged(row_id)) >= runs and self.logged(row_id), f"row {row_id} has not run", seconds
        )
        return self.row(row_id), found[runs - 1]

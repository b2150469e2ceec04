"""Every operation of the legacy contract that concerns scheduling: a person with plain SQL, and real workers beside.

The operations of a product go on side by side, in one run of two workers; each is a test of its own.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from tests.conftest import new_database, server_of
from tests.faults.test_kill import end, start_worker
from tests.legacy import edits, oddities
from tests.legacy.operator import Console, Quiet, Script, Until, play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OPERATIONS = {
    name: function
    for module in (edits, oddities)
    for name, function in vars(module).items()
    if inspect.isgeneratorfunction(function)
}


class Site:
    """A database, two workers that serve it, and a person's session."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.workers = [start_worker(url, folder, "--migrate", environment={"TASKMANAGER_DISCOVER": ""})]
        self.sql = Console(url)
        deadline = time.monotonic() + 40
        while not self.sql.rows("SHOW TABLES LIKE 'HangfireServer'") or not self.sql.rows(
            "SELECT * FROM HangfireServer"
        ):
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)
        self.workers.append(start_worker(url, folder, environment={"TASKMANAGER_DISCOVER": ""}))
        self.sql.run("CREATE TABLE Calls (ID INT AUTO_INCREMENT PRIMARY KEY, Name VARCHAR(64), Begun DATETIME(3), "
                     "Ended DATETIME(3), KEY (Name))")  # fmt: skip

    def logs(self) -> str:
        """What the workers wrote."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("worker-*.log")))


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if request.param not in request.config.getoption("--engines").split(","):
        pytest.skip("not among the engines that were asked for")
    url = new_database(server_of(request.param))
    made = Site(url, tmp_path_factory.mktemp(request.param))
    yield made
    end(*made.workers)
    made.sql.run(f"DROP DATABASE {made.sql.value('SELECT DATABASE()')}")
    made.sql.close()


@pytest.fixture(scope="module")
def failed(site: Site) -> dict[str, BaseException]:
    """All operations were played; those that failed, by name."""
    return play({name: function(site.sql) for name, function in OPERATIONS.items()})


@pytest.mark.parametrize("operation", list(OPERATIONS))
def test(site: Site, failed: dict[str, BaseException], operation: str) -> None:
    if operation in failed:
        raise failed[operation]


def alone(site: Site, script: Script) -> None:
    """Play one operation that concerns the whole table."""
    for error in play({"it": script}).values():
        raise error


def test_a_locked_row_is_told_of_once_by_each_worker(site: Site, failed: dict[str, BaseException]) -> None:
    told = [
        [line.partition("row ")[2] for line in path.read_text(errors="replace").splitlines() if "is locked by" in line]
        for path in site.folder.glob("worker-*.log")
    ]
    assert any(told)
    assert all(len(lines) == len(set(lines)) for lines in told), told
    assert "Traceback" not in site.logs()


def test_a_trigger_that_refuses_a_row_holds_up_no_other(site: Site, failed: dict[str, BaseException]) -> None:
    def script(sql: Console) -> Script:
        sql.run(
            "CREATE TRIGGER Refuse BEFORE UPDATE ON c_Job FOR EACH ROW BEGIN IF NEW.JobName = 'A27 refused' THEN "
            "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this row'; END IF; END"
        )
        sql.insert("A27 refused", "0 2 * * *", "SP_X")
        good = sql.insert("A27 good", "0 2 * * *", "SP_X")
        yield sql.planned(good, 4)
        yield Quiet(2)
        sql.run("DROP TRIGGER Refuse")
        yield sql.planned(int(sql.value("SELECT ID FROM c_Job WHERE JobName = 'A27 refused'")), 4)

    alone(site, script(site.sql))
    assert sum("not this row" in line for line in site.logs().splitlines()) <= len(site.workers)


def test_the_whole_table_is_switched_off_and_on_again_without_a_stampede(
    site: Site, failed: dict[str, BaseException]
) -> None:
    def script(sql: Console) -> Script:
        sql.run("UPDATE c_Job SET IsActive = 0")
        yield Until(4, lambda: not sql.value("SELECT COUNT(*) FROM c_Job WHERE NextRun IS NOT NULL"))
        yield Quiet(3)
        runs = sql.value("SELECT COUNT(*) FROM c_LoggedJob")
        sql.run("UPDATE c_Job SET IsActive = 1 WHERE CronExpression = '0 2 * * *'")
        yield Until(4, lambda: not sql.value("SELECT COUNT(*) FROM c_Job WHERE IsActive = 1 AND NextRun IS NULL"))
        yield Quiet(1)
        assert sql.value("SELECT COUNT(*) FROM c_LoggedJob") == runs

    alone(site, script(site.sql))


def test_a_table_that_somebody_has_locked_holds_up_no_outcome(site: Site, failed: dict[str, BaseException]) -> None:
    def script(sql: Console) -> Script:
        row = sql.insert("locked", "0 2 * * *", sql.procedure("SP_Locked", "DO SLEEP(2); SELECT 'done'"))
        sql.force(row)
        yield Until(3, lambda: sql.calls("SP_Locked") == 1)
        person = sql.again()
        person.run("LOCK TABLES c_Job WRITE")
        yield sql.runs("locked", 1, 6)
        yield Quiet(2)
        person.run("UNLOCK TABLES")
        person.close()
        yield Until(3, lambda: sql.job(row)["LastResult"] == "done")
        assert sql.job(row)["LastRun"] == sql.history("locked")[0]["StartedAt"]

    alone(site, script(site.sql))


def test_a_restored_table_is_served_by_what_is_in_it(site: Site, failed: dict[str, BaseException]) -> None:
    def script(sql: Console) -> Script:
        sql.run("TRUNCATE TABLE c_Job")
        sql.procedure("SP_Restored", "SELECT 'restored'")
        ago = sql.now() - timedelta(hours=1)
        overdue = sql.insert("restored overdue", "0 3 * * *", "SP_Restored", 1, NextRun=ago)
        fresh = sql.insert("restored", "0 4 * * *", "SP_Restored")
        assert (overdue, fresh) == (1, 2), "IDs that other rows had"
        yield sql.planned(fresh)
        yield sql.runs("restored overdue", 1, 3)
        yield Quiet(1.5)
        assert (sql.job(1)["NextRun"].hour, sql.job(2)["NextRun"].hour) == (3, 4)
        assert (sql.job(1)["LastResult"], sql.job(2)["LastResult"], sql.calls("SP_Restored")) == ("restored", None, 1)

    alone(site, script(site.sql))


def test_five_hundred_rows_forced_at_once_run_exactly_once_each(site: Site, failed: dict[str, BaseException]) -> None:
    sql = site.sql
    sql.procedure("SP_Many", "SELECT 1")
    values = ", ".join(f"('many {n}', '{n % 60} 2 * * *', 'SP_Many', 1)" for n in range(500))
    sql.run(f"INSERT INTO c_Job (JobName, CronExpression, StoredProcName, IsActive) VALUES {values}")

    def script(sql: Console) -> Script:
        waiting = "SELECT COUNT(*) FROM c_Job WHERE JobName LIKE 'many %' AND NextRun IS NULL"
        yield Until(5, lambda: not sql.value(waiting))
        sql.run("UPDATE c_Job SET NextRun = NOW() WHERE JobName LIKE 'many %'")
        yield Until(4, lambda: sql.calls("SP_Many") > 0, "none started")
        yield Until(60, lambda: sql.calls("SP_Many") >= 500, "not all started")
        yield Until(20, lambda: sql.value("SELECT COUNT(*) FROM c_LoggedJob WHERE JobName LIKE 'many %'") >= 500)
        yield Quiet(1.5)
        assert sql.value("SELECT COUNT(*) FROM c_LoggedJob WHERE JobName LIKE 'many %'") == 500
        assert sql.calls("SP_Many") == 500
        assert sql.value("SELECT COUNT(DISTINCT JobName) FROM c_LoggedJob WHERE JobName LIKE 'many %'") == 500

    alone(site, script(sql))


def test_when_one_of_two_schedulers_is_killed_the_other_goes_on(site: Site, failed: dict[str, BaseException]) -> None:
    def script(sql: Console) -> Script:
        row = sql.insert("A17", "* * * * * *", sql.procedure("SP_A17", "SELECT 1"))
        yield sql.runs("A17", 2, 8)
        kill(site.workers[0])
        count = len(sql.history("A17"))
        yield sql.runs("A17", count + 3, 10)
        sql.run("UPDATE c_Job SET IsActive = 0 WHERE ID = %s", row)
        yield sql.unplanned(row)
        begun = [r["Begun"] for r in sql.rows("SELECT Begun FROM Calls WHERE Name = 'SP_A17' ORDER BY ID")]
        assert sql.overlaps("SP_A17") == 0
        assert len({moment.replace(microsecond=0) for moment in begun}) >= len(begun) - 1, begun

    alone(site, script(site.sql))


def kill(worker: subprocess.Popen[bytes]) -> None:
    """kill -9 of a supervisor and its children."""
    for child in psutil.Process(worker.pid).children(recursive=True):
        child.kill()
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

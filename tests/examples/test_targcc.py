"""The TARGCC example, walked through as its README tells: loaded, served by a real worker, worked with by plain SQL."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from examples.targcc import load
from tests.alerts.receivers import Mailbox, body_of, start_mail
from tests.conftest import drop_database, new_database, server_of
from tests.legacy.operator import Console

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "examples" / "targcc" / "README.md").read_text(encoding="utf-8")
JOBS = "examples.targcc.jobs"
BROKEN = "Export To ERP"
#: What each row answers when it runs for the first time after the load.
ANSWERS = {
    "Daily Sales Report": "3 orders, 500.00",
    "Log Cleanup": "3 log lines removed",
    "Invoice Batch": "3 invoices",
    "Hourly Sync": None,
    "Critical Conditions": "nothing critical",
}


@pytest.fixture(scope="module", params=["mariadb", "mysql"])
def empty(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty databases on one product; their URLs."""
    if request.param not in request.config.getoption("--engines").split(","):
        pytest.skip("not among the engines that were asked for")
    server, made = server_of(request.param), list[str]()

    def make() -> str:
        made.append(new_database(server))
        return made[-1]

    yield make
    for url in made:
        drop_database(server, url)


@dataclass
class Shop:
    """The example, loaded: with a console, a mail server, and what a newcomer types."""

    url: str
    folder: Path
    sql: Console
    mailbox: Mailbox

    @property
    def environment(self) -> dict[str, str]:
        """What a newcomer has exported."""
        return os.environ | {
            "TASKMANAGER_DATABASE_URL": self.url, "PYTHONPATH": str(ROOT), "TASKMANAGER_SMTP_HOST": "127.0.0.1",
            "TASKMANAGER_SMTP_PORT": str(self.mailbox.port), "TASKMANAGER_SMTP_TLS": "off",
        }  # fmt: skip

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of the README, from another folder than the worker's."""
        return subprocess.run(
            [sys.executable, "-m", *command], env=self.environment, cwd=self.folder, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def start(self) -> subprocess.Popen[bytes]:
        """The README's worker."""
        command = [sys.executable, "-m", "taskmanager", "--discover", JOBS, "worker"]
        with (self.folder / "worker.log").open("ab") as log:
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=log, stderr=log)

    def read(self, beginning: str) -> list[dict[str, Any]]:
        """Run the README's SQL block that has a line with this; the rows of the last statement."""
        block = next(block for block in blocks("sql") if beginning in block)
        rows: list[dict[str, Any]] = []
        for one in load.statements(block):
            rows = self.sql.rows(one)
        return rows

    def wait(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until something is so, and tell it."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, (self.folder / "worker.log").read_text(errors="replace")
            time.sleep(0.05)
        return found

    def job(self, name: str) -> dict[str, Any]:
        """A row of c_Job."""
        (row,) = self.sql.rows("SELECT * FROM c_Job WHERE JobName = %s", name)
        return row

    def runs(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """The runs of a job that SQL asked for, once there are so many of them."""
        sql = "SELECT * FROM c_LoggedJob WHERE JobName = %s AND TriggeredBy = 'SQL' ORDER BY ID"
        found = self.wait(lambda: rows if len(rows := self.sql.rows(sql, name)) >= count else None)
        assert len(found) == count
        return list(found)

    def mails(self, subject: str) -> list[tuple[list[str], str]]:
        """Recipients and text of the mails whose subject has this."""
        return [(to, body_of(mail)) for _, to, mail in self.mailbox.mails if subject in str(mail["Subject"])]


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language in the README."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shop(empty: Callable[[], str], tmp_path: Path) -> Iterator[Shop]:
    """The example in a database, loaded by its command; no worker yet."""
    url = empty()
    made = Shop(url, tmp_path, Console(url), start_mail())
    left = int(made.sql.value("SELECT TIMESTAMPDIFF(SECOND, NOW(), CURRENT_DATE + INTERVAL 1 DAY)"))
    time.sleep(left + 1 if left < 60 else 0)  # yesterday's sales are to be yesterday's to the end of the test
    done = made.run("examples.targcc.load")
    assert (done.returncode, done.stderr) == (0, "")
    yield made
    made.sql.close()
    made.mailbox.stop()


def test_it_runs_as_the_readme_tells(shop: Shop) -> None:
    worker = shop.start()
    try:
        shop.wait(lambda: shop.sql.value("SELECT COUNT(*) FROM c_Job WHERE NextRun IS NOT NULL") == 6, 30)
        all_rows_run(shop)
        one_fails_and_recovers(shop)
        the_broken_row_is_found_and_mended(shop)
        the_python_job_runs_beside(shop)
        assert shop.run("taskmanager", "alerts", "list").returncode == 0
        all_rows_stop(shop)
    finally:
        worker.terminate()
        code = worker.wait(60)
    assert code == 0
    assert "Traceback" not in (shop.folder / "worker.log").read_text(errors="replace")


def all_rows_run(shop: Shop) -> None:
    since = shop.sql.now()
    shop.read("UPDATE c_Job SET NextRun = NOW();\n")
    first = {name: shop.runs(name)[0] for name in [*ANSWERS, BROKEN]}
    assert {name: first[name]["ResultMessage"] for name in ANSWERS} == ANSWERS
    assert all(first[name]["Success"] == 1 and first[name]["ErrorMessage"] is None for name in ANSWERS)
    failure = first[BROKEN]
    assert (failure["Success"], failure["ResultMessage"]) == (0, None)
    assert "SP_ExportToERP does not exist" in failure["ErrorMessage"]
    rows = {row["JobName"]: row for row in shop.read("SELECT JobName, LastRun")}
    assert {name: rows[name]["LastResult"] for name in ANSWERS} == ANSWERS
    assert rows[BROKEN]["LastResult"] == failure["ErrorMessage"]
    assert {name: row["FailureCount"] for name, row in rows.items()} == dict.fromkeys(ANSWERS, 0) | {BROKEN: 1}
    assert all(since <= row["LastRun"] < row["NextRun"] for row in rows.values())
    history = shop.read("FROM c_LoggedJob ORDER BY ID DESC")
    assert {row["JobName"] for row in history} >= {*ANSWERS, BROKEN}  # and mails, which are jobs named Alert
    what_the_procedures_did(shop)
    ((to, told),) = shop.wait(lambda: shop.mails(f"FAILED: {BROKEN}"))
    assert sorted(to) == ["dana@example.com", "oren@example.com"]
    assert "SP_ExportToERP does not exist" in told


def what_the_procedures_did(shop: Shop) -> None:
    value = shop.sql.value
    assert value("SELECT COUNT(*) FROM SalesReport WHERE OrderCount = 3 AND Amount = 500") == 1
    assert value("SELECT COUNT(*) FROM c_LoggedLogin") == 2
    assert value("SELECT COUNT(*) FROM Invoice") == 5
    assert value("SELECT COUNT(*) FROM SalesOrder WHERE enmOrderStatus = 'Shipped'") == 0
    assert shop.sql.rows("SELECT Code, Price FROM Product WHERE SyncedOn IS NULL") == [
        {"Code": "YEAST-1", "Price": value("SELECT CAST(4.20 AS DECIMAL(10, 2))")}
    ]
    assert value("SELECT COUNT(*) FROM Product") == 4
    assert value("SELECT Name FROM Customer WHERE ID = 1") == "מאפיית הגליל"


def one_fails_and_recovers(shop: Shop) -> None:
    name, text = "Critical Conditions", "CRITICAL: stock is short of 1 products"
    shop.read("UPDATE Product SET Stock = 0")
    assert shop.runs(name, 2)[-1]["ErrorMessage"] == text
    assert shop.job(name)["LastResult"] == text
    assert shop.job(name)["FailureCount"] >= 1  # its cron may have come as well
    to, told = shop.wait(lambda: shop.mails(f"FAILED: {name}"))[0]
    assert to == ["watch@example.com"]
    assert text in told
    time.sleep(1.1)  # what is failing is read anew each second
    shop.read("UPDATE Product SET Stock = 50")
    assert shop.runs(name, 3)[-1]["ResultMessage"] == "nothing critical"
    assert (shop.job(name)["LastResult"], shop.job(name)["FailureCount"]) == ("nothing critical", 0)
    assert shop.wait(lambda: shop.mails(f"Recovered: {name}"))[0][0] == ["watch@example.com"]


def the_broken_row_is_found_and_mended(shop: Shop) -> None:
    assert problems(shop) == (1, {BROKEN: "procedure 'SP_ExportToERP' does not exist, or this user may not see it"})
    shop.read("CREATE PROCEDURE SP_ExportToERP")
    assert shop.runs(BROKEN, 2)[-1]["ResultMessage"] == "5 invoices exported"
    assert shop.job(BROKEN)["FailureCount"] == 0
    assert problems(shop) == (0, {})


def problems(shop: Shop) -> tuple[int, dict[str, str]]:
    """The exit code of `legacy check`, and the problems of the rows that have some."""

    def check() -> subprocess.CompletedProcess[str] | None:
        done = shop.run("taskmanager", "legacy", "check", "--json")
        # A MariaDB that starts empties the folder of temporary tables of all others that share it.
        return None if "#sql-temptable" in done.stderr else done

    done = shop.wait(check, 40)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert {row["name"] for row in found} == {*ANSWERS, BROKEN}
    dana = "EmailOnFailure: dana@example.com"
    mailed = {"Invoice Batch": dana, BROKEN: f"{dana}, oren@example.com"}
    assert {row["name"]: row["notes"] for row in found if row["notes"]} == mailed
    return done.returncode, {row["name"]: row["problems"] for row in found if row["problems"]}


def the_python_job_runs_beside(shop: Shop) -> None:
    command = next(line for block in blocks("sh") for line in block.splitlines() if "recurring trigger" in line)
    done = shop.run(*shlex.split(command))
    assert done.returncode == 0, done.stderr
    sql = "SELECT * FROM c_LoggedJob WHERE JobName = 'Sales Forecast'"
    (run,) = shop.wait(lambda: shop.sql.rows(sql))
    assert (run["Success"], run["JobType"], run["ResultMessage"]) == (1, "Recurring", "today: 600.00")
    (forecast,) = shop.read("SELECT * FROM SalesForecast")
    assert (forecast["ForecastDay"], forecast["Amount"]) == (shop.sql.value("SELECT CURRENT_DATE"), 600)
    listed = shop.run("taskmanager", "recurring", "list").stdout
    assert all(name in listed for name in ["Sales Forecast", *ANSWERS, BROKEN])


def all_rows_stop(shop: Shop) -> None:
    shop.read("UPDATE c_Job SET IsActive = 0")
    shop.wait(lambda: shop.sql.value("SELECT COUNT(*) FROM c_Job WHERE NextRun IS NULL") == 6)


def test_it_is_not_loaded_over_a_c_job_that_is_there(shop: Shop) -> None:
    shop.sql.run("INSERT INTO c_Job VALUES (NULL, 'n', '0 2 * * *', 'SP_X', 1, NULL, NULL, NULL, 0, 1)")
    again = shop.run("examples.targcc.load")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.strip() == "error: Table 'c_Job' already exists; load the example into an empty database"
    assert len(shop.sql.rows("SELECT * FROM c_Job")) == 7


def test_the_mysql_client_loads_the_same(shop: Shop, empty: Callable[[], str]) -> None:
    client = shutil.which("mysql") or shutil.which("mariadb")
    if client is None:
        pytest.skip("no mysql client is installed")
    url = make_url(empty())
    command = [
        client, "--no-defaults", f"--host={url.host}", f"--port={url.port}", f"--user={url.username}",
        "--protocol=tcp", "--default-character-set=latin1", str(url.database),
    ]  # fmt: skip
    options: dict[str, Any] = {"env": os.environ | {"MYSQL_PWD": url.password or ""}, "capture_output": True}
    reached = subprocess.run([*command, "-e", "SELECT 1"], timeout=30, check=False, **options)
    if reached.returncode != 0:
        pytest.skip(f"the mysql client cannot reach the server: {reached.stderr!r}")
    with load.SCHEMA.open("rb") as script:
        done = subprocess.run(command, stdin=script, timeout=60, check=False, **options)
    assert (done.returncode, done.stderr) == (0, b"")
    other = Console(url.render_as_string(hide_password=False))
    assert contents(other) == contents(shop.sql)
    other.close()


def contents(sql: Console) -> dict[str, Any]:
    """Columns, procedures and rows, without moments."""
    columns = sql.rows(
        "SELECT TABLE_NAME AS t, COLUMN_NAME AS c, COLUMN_TYPE AS k, COLLATION_NAME AS n, DATA_TYPE AS d "
        "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION"
    )
    found: dict[str, Any] = {"columns": columns}
    found["procedures"] = sql.rows(
        "SELECT ROUTINE_NAME AS r, ROUTINE_DEFINITION AS d FROM information_schema.ROUTINES "
        "WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY ROUTINE_NAME"
    )
    assert len(found["procedures"]) == 5
    for table in {row["t"] for row in columns}:
        kept = ", ".join(f"`{row['c']}`" for row in columns if row["t"] == table and row["d"] != "datetime")
        found[table] = sql.rows(f"SELECT {kept} FROM `{table}` ORDER BY 1")
    return found


def test_the_loader_makes_the_database(empty: Callable[[], str]) -> None:
    url = make_url(empty()).set(drivername="mysql")
    made = url.set(database=f"{url.database}_made")
    try:
        assert load.load(made.render_as_string(hide_password=False)) == 27 + 1
    finally:
        sql = Console(url.set(drivername="mysql+pymysql").render_as_string(hide_password=False))
        assert sql.value("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", made.database) == 12
        sql.run(f"DROP DATABASE {made.database}")
        sql.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sqlite:///shop.db"], "error: the example has stored procedures of MySQL and MariaDB: name one of them"),
        (["shop"], "error: Could not parse SQLAlchemy URL from given URL string"),
        (["mysql://root@127.0.0.1:1/shop"], "error: Can't connect to MySQL server on '127.0.0.1'"),
        ([], "usage: "),
    ],
)
def test_the_loader_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str) -> None:
    monkeypatch.delenv("TASKMANAGER_DATABASE_URL", raising=False)
    assert (load.main(arguments) or "").startswith(told)


def test_statements_end_at_their_delimiter() -> None:
    script = "-- a; b\nSELECT 1;\nDELIMITER //\nSELECT ';\n';\n\nSELECT 2//\ndelimiter ;\n\nSELECT\n  3;\n-- end\n"
    assert list(load.statements(script)) == ["SELECT 1", "SELECT ';\n';\n\nSELECT 2", "SELECT\n  3"]
    with pytest.raises(ValueError, match="in the middle of a statement: SELECT 2"):
        list(load.statements("SELECT 1;\nSELECT 2"))


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", README):
        assert (ROOT / "examples" / "targcc" / link).exists(), link

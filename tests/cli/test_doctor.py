"""Each finding of the doctor, provoked on every database and seen with its cure."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from taskmanager import TaskManager
from taskmanager.domain.times import utcnow
from taskmanager.storage import backlog, database, doctor, queues, schema, servers
from taskmanager.storage import recurring as recurring_rows
from taskmanager.storage.engines import make_engine
from tests.cli.conftest import Cli, lines, run
from tests.walks.test_legacy import insert

SERVERS = ("mysql", "mariadb", "postgresql")


def only_on(engine_name: str, *products: str) -> None:
    """Skip what the other products do not have."""
    if engine_name not in products:
        pytest.skip(f"only {', '.join(products)}")


def findings(*arguments: str) -> dict[str, list[dict[str, str]]]:
    """What the doctor says, by subject; bad findings are exit code 1."""
    import json

    result = run("doctor", "--json", *arguments)
    assert result.stderr == ""
    rows = json.loads(result.stdout)
    assert result.exit_code == int(any(row["level"] == "bad" for row in rows))
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["subject"], []).append(row)
    return found


def only(subject: str, *arguments: str) -> dict[str, str]:
    """The one finding of a subject; all others are good."""
    found = findings(*arguments)
    others = {s: rows for s, rows in found.items() if s != subject and any(r["level"] != "ok" for r in rows)}
    assert others == {}
    (row,) = found[subject]
    return row


@pytest.fixture
def fresh(place: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with tables that a test may spoil."""
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", database_url)
    assert run("db", "upgrade").exit_code == 0
    return database_url


@pytest.fixture
def on_connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets sessions begin with a statement, as a proxy or a listener of somebody else would."""
    make = make_engine

    def install(statement: str) -> None:
        def spoiled(*args: Any, **options: Any) -> Any:
            engine = make(*args, **options)

            @event.listens_for(engine, "connect")
            def _on_connect(connection: Any, _: Any) -> None:
                cursor = connection.cursor()
                cursor.execute(statement)
                cursor.close()
                connection.commit()

            return engine

        monkeypatch.setattr(database, "make_engine", spoiled)

    return install


def test_what_is_good_is_told_too(cli_on: Cli, tm: TaskManager, engine_name: str) -> None:
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default"]}))
    cli_on("enqueue", "add", "1")
    rows = [row for found in findings().values() for row in found]
    assert {row["level"] for row in rows} == {"ok"}
    assert {row["cure"] for row in rows} == {""}
    subjects = ["version", "tables", "clock", "isolation", "indexes", "purge", "servers", "queues", "states"]
    subjects += ["recurring", "jobs"]
    assert [row["subject"] for row in rows] == subjects
    assert rows[0]["text"].startswith(engine_name)
    shown = cli_on("doctor")
    assert (shown.exit_code, shown.stdout.count("\nok ")) == (0, len(subjects) - 1)
    assert "cure" not in shown.stdout


def test_an_old_server_is_bad(cli_on: Cli, engine_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor._OLDEST, engine_name, (99, 1))
    row = only("version")
    assert (row["level"], row["cure"]) == ("bad", "upgrade it to 99.1 or later")
    assert "      cure: upgrade it to 99.1 or later\n" in cli_on("doctor").stdout


def test_a_database_without_tables_is_bad(place: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", database_url)
    (place / "empty.db").touch()
    row = only("tables")
    assert (row["level"], row["text"]) == ("bad", "there are none")
    assert "taskmanager db upgrade" in row["cure"]


def test_tables_that_lack_something_are_bad_and_the_cure_helps(fresh: str, engine_name: str) -> None:
    change(fresh, drop_index("HangfireJob", "IX_HangfireJob_ExpireAt", engine_name))
    row = only("tables")
    assert (row["level"], "ExpireAt" in row["text"]) == ("bad", True)
    assert run("db", "upgrade").exit_code == 0
    assert only("tables")["text"] == f"all there; revision {schema.head()}"


def change(url: str, *statements: str) -> None:
    made = database.Database(url)
    with made.engine.begin() as connection:
        for one in statements:
            connection.execute(text(one))
    made.dispose()


def drop_index(table: str, index: str, engine_name: str) -> str:
    return f"DROP INDEX {index} ON {table}" if engine_name in ("mysql", "mariadb") else f'DROP INDEX "{index}"'


def test_a_clock_that_differs_is_told(cli_on: Cli, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "utcnow", lambda: utcnow() + timedelta(minutes=5))
    row = only("clock")
    assert (row["level"], "300.0 s off" in row["text"] or "299.9" in row["text"]) == ("warn", True)
    assert "NTP" in row["cure"]


def test_another_isolation_level_is_bad(cli_on: Cli, engine_name: str, on_connect: Callable[[str], None]) -> None:
    only_on(engine_name, *SERVERS)
    words = "CHARACTERISTICS AS TRANSACTION" if engine_name == "postgresql" else "TRANSACTION"
    on_connect(f"SET SESSION {words} ISOLATION LEVEL REPEATABLE READ")
    row = only("isolation")
    assert (row["level"], row["text"].split(":")[0]) == ("bad", "REPEATABLE READ")
    assert "READ COMMITTED" in row["cure"]


def test_a_binary_log_of_statements_is_bad(
    cli_on: Cli, url: str, engine_name: str, on_connect: Callable[[str], None]
) -> None:
    only_on(engine_name, "mysql")
    made = database.Database(url)
    with made.engine.connect() as connection:
        logs, form = connection.execute(text("SELECT @@log_bin, @@binlog_format")).one()
    made.dispose()
    assert form == "ROW"
    if not logs:
        pytest.skip("this server writes no binary log")
    on_connect("SET SESSION binlog_format = 'STATEMENT'")
    row = only("binlog")
    assert (row["level"], row["cure"]) == ("bad", "SET GLOBAL binlog_format = 'ROW'")


def fill(url: str) -> None:
    """So many rows that no server reads all of them of its own accord."""
    tm = TaskManager(database_url=url, doorbell=False)
    tm.database.run(lambda tx: queues.push(tx, [(i, f"q{i % 3}", 0) for i in range(1, 3001)]))
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["q0", "q1", "q2"]}))
    tm.close()


def analyze(engine_name: str, table: str) -> str:
    return f"ANALYZE TABLE {table}" if engine_name in ("mysql", "mariadb") else f'ANALYZE "{table}"'


def test_a_claim_without_its_index_is_bad(fresh: str, engine_name: str) -> None:
    fill(fresh)
    change(fresh, analyze(engine_name, "HangfireJobQueue"))
    assert only("indexes")["level"] == "ok"
    change(fresh, drop_index("HangfireJobQueue", "IX_HangfireJobQueue_Claim", engine_name))
    found = findings()
    assert found["tables"][0]["level"] == "bad"
    claim = found["indexes"][0]
    assert (claim["level"], claim["text"].split()[0]) == ("bad", "queues.claimable")
    assert "IX_HangfireJobQueue_Claim" in claim["text"]
    assert "ANALYZE" in claim["cure"]
    assert "taskmanager db upgrade" in claim["cure"]
    run("db", "upgrade")
    assert only("indexes")["level"] == "ok"


def test_an_index_that_the_server_may_not_use_is_bad(fresh: str, engine_name: str) -> None:
    only_on(engine_name, "mysql")
    fill(fresh)
    change(fresh, "ALTER TABLE HangfireJobQueue ALTER INDEX IX_HangfireJobQueue_JobId INVISIBLE")
    row = only("indexes")
    assert (row["level"], row["text"].split()[0]) == ("bad", "queues.delete_of_jobs")
    assert "visible" in row["cure"]


def test_few_rows_are_read_as_the_server_likes(fresh: str, engine_name: str) -> None:
    change(fresh, analyze(engine_name, "HangfireJobQueue"))
    assert only("indexes")["text"].endswith("hot statements are served")


def test_a_transaction_that_stays_open_is_told_with_its_connection(
    cli_on: Cli, tm: TaskManager, engine_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_on(engine_name, *SERVERS)
    monkeypatch.setattr(backlog, "OPEN_SECONDS", 0.0)
    with tm.database.engine.connect() as connection:
        number = "pg_backend_pid()" if engine_name == "postgresql" else "CONNECTION_ID()"
        connection.execute(text("UPDATE {} SET {} = 1".format(*map(tm.database.product.quote, ("c_Job", "ID")))))
        own = connection.execute(text(f"SELECT {number}")).scalar_one()
        until = time.monotonic() + 10
        # InnoDB's list of transactions is made anew when nobody has asked for it for 0.1 s: another test may have.
        while (row := only("purge"))["level"] == "ok" and time.monotonic() < until:
            time.sleep(random.uniform(0.15, 0.4))
    assert (row["level"], "has a transaction open for" in row["text"]) == ("warn", True)
    ending = "SELECT pg_terminate_backend({})" if engine_name == "postgresql" else "KILL {}"
    if engine_name == "postgresql" or str(own) in row["text"]:  # InnoDB tells of all databases of the server
        assert ending.format(own) in row["cure"]


def test_what_was_not_cleaned_away_is_told(cli_on: Cli, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HISTORY_LENGTH", "DEAD_ROWS", "LOG_BYTES"):
        monkeypatch.setattr(backlog, name, -1)
    row = only("purge")
    assert row["level"] == "warn"
    told = (
        ("history list length", "oldest transaction"),
        ("dead rows", "VACUUM"),
        ("write-ahead log", "wal_checkpoint"),
    )
    assert any(what in row["text"] and cure in row["cure"] for what, cure in told)


def test_a_user_who_may_not_see_the_servers_inside_is_told_so(fresh: str, engine_name: str) -> None:
    only_on(engine_name, "mysql", "mariadb")
    name = fresh.partition("?")[0].rpartition("/")[2]
    user = name[:16]
    change(
        fresh, f"CREATE USER {user} IDENTIFIED BY 'x'", f"GRANT SELECT, UPDATE, INSERT, DELETE ON {name}.* TO {user}",
    )  # fmt: skip
    try:
        made = database.Database(fresh)
        url = made.url.set(username=user, password="x").render_as_string(hide_password=False)
        row = only("purge", "--database-url", url)
    finally:
        change(fresh, f"DROP USER {user}")
    assert (row["level"], "PROCESS" in row["text"]) == ("ok", True)


def test_a_silent_server_is_told(cli_on: Cli, tm: TaskManager) -> None:
    tm.database.clock.shift(timedelta(minutes=-5))
    tm.database.run(lambda tx: servers.announce(tx, "lost:1:x", {"Queues": ["default"]}))
    row = only("servers")
    assert (row["level"], row["text"]) == ("warn", "silent: lost:1:x")
    assert "taskmanager worker" in row["cure"]


def test_jobs_that_wait_where_nobody_claims_are_told(cli_on: Cli, tm: TaskManager) -> None:
    cli_on("enqueue", "add", "1", "--queue", "mail")
    row = only("queues")
    assert (row["level"], row["text"]) == ("warn", "1 job waits in mail, and no server runs")
    assert "taskmanager worker --queues mail" in row["cure"]
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default"]}))
    assert only("queues")["text"] == "1 job waits in mail, and no server serves it"
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default", "mail"]}))
    assert only("queues")["level"] == "ok"
    cli_on("queues", "pause", "mail")
    row = only("queues")
    assert (row["text"], row["cure"]) == ("mail is paused, and 1 job waits in it", "`taskmanager queues resume mail`")


def test_jobs_that_no_queue_knows_are_told_and_cured_by_requeue(cli_on: Cli, tm: TaskManager) -> None:
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default"]}))
    job, row = tm.database.tables.job, tm.database.tables.queue
    ids = [int(cli_on("enqueue", "add", "1", "--json").stdout.partition(": ")[2].strip(" }\n")) for _ in range(3)]
    with tm.database.engine.begin() as connection:
        connection.execute(row.delete().where(row.c.JobId.in_(ids[:2])))
        connection.execute(job.update().where(job.c.Id == ids[0]).values(StateName="Processing"))
    running, waiting = findings()["states"]
    assert running == {
        "level": "warn", "subject": "states",
        "text": "1 jobs are Processing without a queue row, and nobody will end them",
        "cure": f"`taskmanager jobs requeue {ids[0]}`, or delete",
    }  # fmt: skip
    assert waiting["text"] == "1 jobs are Enqueued without a queue row, and nobody will claim them"
    for one in (running, waiting):
        cli_on(*one["cure"].split("`")[1].split()[1:])
    assert only("states")["level"] == "ok"
    assert tm.database.run(lambda tx: queues.waiting_among(tx, ids)) == set(ids)


def test_recurring_jobs_that_cannot_fire_are_told(cli_on: Cli, tm: TaskManager) -> None:
    cli_on("recurring", "add", "r1", "0 2 * * *", "Adder", "1")
    cli_on("recurring", "add", "r2", "0 2 * * *", "Adder", "1")
    assert only("recurring")["text"] == "2 defined"
    tm.database.run(lambda tx: recurring_rows.save(tx, "r1", {"Error": "cron 'x' is wrong"}, None))
    tm.database.run(lambda tx: recurring_rows.save(tx, "r2", {"Orphaned": "1"}, None))
    insert(tm, "61 * * * *", "SP_Report", "Report")
    broken, orphan, row = findings()["recurring"]
    assert broken["text"] == "r1 does not fire: cron 'x' is wrong"
    assert "taskmanager recurring add r1" in broken["cure"]
    assert orphan["text"] == "the code of r2 is gone"
    assert "taskmanager recurring remove r2" in orphan["cure"]
    assert "Report does not fire" in row["text"]
    assert row["cure"].startswith("UPDATE c_Job SET CronExpression")
    assert {f["level"] for f in (broken, orphan, row)} == {"warn"}


def test_waiting_jobs_that_nobody_knows_are_told(cli_on: Cli, tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default"]}))
    cli_on("enqueue", "add", "1")
    monkeypatch.setenv("TASKMANAGER_DISCOVER", "")
    row = only("jobs")
    assert (row["level"], row["text"]) == ("warn", "waiting, but not known here: clijobs:add")
    assert "`discover`" in row["cure"]


def test_a_module_that_cannot_be_imported_is_bad(cli: Cli, place: Path) -> None:
    (place / "brokenjobs.py").write_text("1 / 0", encoding="utf-8")
    rows = [r for r in lines_of("--discover", "clijobs,brokenjobs") if r["subject"] == "modules"]
    assert [(r["level"], r["text"]) for r in rows] == [
        ("bad", "brokenjobs cannot be imported: ZeroDivisionError: division by zero")
    ]
    assert "`discover`" in rows[0]["cure"]


def lines_of(*arguments: str) -> list[dict[str, str]]:
    import json

    result = run("doctor", "--json", *arguments)
    assert result.exit_code == 1
    found: list[dict[str, str]] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    "url",
    ["mysql://a:secret@127.0.0.1:1/x", "postgresql://a:secret@127.0.0.1:1/x", "sqlite:///none.db", "sqlite:///text.db"],
)
def test_a_database_that_does_not_answer_is_a_finding_too(place: Path, url: str) -> None:
    (place / "text.db").write_text("no database " * 100, encoding="utf-8")
    (row,) = lines_of("--database-url", url)
    assert (row["level"], row["subject"]) == ("bad", "database")
    assert row["cure"]
    assert "secret" not in row["text"]


def test_the_doctor_reads_only(cli: Cli) -> None:
    before = lines(cli("jobs", "list", "--json")), lines(cli("recurring", "list", "--json"))
    findings()
    assert (lines(cli("jobs", "list", "--json")), lines(cli("recurring", "list", "--json"))) == before


def test_every_subject_is_told_in_the_guide() -> None:
    root = Path(__file__).parent.parent.parent
    source = "".join((root / "taskmanager" / part).read_text("utf-8") for part in ("storage/doctor.py", "cli/admin.py"))
    subjects = set(re.findall(r'Finding\(\s*(?:"\w+"|[^,"]+),\s*"([a-z ]+)"', source))
    assert len(subjects) > 10
    page = (root / "docs" / "guide" / "command-line.md").read_text("utf-8").partition("`doctor` prints one finding")[2]
    assert sorted(subjects - set(re.findall(r"`([a-z ]+)`", page))) == []

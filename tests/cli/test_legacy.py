"""Moving over from c_Job: looking, taking over, going back; and settings of the .NET world."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from taskmanager import TaskManager
from tests.cli.conftest import Cli, lines, run

ROWS = [
    (1, "Daily Sales Report", "0 2 * * *", "SP_Report", 1),
    (2, "Twin", "0 0 9 * * ?", "SP_Report", 1),
    (3, "Twin", "0 3 13 * 5", "SP_Report", 1),
    (4, "Broken", "61 * * * *", "SP_Report", 1),
    (5, "Odd", "0 4 * * *", "SP_X; DROP TABLE c_Job", 1),
    (6, "By hand", None, "SP_Report", 1),
    (7, "Off", "0 5 * * *", "SP_Report", 0),
    (8, "Never", "0 0 31 2 *", "SP_Report", 1),
    (9, "דוח יומי", "0 6 * * *", "SP_Missing", 1),
    (10, "Wants more", "0 7 * * *", "SP_Two", 1),
]


@pytest.fixture
def rows(cli_on: Cli, url: str, engine_name: str) -> Cli:
    """c_Job with a row of each kind, and the procedures, where there are such."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for row in ROWS:
            names = ("ID", "JobName", "CronExpression", "StoredProcName", "IsActive")
            quoted = ", ".join(f"`{n}`" if "mysql" in url else f'"{n}"' for n in names)
            table = "c_Job" if "mysql" in url else '"c_Job"'
            connection.execute(
                text(f"INSERT INTO {table} ({quoted}) VALUES (:id, :name, :cron, :procedure, :active)"),
                dict(zip(("id", "name", "cron", "procedure", "active"), row, strict=True)),
            )
        if engine_name in ("mariadb", "mysql"):
            connection.exec_driver_sql("DROP PROCEDURE IF EXISTS SP_Report")
            connection.exec_driver_sql("CREATE PROCEDURE SP_Report() SELECT 'reported'")
            connection.exec_driver_sql("DROP PROCEDURE IF EXISTS SP_Two")
            connection.exec_driver_sql("CREATE PROCEDURE SP_Two(a INT, b INT) SELECT a")
        if engine_name == "postgresql":
            for name, more in ("SP_Report", ""), ("SP_Two", "a int, "):
                made = f"\"{name}\"({more}INOUT r text DEFAULT NULL) LANGUAGE sql AS $$ SELECT 'reported' $$"
                connection.exec_driver_sql(f'DROP PROCEDURE IF EXISTS "{name}"')
                connection.exec_driver_sql(f"CREATE PROCEDURE {made}")
    engine.dispose()
    return cli_on


def test_check_tells_of_each_row_what_keeps_it_from_running_and_what_differs(
    rows: Cli, tm: TaskManager, engine_name: str
) -> None:
    legacy = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        for row_id, columns in {
            1: {"EmailOnFailure": 1, "NextRun": datetime(2020, 1, 1)}, 2: {"NextRun": datetime(2999, 1, 1)},
            7: {"NextRun": datetime(2020, 1, 1)}, 8: {"StoredProcName": "FN_Report"},
        }.items():  # fmt: skip
            connection.execute(legacy.update().where(row_id == legacy.c.ID).values(**columns))
        if engine_name in ("mariadb", "mysql"):
            connection.exec_driver_sql("DROP FUNCTION IF EXISTS FN_Report")
            connection.exec_driver_sql("CREATE FUNCTION FN_Report() RETURNS INT DETERMINISTIC RETURN 1")
    result = rows("legacy", "check", "--json")
    assert result.exit_code == 1, "there are problems"
    found = {row["id"]: row for row in json.loads(result.stdout)}
    assert len(found) == len(ROWS)
    assert found[1]["next_runs"].count(" 02:00:00") == 3
    assert "6 fields" in found[2]["notes"]
    assert "c_job:2" in found[2]["notes"]
    assert "OR day of week" in found[3]["notes"]
    assert "61" in found[4]["problems"]
    assert "not the name of a procedure" in found[5]["problems"]
    assert "only when it is forced" in found[6]["notes"]
    assert "inactive" in found[7]["notes"]
    assert "never fires" in found[8]["notes"]
    assert "EmailOnFailure: nobody is mailed: smtp_host is not set" in found[1]["notes"]
    assert "has passed: it runs once, at once" in found[1]["notes"]
    assert "NextRun 2999-01-01 00:00:00 comes first" in found[2]["notes"]
    assert "NextRun" not in found[3]["notes"] + found[7]["notes"]
    if engine_name in ("mariadb", "mysql"):
        assert "does not exist" in found[8]["problems"], "a function cannot be called"
        assert "takes 2 parameters" in found[10]["problems"]
    if engine_name == "postgresql":
        assert "takes 1 parameters" in found[10]["problems"], "what has a default need not be given"
    if engine_name != "sqlite":
        assert found[1]["problems"] == ""
        assert "does not exist" in found[9]["problems"]


@pytest.mark.parametrize("is_older", [False, True], ids=["c_Job", "older c_Job"])
def test_check_needs_no_table_but_c_job_and_makes_none(place: Path, is_older: bool) -> None:
    url = f"sqlite:///{place}/before.db"
    columns = (
        '"ID" integer primary key, "JobName" text, "CronExpression" text, "StoredProcName" text, "IsActive" integer, '
        '"LastRun" datetime, "NextRun" datetime, "LastResult" text, "FailureCount" integer, "EmailOnFailure" integer'
    )
    values = "1, 'Report', '0 2 * * *', 'SP_Report', 1, NULL, NULL, NULL, 0, 1"
    if is_older:
        dates, texts = ("WhenToRun", "NextRunTime", "LastRunTime"), ("lkpJob", "lkpJobRunner", "enmJobType")
        others = ("enmJobStatus", "ActivatingUser", "LastRunBy", "AddedBy")
        numbers = ("CyclicCount", "SendNotificationOnSuccess", "TimeOutSec", "Active", "WarningMailSent", "IsManaged")
        columns = ", ".join(
            ['"ID" integer primary key', *(f'"{n}" datetime' for n in dates), *(f'"{n}" text' for n in texts + others),
             *(f'"{n}" integer' for n in numbers)]
        )  # fmt: skip
        values = "1, '2000-01-01 02:00:00', NULL, NULL, 'mnTM_Sales', 'day', 'Daily', NULL, NULL, NULL, 'dba'"
        values += ", 0, 0, 60, 1, 0, 1"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE "c_Job" ({columns})')
        connection.exec_driver_sql(f'INSERT INTO "c_Job" VALUES ({values})')
    shown = run("--database-url", url, "legacy", "check")
    assert shown.exit_code == 0, shown.output
    assert " 02:00:00" in shown.stdout
    assert "no table of ours is here yet: `taskmanager db upgrade` adds them" in shown.stdout
    assert inspect(engine).get_table_names() == ["c_Job"]
    engine.dispose()


def test_check_tells_of_each_table_that_is_not_there(place: Path) -> None:
    (place / "none.db").touch()
    told = run("--database-url", f"sqlite:///{place}/none.db", "legacy", "check")
    assert "everything else runs; table c_LoggedJob does not exist" in told.stderr


def test_check_tells_when_no_history_would_be_written(place: Path) -> None:
    url = f"sqlite:///{place}/own.db"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            'CREATE TABLE "c_LoggedJob" ("ID" integer primary key, "JobName" text, "RunDate" text)'
        )
    engine.dispose()
    assert run("--database-url", url, "db", "upgrade").exit_code == 0
    result = run("--database-url", url, "legacy", "check", "--json")
    (told,) = json.loads(result.stdout)
    assert (told["id"], told["name"], result.exit_code) == (None, "c_LoggedJob", 1)
    assert "No history is written to it" in told["problems"]


def test_import_tells_first_then_takes_over_and_finds_nothing_left(rows: Cli, url: str) -> None:
    told = rows("legacy", "import")
    assert "nothing was changed" in told.stdout
    assert "NextRun" not in told.stdout
    assert all(r["id"].startswith("c_job:") for r in lines(rows("recurring", "list", "--json")) if r["id"] != "Nightly")
    done = lines(rows("legacy", "import", "--yes", "--time-zone", "Europe/Prague", "--json"))
    assert {d["id"]: d["what"] for d in done}[4].startswith("stays: ")
    owned = {r["id"]: r for r in lines(rows("recurring", "list", "--json")) if not r["id"].startswith("c_job:")}
    assert {"Daily Sales Report", "Twin (2)", "Twin (3)", "Never", "דוח יומי", "Wants more"} <= set(owned)
    assert (owned["Daily Sales Report"]["cron"], owned["Daily Sales Report"]["time_zone"]) == (
        "0 2 * * *", "Europe/Prague",
    )  # fmt: skip
    again = lines(rows("legacy", "import", "--yes", "--json"))
    assert all(a["what"].startswith("stays: ") for a in again)


def test_import_tells_of_runs_that_only_the_row_was_to_make(rows: Cli, tm: TaskManager, engine_name: str) -> None:
    if engine_name != "sqlite":
        pytest.skip("it depends on no product")
    legacy = tm.database.tables.legacy.job
    for row_id, moment in {1: datetime(2020, 1, 1), 2: datetime(2999, 1, 1)}.items():
        with tm.database.engine.begin() as connection:
            connection.execute(legacy.update().where(row_id == legacy.c.ID).values(NextRun=moment))
    for arguments in [], ["--yes"]:
        told = {d["id"]: d["notes"] for d in lines(rows("legacy", "import", "1", "2", "3", "--json", *arguments))}
        assert "NextRun 2020-01-01 00:00:00 has passed: the row would run at once" in told[1]
        assert "NextRun 2999-01-01 00:00:00 is not taken over" in told[2]
        assert told[3] == ""


def test_a_row_that_was_taken_over_runs_its_procedure_under_its_name(
    rows: Cli, url: str, engine_name: str, tmp_path: Path
) -> None:
    assert rows("legacy", "import", "1", "--yes").exit_code == 0
    tm = TaskManager(database_url=url, doorbell=False)
    tm.procedure("SP_Report")(lambda: "reported")
    assert lines(rows("job", "info", "daily sales report", "--json"))["run"] == (
        'taskmanager job run "Daily Sales Report"'
    )
    job_id = tm.trigger("Daily Sales Report")
    if engine_name != "postgresql":
        tm.testing.drain()
        assert tm.get(job_id).result == "reported"
        history = lines(rows("job", "history", "Daily Sales Report", "--json"))
        assert history[0]["Success"]
    tm.close()


def test_a_row_that_was_taken_over_is_found_by_its_name_whether_it_was_kept_or_not(
    rows: Cli, tm: TaskManager, engine_name: str
) -> None:
    assert rows("legacy", "import", "1", "--yes").exit_code == 0
    assert rows("legacy", "import", "9", "--yes", "--retire").exit_code == 0
    for name, procedure in (("daily sales report", "SP_Report"), ("דוח יומי", "SP_Missing")):
        found = json.loads(rows("job", "info", name, "--json").stdout)
        assert (found["id"].lower(), found["procedure"], found["enabled"]) == (name, procedure, True)
    listed = {r["id"]: r for r in lines(rows("job", "list", "--json"))}
    assert listed["Daily Sales Report"]["enabled"]
    assert not listed["c_job:1"]["enabled"]
    called = {r["id"]: r["job"] for r in lines(rows("recurring", "list", "--json"))}
    assert called["Daily Sales Report"] == called["c_job:1"] == "SP_Report"
    started = rows("job", "run", "Daily Sales Report")
    job_id = int(started.stdout.split()[2])
    assert tm.get(job_id).parameters["RecurringJobId"] == '"Daily Sales Report"', "and not the row"
    assert rows("legacy", "import", "2", "--time-zone", "Nowhere/X").exit_code == 1


def test_an_export_has_what_rows_remember_and_takes_a_kept_row_and_its_job_for_one(rows: Cli, tm: TaskManager) -> None:
    job = tm.database.tables.legacy.job
    remembered = {
        "LastRun": datetime(2020, 1, 2, 3, 4, 5), "LastResult": "it's C:\\x\n" + "x" * 300, "FailureCount": 3,
    }  # fmt: skip
    with tm.database.engine.begin() as connection:
        connection.execute(job.update().where(job.c.ID == 1).values(**remembered, NextRun=datetime(2999, 1, 1)))
        connection.execute(job.update().where(job.c.ID == 2).values(NextRun=datetime(2020, 1, 1)))
    assert rows("legacy", "import", "3", "9", "--yes").exit_code == 0
    tm.recurring_jobs.pause("דוח יומי")
    exported = rows("legacy", "export").stdout
    with tm.database.engine.begin() as connection:
        connection.execute(job.delete())
        for one in exported.split(";\n"):
            if one.startswith("INSERT"):
                connection.exec_driver_sql(one.replace("%", "%%"))
        found = {r["ID"]: dict(r) for r in connection.execute(job.select()).mappings()}
    assert {row_id: (r["JobName"], bool(r["IsActive"])) for row_id, r in found.items()} == {
        row_id: (name, bool(active) and row_id != 9) for row_id, name, _, _, active in ROWS
    }
    assert {n: found[1][n] for n in remembered} == remembered
    assert (found[1]["NextRun"], found[2]["NextRun"]) == (datetime(2999, 1, 1), None)


def test_retired_rows_are_gone_and_export_is_the_way_back(rows: Cli, url: str) -> None:
    before = rows("legacy", "export").stdout.splitlines()
    assert sum(line.startswith("INSERT") for line in before) == len(ROWS)
    assert rows("legacy", "import", "1", "9", "--yes", "--retire").exit_code == 0
    after = rows("legacy", "export").stdout.splitlines()
    engine = create_engine(url)
    with engine.begin() as connection:
        table = "`c_Job`" if "mysql" in url else '"c_Job"'
        connection.exec_driver_sql(f"DELETE FROM {table}")
        for statement in after:
            connection.execute(text(statement.replace(":", r"\:")))
        found = [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]
    engine.dispose()
    told = {(name, cron, procedure, active) for _, name, cron, procedure, active, *_ in found}
    assert told == {row[1:] for row in ROWS}
    assert {row[0]: row[1] for row in found}.items() >= {row[0]: row[1] for row in ROWS if row[0] not in (1, 9)}.items()


def test_mails_of_failures_go_with_a_row_that_is_taken_over_and_stand_in_its_export(rows: Cli, tm: TaskManager) -> None:
    legacy = tm.database.tables.legacy
    with tm.database.engine.begin() as connection:
        connection.execute(legacy.job.update().where(legacy.job.c.ID.in_([1, 2, 7])).values(EmailOnFailure=1))
        for row_id, address in ((1, "dana@example.com"), (2, "oren@example.com")):
            connection.execute(legacy.recipient.insert().values(
                c_JobID=row_id, enmJobAlertType="email", OverrideEmailOrPhone=address,
            ))  # fmt: skip
        connection.execute(legacy.alert.insert().values(JobName="Twin (2)", EmailRecipients="boss@example.com"))
    exported = [line for line in rows("legacy", "export").stdout.splitlines() if line.startswith("INSERT")]
    assert [line.endswith(", 1);") for line in exported] == [row[0] in (1, 2, 7) for row in ROWS]
    told = {r["id"]: r["notes"] for r in lines(rows("legacy", "import", "--json"))}
    assert {i for i, note in told.items() if note} == {1, 2}, "the third is inactive, and stays"
    done = {r["id"]: r["notes"] for r in lines(rows("legacy", "import", "--yes", "--json"))}
    assert done[1] == done[2] == "EmailOnFailure: told by a rule in c_JobAlert now"
    with tm.database.engine.connect() as connection:
        c = legacy.alert.c
        found = connection.execute(legacy.alert.select().order_by(c.JobName)).mappings().all()
    assert [(r["JobName"], r["EmailRecipients"], r["AlertOnFailure"]) for r in found] == [
        ("Daily Sales Report", "dana@example.com", 1), ("Twin (2)", "boss@example.com, oren@example.com", 1),
    ]  # fmt: skip


def test_a_row_writes_over_no_job_that_does_something_else(rows: Cli, tm: TaskManager) -> None:
    job = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        connection.execute(job.insert().values(
            ID=11, JobName="nightly", CronExpression="0 1 * * *", StoredProcName="SP_Report", IsActive=1,
        ))  # fmt: skip
    tm.recurring("Nightly", tm.job(lambda: None), cron="0 23 * * *")
    # Of the twins the first has its number; when it is gone from the table, the name is the other's alone.
    for row_id, name in ((11, "nightly (11)"), (2, "Twin (2)"), (3, "Twin")):
        (told,) = lines(rows("legacy", "import", str(row_id), "--yes", "--retire", "--json"))
        assert told["what"] == f"became recurring job {name!r}"
    found = {r["id"]: r for r in lines(rows("recurring", "list", "--json"))}
    assert {"nightly (11)", "Twin (2)", "Twin"} <= found.keys()
    assert found["Nightly"]["cron"] == "0 23 * * *"
    assert [found[i]["cron"] for i in ("Twin (2)", "Twin")] == ["0 0 9 * * ?", "0 3 13 * 5"]


def test_an_unknown_id_is_named(rows: Cli) -> None:
    result = rows("legacy", "import", "77")
    assert result.exit_code == 1
    assert "no row with ID 77" in result.stderr


def test_settings_of_the_dotnet_world_are_printed_or_written(place: Path) -> None:
    facts: dict[str, Any] = {"Hangfire": {"WorkerCount": 5, "Dashboard": {"Path": "/hangfire"}}}
    (place / "appsettings.json").write_text(json.dumps(facts))
    shown = run("config", "import", "appsettings.json")
    assert "threads = 5" in shown.stdout
    assert "Hangfire:Dashboard:Path: it is /hangfire" in shown.stderr
    assert run("config", "import", "appsettings.json", "--write").exit_code == 0
    assert "threads = 5" in (place / "taskmanager.toml").read_text()
    refused = run("config", "import", "appsettings.json", "--write")
    assert refused.exit_code == 1
    assert "add --force" in refused.stderr

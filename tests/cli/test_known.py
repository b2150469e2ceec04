"""Jobs by name (R101, R103): listed with type and cron, described, run, their history; rows of c_Job among them."""

from __future__ import annotations

import csv
import getpass
import io
import json
import re
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.cli.conftest import Cli, lines
from tests.walks.test_legacy import insert, make_procedures


@pytest.fixture
def registered(cli_on: Cli, tm: TaskManager) -> Cli:
    """The schedules of the code are written, and c_Job has a row."""
    tm.discover()
    tm.register_recurring()
    make_procedures(tm)
    insert(tm, "0 5 * * *", "SP_Report")
    return cli_on


def row_id(cli: Cli) -> str:
    """The id of the row of c_Job."""
    return next(r["id"] for r in lines(cli("recurring", "list", "--json")) if r["id"].startswith("c_job:"))


@pytest.mark.one_server
def test_jobs_are_listed_numbered_with_type_and_cron(registered: Cli) -> None:
    row = row_id(registered)
    assert registered("job", "list").stdout == (
        "Found 3 jobs:\n"
        "  1. Adder (FireAndForget)\n"
        "  2. Nightly (Recurring) - 0 2 * * *\n"
        f"  3. Daily Sales Report (Recurring) - 0 5 * * * [{row}]\n"
    )
    registered("job", "disable", "Nightly")
    assert "  2. Nightly (Recurring) - 0 2 * * * [disabled]\n" in registered("job", "list").stdout


@pytest.mark.one_server
def test_the_list_speaks_json_and_csv(registered: Cli) -> None:
    found = lines(registered("job", "list", "--format", "json"))
    assert found == lines(registered("job", "list", "--json"))
    assert [(r["name"], r["type"], r["cron"], r["queue"], r["retries"], r["enabled"]) for r in found] == [
        ("Adder", "FireAndForget", None, "default", 3, None),
        ("Nightly", "Recurring", "0 2 * * *", "default", 0, True),
        ("Daily Sales Report", "Recurring", "0 5 * * *", "default", 0, True),
    ]
    rows = list(csv.DictReader(io.StringIO(registered("job", "list", "--format", "csv").stdout)))
    assert [r["name"] for r in rows] == ["Adder", "Nightly", "Daily Sales Report"]


@pytest.mark.one_server
def test_info_tells_options_arguments_schedule_and_how_to_run(registered: Cli) -> None:
    adder = lines(registered("job", "info", "ADDER", "--json"))
    assert (adder["function"], adder["arguments"], adder["description"]) == ("clijobs:add", "a, b", "Adds.")
    assert adder["run"] == "taskmanager job run Adder A [B]"
    nightly = lines(registered("job", "info", "nightly", "--json"))
    assert (nightly["cron"], nightly["enabled"], nightly["next"][11:]) == ("0 2 * * *", True, "02:00:00Z")
    row = lines(registered("job", "info", "daily sales report", "--json"))
    assert (row["id"], row["procedure"], row["enabled"]) == (row_id(registered), "SP_Report", True)
    text = registered("job", "info", "Nightly").stdout
    assert re.search(r"^cron +0 2 \* \* \*$", text, re.MULTILINE)


@pytest.mark.one_server
def test_run_prints_the_jobs_id_and_its_page(registered: Cli, tm: TaskManager) -> None:
    result = registered("job", "run", "adder", "2")
    found = re.fullmatch(
        r"Job started: (\d+)\nDashboard: http://127\.0\.0\.1:8000/hangfire/jobs/details/(\d+)\n", result.stdout
    )
    assert found is not None
    assert found[1] == found[2]
    assert tm.get(int(found[1])).parameters["TriggeredBy"] == f'"{getpass.getuser()}"'
    told = lines(registered("job", "run", "adder", "2", "--json"))
    assert told["dashboard"] == f"http://127.0.0.1:8000/hangfire/jobs/details/{told['id']}"
    late = registered("job", "run", "adder", "2", "--wait", "--timeout", "0.1")
    assert (late.exit_code, "still Enqueued" in late.stderr) == (3, True)


@pytest.mark.parametrize(
    "words", [("enqueue", "adder", "2"), ("job", "run", "adder", "2"), ("recurring", "trigger", "n")]
)
@pytest.mark.one_server
def test_who_asked_for_a_run_is_named_or_it_is_manual(
    registered: Cli, tm: TaskManager, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    tm.recurring("n", "nightly", cron="0 2 * * *")

    def asked() -> str:
        (found,) = re.findall(r"\d+", registered(*words).stdout.partition("\n")[0])
        return str(json.loads(tm.get(int(found)).parameters["TriggeredBy"]))

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", lambda: "dana")
    assert asked() == "dana"
    monkeypatch.setattr("getpass.getuser", nameless)
    assert asked() == "Manual"


def test_a_row_of_c_job_is_run_and_its_runs_are_found_by_its_name(registered: Cli, tm: TaskManager, hands: Any) -> None:
    row = row_id(registered)
    for name in ("daily SALES report", row):
        assert registered("job", "run", name).exit_code == 0
    refused = registered("job", "run", row, "1")
    assert (refused.exit_code, "without arguments" in refused.stderr) == (1, True)
    worker = hands()
    assert worker.work() == 1, "the second waits until the first has ended"
    assert tm.legacy_jobs is not None
    tm.legacy_jobs.fire_due()
    assert worker.work() == 1
    for name in ("Daily Sales Report", row):
        first, second = lines(registered("job", "history", name, "--json"))
        assert [(r["JobName"], r["JobType"], r["Success"], r["TriggeredBy"]) for r in (first, second)] == [
            ("Daily Sales Report", "Recurring", 1, getpass.getuser())
        ] * 2
    (stats,) = lines(registered("job", "stats", "--json"))
    assert (stats["name"], stats["runs"], stats["failed"]) == ("Daily Sales Report", 2, 0)


def test_history_is_newest_first_of_one_job_or_all_and_of_failures_only(
    cli_on: Cli, tm: TaskManager, hands: Any
) -> None:
    import clijobs  # type: ignore[import-not-found]

    assert cli_on("job", "history").output == "no runs\n"
    for _ in range(6):
        tm.enqueue(clijobs.add, 1)
        tm.enqueue(clijobs.nightly)
    worker = hands()
    while worker.work():
        pass
    everything = lines(cli_on("job", "history", "--json"))
    assert len(everything) == 10, "the limit is 10 when nobody says"
    assert len(lines(cli_on("job", "history", "-n", "99", "--json"))) == 12
    names = {r["JobName"] for r in lines(cli_on("job", "history", "clijobs:add", "--limit", "99", "--json"))}
    assert names == {"Adder"}
    failed = lines(cli_on("job", "history", "-f", "-n", "99", "--json"))
    assert {(r["JobName"], r["Success"], r["ErrorMessage"]) for r in failed} == {("Nightly", 0, "night")}
    assert [int(r["JobId"]) for r in everything] == sorted((int(r["JobId"]) for r in everything), reverse=True)
    assert cli_on("job", "history", "Adder", "-f").output == "no runs\n"
    assert "did you mean 'Adder'?" in cli_on("job", "history", "Addre", "-f").stderr
    header = cli_on("job", "history", "nightly").output.splitlines()[0].split()
    assert header == [
        "JobName",
        "JobId",
        "StartedAt",
        "DurationMs",
        "Success",
        "TriggeredBy",
        "ErrorMessage",
        "ResultMessage",
    ]
    stats = {
        r["name"]: (r["runs"], r["succeeded"], r["failed"]) for r in lines(cli_on("job", "stats", "-d", "1", "--json"))
    }
    assert stats == {"Adder": (6, 6, 0), "Nightly": (6, 0, 6)}


def test_enable_and_disable_are_one_flag_wherever_it_is_kept(registered: Cli, tm: TaskManager) -> None:
    row = row_id(registered)
    for name in ("nightly", "clijobs:nightly", "Daily Sales Report", row):
        assert registered("job", "disable", name).stdout.endswith(" disabled\n")
    assert {r["id"]: r["paused"] for r in lines(registered("recurring", "list", "--json"))} == {
        "Nightly": True, row: True,
    }  # fmt: skip
    with tm.database.engine.connect() as connection:
        assert [r.IsActive for r in connection.execute(tm.database.tables.legacy.job.select())] == [0]
    registered("recurring", "resume", "Nightly")
    registered("job", "enable", "daily sales report")
    assert [r["enabled"] for r in lines(registered("job", "list", "--json"))] == [None, True, True]


def test_a_name_of_two_rows_is_refused_with_their_ids(registered: Cli, tm: TaskManager) -> None:
    insert(tm, "0 6 * * *", "SP_Report")
    ids = [r["id"] for r in lines(registered("recurring", "list", "--json")) if r["id"].startswith("c_job:")]
    for command in ("disable", "enable", "run", "info"):
        result = registered("job", command, "Daily Sales Report")
        assert (result.exit_code, ", ".join(ids) in result.stderr) == (1, True)


def test_a_page_behind_any_address_is_named_by_one_that_can_be_opened(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKMANAGER_WEB_HOST", "0.0.0.0")
    monkeypatch.setenv("TASKMANAGER_WEB_PORT", "5000")
    assert "http://localhost:5000/hangfire/jobs/details/1" in cli("job", "run", "add", "1").stdout

"""The command line as a newcomer and a script use it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from taskmanager.cli import main
from taskmanager.storage.database import Database

JOBS = '''
from taskmanager import job

@job(display_name="Adder")
def add(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b

@job("0 2 * * *", display_name="Nightly", retries=0)
def nightly() -> None:
    raise ValueError("night")
'''

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    (tmp_path / "clijobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", f"sqlite:///{tmp_path}/cli.db")
    monkeypatch.setenv("TASKMANAGER_DISCOVER", "clijobs")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    assert run("db", "upgrade").exit_code == 0
    yield run
    sys.modules.pop("clijobs", None)


def lines(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_job_is_enqueued_listed_shown_deleted_and_requeued(cli: Cli) -> None:
    job_id = str(lines(cli("enqueue", "Adder", "3", "b=4", "--json"))["id"])
    assert [row["id"] for row in lines(cli("jobs", "list", "--state", "enqueued", "--json"))] == [int(job_id)]
    assert "1 of 1 deleted" in cli("jobs", "delete", job_id).output
    assert "1 of 1 requeued" in cli("jobs", "requeue", job_id).output
    shown = lines(cli("jobs", "show", job_id, "--json"))
    assert [s["state"] for s in shown["history"]] == ["Enqueued", "Deleted", "Enqueued"]
    assert "Adder" not in shown["job"]
    assert "clijobs:add" in cli("jobs", "show", job_id).output


def test_waiting_has_exit_codes_for_scripts(cli: Cli) -> None:
    job_id = str(lines(cli("enqueue", "add", "1", "--json"))["id"])
    assert cli("jobs", "wait", job_id, "--timeout", "0").exit_code == 3
    cli("jobs", "delete", job_id, "--yes")
    assert cli("jobs", "wait", job_id).exit_code == 2
    missing = cli("jobs", "wait", "999")
    assert missing.exit_code == 1
    assert "no job 999" in missing.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enqueue", "nothing"], "no job is named 'nothing'"),
        (["enqueue", "Adder"], "missing 'a'"),
        (["enqueue", "Adder", "1", "c=3"], "unexpected argument 'c'"),
        (["recurring", "add", "x", "61 * * * *", "Adder", "1"], "61"),
        (["recurring", "trigger", "none"], "no recurring job 'none'"),
        (["queues", "pause", "Not A Queue"], "queue name"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line(cli: Cli, arguments: list[str], words: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_recurring_jobs_are_managed(cli: Cli) -> None:
    assert cli("recurring", "add", "r1", "0 2 * * *", "Adder", "5", "--time-zone", "Asia/Jerusalem").exit_code == 0
    (row,) = lines(cli("recurring", "list", "--json"))
    assert (row["id"], row["cron"], row["time_zone"], row["paused"]) == ("r1", "0 2 * * *", "Asia/Jerusalem", False)
    cli("job", "disable", "r1")
    assert lines(cli("recurring", "list", "--json"))[0]["paused"] is True
    cli("recurring", "resume", "r1")
    assert "enqueued" in cli("recurring", "trigger", "r1").output
    assert "removed" in cli("recurring", "remove", "r1").output
    assert cli("recurring", "remove", "r1").exit_code == 1
    assert len(lines(cli("recurring", "next", "*/5 * * * *", "--count", "3", "--json"))) == 3
    assert cli("recurring", "next", "0 0 31 2 *").output.strip() == "never"


def test_known_jobs_are_listed_numbered_with_type_and_cron(cli: Cli) -> None:
    output = cli("job", "list").output
    assert re.search(r"1\. Adder \(FireAndForget\)", output)
    assert "Nightly (Recurring) - 0 2 * * *" in output
    assert "0 2 * * *" in cli("job", "info", "nightly").output
    assert lines(cli("job", "info", "Adder", "--json"))["arguments"] == "a, b"
    run = cli("job", "run", "adder", "2")
    assert re.search(r"Job started: \d+\nDashboard: http://.*/hangfire/jobs/details/\d+", run.output)
    assert lines(cli("job", "history", "--json")) == []
    assert lines(cli("job", "stats", "--json")) == []


def test_queues_are_paused_and_resumed(cli: Cli) -> None:
    cli("queues", "pause", "mail")
    assert lines(cli("queues", "list", "--json")) == [{"queue": "mail", "waiting": 0, "fetched": 0, "paused": True}]
    cli("queues", "resume", "mail")
    assert lines(cli("queues", "list", "--json")) == []


def test_the_schema_is_checked_and_printed(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "up to date" in cli("db", "check").output
    assert 'CREATE TABLE "HangfireJob"' in cli("db", "sql").output
    assert re.fullmatch(r"(\d{4}) \(newest: \1\)", cli("db", "current").output.strip())
    assert cli("db", "upgrade", "--sql").output.strip() == "-- up to date"
    assert "CREATE TABLE `HangfireJob`" in cli("db", "upgrade", "--sql", "--offline", "mysql").output
    assert cli("db", "upgrade", "--offline", "mysql").exit_code == 2
    assert "queues.claimable" in cli("sql", "show").output
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    empty = cli("db", "check")
    assert empty.exit_code == 1
    assert "HangfireJob" in empty.output


def test_doctor_and_config_tell_what_they_see(cli: Cli) -> None:
    findings = {f["subject"]: f["level"] for f in lines(cli("doctor", "--json"))}
    assert findings["tables"] == "ok"
    rows = {r["setting"]: r for r in lines(cli("config", "show", "--json"))}
    assert rows["discover"]["origin"] == "environment TASKMANAGER_DISCOVER"
    assert rows["threads"]["value"] == "20"


def test_a_job_file_is_generated_and_can_be_imported(cli: Cli, tmp_path: Path) -> None:
    result = cli("generate", "job", "DailySalesReport", "--cron", "0 2 * * *")
    path = tmp_path / "jobs" / "daily_sales_report.py"
    assert "daily_sales_report.py" in result.output
    compile(path.read_text(), str(path), "exec")
    assert '@job("0 2 * * *", display_name="Daily Sales Report")' in path.read_text()
    assert cli("generate", "job", "DailySalesReport").exit_code == 1


def test_up_sets_itself_up_shows_a_page_runs_samples_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")}
    environment |= {"TASKMANAGER_DATABASE_URL": f"sqlite:///{tmp_path}/up.db", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "taskmanager", "up", "--port", "0"], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        seen = ""
        while "made for this run" not in seen:
            line = process.stdout.readline()
            assert line, "it ended"
            seen += line
        address = re.search(r"is at (http://\S+)", seen)
        assert address is not None
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address[1])
        assert refused.value.code == 401
        refused.value.close()
        wait_for_success(f"sqlite:///{tmp_path}/up.db")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


def wait_for_success(url: str) -> None:
    from sqlalchemy import func, select

    database = Database(url)
    job = database.tables.job
    wanted = select(func.count()).where(job.c.StateName == "Succeeded")
    deadline = time.monotonic() + 30
    while database.read(lambda tx: tx.connection.execute(wanted).scalar_one()) < 2:
        assert time.monotonic() < deadline, "the sample jobs did not run"
        time.sleep(0.1)
    database.dispose()

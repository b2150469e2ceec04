"""An error is one clear line with its cure, and exit code 1."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.conftest import Cli, run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["enqueue", "nothing"], "no job is named 'nothing'; known jobs: Adder, Nightly"),
        (["enqueue", "adr"], "did you mean 'Adder'?"),
        (["enqueue", "nowhere:f"], "module nowhere cannot be imported: ModuleNotFoundError"),
        (["enqueue", "clijobs:nix"], "no job is named 'clijobs:nix'"),
        (["enqueue", "Adder"], "missing 'a'"),
        (["enqueue", "Adder", "1", "c=3"], "unexpected argument 'c'"),
        (["enqueue", "Adder", "1", "--queue", "Not A Queue"], "queue name"),
        (["job", "run", "nigtly"], "did you mean 'Nightly'?"),
        (["job", "info", "nigtly"], "did you mean 'Nightly'?"),
        (["job", "history", "nigtly"], "did you mean 'Nightly'?"),
        (["job", "disable", "Adder"], "'Adder' is not recurring: it has no cron"),
        (["job", "enable", "Nightly"], "the first server that is started writes its schedule"),
        (["jobs", "show", "99"], "there is no job 99"),
        (["jobs", "wait", "99"], "there is no job 99"),
        (["recurring", "add", "x", "61 * * * *", "Adder", "1"], "61"),
        (["recurring", "add", "x", "* * * * *", "Adder", "1", "--time-zone", "Mars/Base"], "Mars/Base"),
        (["recurring", "add", "c_job:1", "* * * * *", "Adder", "1"], "c_Job"),
        (["recurring", "trigger", "none"], "no recurring job 'none'"),
        (["recurring", "next", "every day"], "every day"),
        (["recurring", "next", "nigtly"], "there is no recurring job 'nigtly', and cron 'nigtly' has 1 field: write 5"),
        (["enqueue", "Adder", "1", "--delay", "1e300"], "delay=1e+300: it is at most 365000 days"),
        (["enqueue", "Adder", "1", "--priority", "99999999999"], "priority 99999999999 is not from -2147483648 to"),
        (["queues", "pause", "Not A Queue"], "queue name"),
        (["sql", "show", "queues.claimabl"], "did you mean 'queues.claimable'?"),
        (["config", "show", "thread"], "did you mean 'threads'?"),
        (["generate", "job", "2nd"], "no name of a Python class"),
        (["--database-url", "oracle://x", "jobs", "list"], "use mysql, mariadb, postgresql or sqlite"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_clear_line(cli: Cli, arguments: list[str], words: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["jobs", "list", "--limit", "0"], ["jobs", "list", "--state", "lost"], ["jobs", "wait", "x"],
        ["jobs", "requeue"], ["jobs", "delete", "1", "--state", "failed"], ["jobs", "requeue", "--job", "add"],
        ["enqueue"], ["enqueue", "add", "1", "--delay", "-1"], ["enqueue", "add", "1", "--at", "tomorrow"],
        ["enqueue", "add", "1", "--delay", "1", "--at", "2030-01-01"], ["job", "run", "add", "1", "--timeout", "1"],
        ["recurring", "next", "* * * * *", "--count", "0"], ["db", "upgrade", "--offline", "mysql"],
        ["generate", "job", "X", "--cron", "* * * * *", "--manual"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(cli: Cli, arguments: list[str]) -> None:
    result = cli(*arguments)
    assert (result.exit_code, "Usage: " in result.stderr) == (2, True)


@pytest.mark.parametrize("command", ["jobs list", "recurring list", "queues list", "job history", "db check"])
def test_a_database_that_is_not_there_is_told_with_its_cure_and_is_not_made(place: Path, command: str) -> None:
    result = run(*command.split())
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "taskmanager db upgrade" in result.stderr
    assert "sqlite:///taskmanager.db, default" in result.stderr
    assert not (place / "taskmanager.db").exists()


@pytest.mark.parametrize(
    "command",
    [
        "jobs list",
        *(
            pytest.param(other, marks=pytest.mark.one_server)  # what each product says is met by the first
            for other in ("enqueue add 1", "recurring list", "servers", "jobs wait 1", "db check")
        ),
    ],
)
def test_a_database_without_tables_is_told_with_its_cure(
    place: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", database_url)
    (place / "empty.db").touch()
    result = run(*command.split())
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the database has no tables yet: run `taskmanager db upgrade`")
    assert result.stderr.count("\n") == 1
    assert ":test@" not in result.stderr


def test_tables_that_lack_something_are_listed_by_db_check(cli: Cli) -> None:
    from taskmanager.storage.database import Database

    made = Database("sqlite:///taskmanager.db")
    with made.engine.begin() as connection:
        connection.exec_driver_sql('DROP TABLE "HangfireSet"')
    made.dispose()
    check = cli("db", "check")
    assert (check.exit_code, "table HangfireSet is missing" in check.stderr) == (1, True)
    listed = cli("recurring", "list")
    assert (listed.exit_code, "taskmanager db check" in listed.stderr) == (1, True)
    assert cli("db", "upgrade").output.splitlines()[0] == "created table HangfireSet"
    assert cli("recurring", "list").exit_code == 0


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "postgresql+psycopg"])
@pytest.mark.parametrize("command", ["jobs list", "db upgrade", "db current", "enqueue add 1"])
def test_a_server_that_is_down_is_told_within_seconds_without_the_password(
    place: Path, scheme: str, command: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{scheme}://ann:secret@127.0.0.1:{free.getsockname()[1]}/shop"
        start = time.monotonic()
        result = run("--database-url", address, *command.split())
    assert time.monotonic() - start < 15
    assert result.exit_code == 1
    assert "efused" in result.stderr
    assert "start the server" in result.stderr
    assert "ann:*****@" in result.stderr
    assert "secret" not in result.output


@pytest.mark.one_server
def test_a_server_that_answers_is_not_to_be_started(place: Path, url: str, engine_name: str) -> None:
    if engine_name == "sqlite":
        pytest.skip("it has no server")
    result = run("--database-url", f"{make_url(url).set(database='nowhere').render_as_string(False)}", "jobs", "list")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
    assert "; name another by --database-url" in result.stderr
    assert "start the server" not in result.stderr


def test_known_jobs_are_listed_also_while_the_database_is_not_there(place: Path) -> None:
    result = run("job", "list")
    assert (result.exit_code, result.stdout.startswith("Found 2 jobs:")) == (0, True)
    assert "note: the database is not asked" in result.stderr


def test_a_module_that_cannot_be_imported_is_a_warning(cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "brokenjobs.py").write_text("1 / 0", encoding="utf-8")
    result = cli("job", "list", "--discover", "clijobs,brokenjobs")
    assert result.exit_code == 0
    assert result.stderr == "warning: module brokenjobs cannot be imported: ZeroDivisionError: division by zero\n"


def test_an_address_that_does_not_exist_is_told(cli: Cli) -> None:
    command = [sys.executable, "-m", "taskmanager", "web", "--host", "256.1.1.1", "--port", "0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "error: the web pages cannot listen on 256.1.1.1:0 (there is no such address)" in result.stderr


def test_a_port_that_is_taken_is_told(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "taskmanager", "web", "--port", str(taken.getsockname()[1])]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, "choose another --port" in result.stderr) == (1, True)

"""Tables, settings, statements, queues, servers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.storage import schema, servers
from taskmanager.storage.statements import REGISTRY
from tests.cli.conftest import Cli, lines, run


def test_tables_are_made_step_by_step_checked_and_printed(
    place: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", database_url)
    assert "CREATE TABLE" in run("db", "upgrade", "--sql").output
    (place / "empty.db").touch()
    assert run("db", "current").output == f"none (newest: {schema.head()})\n"
    made = run("db", "upgrade")
    assert made.exit_code == 0
    steps = made.output.splitlines()
    assert steps[0] == "created table HangfireJob"
    assert "created table c_Job" in steps
    assert steps[-1] == f"up to date: revision {schema.head()}"
    assert run("db", "upgrade").output.splitlines() == steps[-1:]
    assert run("db", "check").output == "up to date\n"
    assert run("db", "current").output == f"{schema.head()} (newest: {schema.head()})\n"
    assert run("db", "upgrade", "--sql").output == "-- up to date\n"
    assert re.search(r"CREATE TABLE [`\"]HangfireJob[`\"]", run("db", "sql").output)


def test_statements_of_an_upgrade_are_printed_without_a_database(place: Path) -> None:
    assert "CREATE TABLE `HangfireJob`" in run("db", "upgrade", "--sql", "--offline", "mysql").output
    assert 'CREATE TABLE "HangfireJob"' in run("db", "upgrade", "--sql", "--offline", "postgresql").output
    assert not list(place.glob("*.db"))


def test_statements_are_shown_as_this_database_gets_them(cli_on: Cli) -> None:
    assert {row["name"] for row in lines(cli_on("sql", "show", "--json"))} == set(REGISTRY)
    text = cli_on("sql", "show", "queues.claimable").output
    assert text.startswith("-- queues.claimable\nSELECT ")
    assert text.count("-- ") == 1
    headings = re.findall(r"^-- ([\w.]+)$", cli_on("sql", "show").output, re.MULTILINE)
    assert set(headings) == set(REGISTRY)


def test_settings_are_shown_each_with_where_it_came_from(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "pyproject.toml").write_text("[tool.taskmanager]\nthreads = 3\nprocesses = 2\n", encoding="utf-8")
    (place / "taskmanager.toml").write_text('threads = 7\nqueues = ["a", "b"]\n', encoding="utf-8")
    monkeypatch.setenv("TASKMANAGER_WEB_SECRET_KEY", "hush")
    shown = cli("config", "show", "--json", "--database-url", "mysql://ann:hush@db/shop")
    rows = {r["setting"]: (r["value"], r["origin"]) for r in lines(shown)}
    assert rows["threads"] == ("7", "taskmanager.toml")
    assert rows["queues"] == ("a,b", "taskmanager.toml")
    assert rows["processes"] == ("2", "pyproject.toml [tool.taskmanager]")
    assert rows["discover"] == ("clijobs", "environment TASKMANAGER_DISCOVER")
    assert rows["database_url"] == ("mysql://ann:*****@db/shop", "argument database_url")
    assert rows["grace_seconds"] == ("25.0", "default")
    assert rows["web_secret_key"][0] == "*****"
    assert "hush" not in shown.output
    assert len(cli("config", "show", "threads", "queues").output.splitlines()) == 3


def test_the_database_is_sqlites_in_the_working_directory_when_nothing_is_set(cli: Cli, place: Path) -> None:
    rows = {r["setting"]: (r["value"], r["origin"]) for r in lines(cli("config", "show", "--json"))}
    assert rows["database_url"] == ("sqlite:///taskmanager.db", "default")
    assert (place / "taskmanager.db").exists()


def test_queues_are_listed_paused_and_resumed(cli_on: Cli, tm: TaskManager) -> None:
    assert cli_on("queues", "list").output == "nothing waits, and no queue is paused\n"
    cli_on("queues", "pause", "mail")
    cli_on("enqueue", "add", "1")
    tm.database.run(lambda tx: servers.announce(tx, "here:1:x", {"Queues": ["default"]}))
    assert lines(cli_on("queues", "list", "--json")) == [
        {"queue": "default", "waiting": 1, "fetched": 0, "held": 0, "paused": False, "servers": 1},
        {"queue": "mail", "waiting": 0, "fetched": 0, "held": 0, "paused": True, "servers": 0},
    ]
    typed = cli_on("queues", "pause", "defualt")
    assert "nothing waits in 'defualt', and no server works on it; did you mean 'default'?" in typed.stderr
    assert not cli_on("queues", "resume", "defualt").stderr
    assert "'mial' was not paused; paused are mail" in cli_on("queues", "resume", "mial").stderr
    assert cli_on("queues", "resume", "mail").output == "mail resumed\n"
    assert [r["queue"] for r in lines(cli_on("queues", "list", "--json"))] == ["default"]


def test_servers_are_listed_the_silent_ones_as_such(cli_on: Cli, tm: TaskManager) -> None:
    assert lines(cli_on("servers", "--json")) == []
    assert "taskmanager worker" in cli_on("servers").output
    data = {"WorkerCount": 4, "Queues": ["default", "mail"], "StartedAt": "2030-01-01T00:00:00.0000000Z"}
    tm.database.run(lambda tx: servers.announce(tx, "live:1:x", data))
    tm.database.clock.shift(timedelta(minutes=-5))
    tm.database.run(lambda tx: servers.announce(tx, "lost:1:x", data))
    rows = lines(cli_on("servers", "--json"))
    assert [(r["server"], r["state"], r["workers"], r["queues"]) for r in rows] == [
        ("live:1:x", "running", 4, "default,mail"), ("lost:1:x", "silent", 4, "default,mail"),
    ]  # fmt: skip
    assert rows[0]["heartbeat"].endswith("Z")
    assert rows[0]["started"] == "2030-01-01T00:00:00Z"
    assert "2030-01-01 00:00:00Z" in cli_on("servers").output

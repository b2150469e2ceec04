"""Help that teaches: each command says what it does, and its examples are commands that can be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from taskmanager.cli import main
from tests.cli.conftest import Cli, lines, run


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield (*path, name)


COMMANDS = list(leaves(main))
#: The commands of the specification.
SPECIFIED = [
    "up", "worker", "web", "db-upgrade", "db-current", "db-check", "enqueue", "jobs-list", "jobs-show", "jobs-requeue",
    "jobs-delete", "jobs-wait", "job-list", "job-info", "job-run", "job-history", "job-enable", "job-disable",
    "job-stats", "recurring-list", "recurring-add", "recurring-remove", "recurring-trigger", "recurring-pause",
    "recurring-resume", "recurring-next", "queues-list", "queues-pause", "queues-resume", "servers", "generate-job",
    "config-show", "sql-show", "doctor",
]  # fmt: skip


def resolved(arguments: list[str]) -> str:
    """The command that arguments are parsed by; nothing is run."""
    context = main.make_context("taskmanager", list(arguments))
    command: click.Command = main
    while isinstance(command, click.Group):
        left = [*context._protected_args, *context.args]
        if command.invoke_without_command and not left:
            break
        name, found, rest = command.resolve_command(context, left)
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)
    return context.command_path


def test_every_command_of_the_specification_is_there() -> None:
    assert [name for name in SPECIFIED if tuple(name.split("-")) not in COMMANDS] == []


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_a_commands_help_has_examples_that_can_be_typed(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "appsettings.json").write_text("{}", encoding="utf-8")
    text = run(*path, "--help").output
    shown = re.findall(r"^ {4}taskmanager (.+?)(?: > \S+)?$", text, re.MULTILINE)
    assert "Examples:" in text
    assert shown
    for line in shown:
        assert resolved(shlex.split(line)) == f"taskmanager {' '.join(path)}", line


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_a_command_says_what_it_does_in_its_groups_list(path: tuple[str, ...]) -> None:
    listed = run(*path[:-1], "--help").output
    assert re.search(rf"^  {path[-1]} +\w.+$", listed, re.MULTILINE), listed
    assert "..." not in listed.partition("Commands:")[2], "a sentence that is cut teaches nothing"


@pytest.mark.parametrize(
    "path",
    [
        "jobs list", "job list", "job history", "job stats", "recurring list", "queues list", "servers",
        "config show", "sql show", "doctor", "jobs show 1", "job info add", "recurring next @daily", "alerts list",
        "legacy check",
    ],
)  # fmt: skip
def test_every_listing_speaks_json(cli: Cli, path: str) -> None:
    cli("enqueue", "add", "1")
    assert isinstance(lines(cli(*path.split(), "--json")), (list, dict))


def test_every_command_that_lists_is_among_those() -> None:
    lists = {path for path in COMMANDS if path[-1] in ("list", "history", "stats", "servers", "doctor", "next", "info")}
    silent = [path for path in lists if "--json" not in run(*path, "--help").output]
    assert silent == []


def test_the_main_help_tells_of_settings_and_exit_codes(cli: Cli) -> None:
    text = " ".join(cli("-h").output.split())
    for words in ("taskmanager.toml", "TASKMANAGER_", "config show", "Exit codes", "--database-url"):
        assert words in text
    assert re.fullmatch(r"taskmanager, version [\d.]+\n", cli("--version").output)


@pytest.mark.parametrize(("typed", "meant"), [(["jbos"], "jobs"), (["jobs", "lst"], "list"), (["doctr"], "doctor")])
def test_a_mistyped_command_is_told_the_right_one_with_exit_code_2(cli: Cli, typed: list[str], meant: str) -> None:
    result = cli(*typed)
    assert (result.exit_code, f"'{meant}'" in result.output) == (2, True)


def test_global_options_may_stand_after_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASKMANAGER_DISCOVER")
    assert cli("job", "list", "--discover", "clijobs").output.startswith("Found 2 jobs:")
    refused = cli("jobs", "list", "--database-url", "sqlite:///nothing.db")
    assert (refused.exit_code, "nothing.db" in refused.output) == (1, True)


def test_a_negative_number_is_given_after_two_dashes_and_the_error_says_so(cli: Cli) -> None:
    refused = cli("enqueue", "add", "-5")
    assert (refused.exit_code, "-- -5" in refused.output) == (2, True)
    job_id = lines(cli("enqueue", "--json", "add", "--", "-5"))["id"]
    assert "(-5)" in lines(cli("jobs", "show", str(job_id), "--json"))["job"]

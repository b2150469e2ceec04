"""`jobs pause`, `jobs resume` and `jobs pauses`."""

from __future__ import annotations

from taskmanager import TaskManager
from taskmanager.storage import audit, holds
from tests.cli.conftest import Cli, lines


def test_types_and_tags_are_paused_listed_and_resumed(cli_on: Cli, tm: TaskManager) -> None:
    assert cli_on("jobs", "pauses").output == "no type and no tag is paused\n"
    cli_on("enqueue", "add", "1")
    assert cli_on("jobs", "pause", "--type", "add", "--note", "month end").output == "type:clijobs:add paused\n"
    assert cli_on("jobs", "pause", "--tag", "Spring", "--until", "2130-01-01").output == "tag:spring paused\n"
    tm.database.run(lambda tx: holds.sweep(tx, "default"))
    rows = lines(cli_on("jobs", "pauses", "--json"))
    assert [(r["paused"], r["held"], r["note"]) for r in rows] == [
        ("tag:spring", 0, None),
        ("type:clijobs:add", 1, "month end"),
    ]
    assert [(r["waiting"], r["held"]) for r in lines(cli_on("queues", "list", "--json"))] == [(0, 1)]
    assert "1 jobs are held: paused are tag:spring, type:clijobs:add" in cli_on("doctor").output
    assert (
        "'tag:sprig' was not paused; paused are tag:spring, type:clijobs:add"
        in cli_on("jobs", "resume", "--tag", "sprig").stderr
    )
    assert cli_on("jobs", "resume", "--type", "add").output == "type:add resumed\n"
    assert cli_on("jobs", "resume", "--tag", "SPRING").stderr == ""
    assert [(r["waiting"], r["held"]) for r in lines(cli_on("queues", "list", "--json"))] == [(1, 0)]
    kept = [
        (r.action, r.kind, r.target, r.outcome)
        for r in tm.database.read(lambda tx: audit.page(tx, audit.Sought(), limit=20)[0])
    ]
    assert ("types.pause", "type", "add", "done") in kept
    assert ("types.pause", "tag", "Spring", "done") in kept


def test_a_type_that_nobody_knows_is_refused_with_what_is_near(cli_on: Cli) -> None:
    cli_on("enqueue", "add", "1")
    wrong = cli_on("jobs", "pause", "--type", "adds")
    assert wrong.exit_code == 1
    assert "did you mean 'Adder'?; and none of the newest" in wrong.stderr
    assert "name a type or a tag, one of them" in cli_on("jobs", "pause").stderr
    assert cli_on("jobs", "pauses").output == "no type and no tag is paused\n"

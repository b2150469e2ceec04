"""Recurring jobs: added, listed, triggered, paused, removed; their next times."""

from __future__ import annotations

from datetime import datetime

import pytest

from taskmanager import TaskManager
from taskmanager.storage import audit
from tests.cli.conftest import Cli, lines
from tests.walks.test_legacy import insert


@pytest.mark.one_server
def test_recurring_jobs_are_managed(cli_on: Cli) -> None:
    cli = cli_on
    assert cli("recurring", "list").output == "no recurring jobs\n"
    added = cli("recurring", "add", "r1", "0 2 * * *", "Adder", "5", "--time-zone", "Asia/Jerusalem", "--queue", "mail")
    assert added.output == "r1 saved\n"
    (row,) = lines(cli("recurring", "list", "--json"))
    assert {k: row[k] for k in ("id", "name", "job", "cron", "time_zone", "queue", "paused", "orphaned", "error")} == {
        "id": "r1", "name": "r1", "job": "clijobs:add", "cron": "0 2 * * *", "time_zone": "Asia/Jerusalem",
        "queue": "mail", "paused": False, "orphaned": False, "error": None,
    }  # fmt: skip
    assert datetime.fromisoformat(row["next"]).utcoffset() is not None
    cli("recurring", "pause", "R1")
    (row,) = lines(cli("recurring", "list", "--json"))
    assert (row["paused"], row["next"]) == (True, None)
    assert "never" in cli("recurring", "list").output
    cli("recurring", "resume", "clijobs:add")
    job_id = lines(cli("recurring", "trigger", "r1", "--json"))["id"]
    assert lines(cli("jobs", "show", str(job_id), "--json"))["job"] == "clijobs:add(5)"
    assert lines(cli("recurring", "list", "--json"))[0]["last_job"] == job_id
    assert cli("recurring", "remove", "r1").output == "r1 removed\n"
    assert cli("recurring", "remove", "r1").exit_code == 1


def test_everything_is_listed_rows_of_c_job_included_in_pages_when_it_is_much(cli_on: Cli, tm: TaskManager) -> None:
    tm.discover()
    for n in range(130):
        tm.recurring(f"r{n:03}", "Adder", cron="0 2 * * *", args=(1,))
    for n in range(130):
        insert(tm, "0 2 * * *" if n else "61 * * * *", "SP_Report", f"Report {n}")
    found = lines(cli_on("recurring", "list", "--json"))
    assert [r["id"] for r in found[:130]] == [f"r{n:03}" for n in range(130)]
    rows = found[130:]
    assert [r["name"] for r in rows] == [f"Report {n}" for n in range(130)]
    assert all(r["id"].startswith("c_job:") and r["job"] == "SP_Report" for r in rows)
    assert "61" in rows[0]["error"]
    assert {r["time_zone"] for r in rows} == {"server"}
    seen, after = list[str](), list[str]()
    while (page := cli_on("recurring", "list", "--json", "--limit", "50", *after)).stderr:
        seen += [r["id"] for r in lines(page)]
        assert f"--after {seen[-1]}" in page.stderr
        after = ["--after", seen[-1]]
    assert seen + [r["id"] for r in lines(page)] == [r["id"] for r in found]
    assert not cli_on("recurring", "list", "--limit", "260").stderr
    table = cli_on("recurring", "list").output.splitlines()
    assert len(table) == 261
    assert table[0].split() == ["id", "job", "cron", "time_zone", "next", "last", "state"]


def test_a_row_of_c_job_is_managed_by_its_id_or_name(cli_on: Cli, tm: TaskManager) -> None:
    insert(tm, "0 2 * * *", "SP_Report", "Report")
    (row,) = lines(cli_on("recurring", "list", "--json"))
    assert cli_on("recurring", "pause", "report").output == f"{row['id']} paused\n"
    assert cli_on("recurring", "resume", row["id"]).exit_code == 0
    assert "enqueued" in cli_on("recurring", "trigger", "Report").output
    assert cli_on("recurring", "remove", row["id"]).output == f"{row['id']} removed\n"
    assert lines(cli_on("recurring", "list", "--json")) == []


def test_what_stands_in_code_comes_back_and_that_is_said(cli: Cli) -> None:
    tm = TaskManager()
    tm.discover()
    tm.register_recurring()
    tm.close()
    result = cli("recurring", "remove", "Nightly")
    assert (result.stdout, "comes back" in result.stderr) == ("Nightly removed\n", True)


def test_next_times_of_a_cron_or_a_recurring_job(cli: Cli) -> None:
    assert len(lines(cli("recurring", "next", "*/5 * * * *", "--count", "3", "--json"))) == 3
    assert cli("recurring", "next", "0 0 31 2 *").output == "never\n"
    (first,) = lines(cli("recurring", "next", "0 9 * * *", "--time-zone", "Asia/Tokyo", "--count", "1", "--json"))
    assert first.endswith("T00:00:00Z")
    never = cli("recurring", "add", "r0", "0 0 31 2 *", "Adder", "5")
    assert (never.exit_code, never.stdout) == (0, "r0 saved\n")
    assert never.stderr == "note: it never fires: there is no such time as '0 0 31 2 *'\n"
    cli("recurring", "add", "r1", "0 9 * * *", "Adder", "5", "--time-zone", "Asia/Tokyo")
    assert lines(cli("recurring", "next", "r1", "--count", "1", "--json")) == [first]


@pytest.mark.one_server
def test_the_definitions_of_the_code_are_restored(cli_on: Cli, tm: TaskManager) -> None:
    assert cli_on("recurring", "restore").output == "Nightly restored (was missing)\n1 restored, 0 as the code says\n"
    cli_on("recurring", "pause", "Nightly")
    cli_on("recurring", "add", "Nightly", "5 5 * * *", "Nightly")
    assert lines(cli_on("recurring", "restore", "--json")) == {
        "restored": [{"id": "Nightly", "missing": False, "paused": True, "differed": ["cron"]}],
        "unchanged": 0, "problems": {},
    }  # fmt: skip
    assert cli_on("recurring", "restore").output == "0 restored, 1 as the code says\n"
    cli_on("recurring", "remove", "Nightly")
    assert "still paused" not in cli_on("recurring", "restore").output, "removed by command, its pause is forgotten"
    found = tm.database.read(lambda tx: audit.page(tx, audit.Sought(action="recurring.restore"), limit=9))[0]
    assert [(r.target, r.outcome) for r in found] == [
        ("Nightly", "done"), ("*", "unchanged"), ("Nightly", "done"), ("Nightly", "done"),
    ]  # fmt: skip


@pytest.mark.one_server
def test_without_code_there_is_nothing_to_restore(cli_on: Cli, tm: TaskManager) -> None:
    assert "is `discover` set?" in cli_on("recurring", "restore", "--discover", "json").output


@pytest.mark.one_server
def test_a_pause_has_a_note_and_an_end_and_what_was_missed_is_run_when_asked_for(cli_on: Cli, tm: TaskManager) -> None:
    cli_on("recurring", "add", "r1", "* * * * *", "Adder", "5")
    cli_on("recurring", "pause", "r1", "--note", "month end", "--until", "2099-02-01T06:00+01:00")
    (row,) = lines(cli_on("recurring", "list", "--json"))
    assert (row["pause_note"], row["paused_until"]) == ("month end", "2099-02-01T05:00:00Z")
    assert "until 2099-02-01T05:00:00Z (month end)" in cli_on("recurring", "list").output
    assert cli_on("recurring", "pause", "r1", "--until", "2020-01-01").exit_code != 0
    assert cli_on("recurring", "pause", "r1", "--until", "soon").exit_code == 2
    assert cli_on("recurring", "resume", "r1", "--skip").output == "r1 resumed\n"
    assert cli_on("recurring", "resume", "r1", "--run-missed").output == "r1 resumed; nothing was missed\n"
    job_id = lines(cli_on("recurring", "trigger", "r1", "8", "--json"))["id"]
    assert lines(cli_on("jobs", "show", str(job_id), "--json"))["job"] == "clijobs:add(8)"

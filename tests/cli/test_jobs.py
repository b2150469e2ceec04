"""Stored jobs: enqueued, listed, shown, requeued, deleted, waited for."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from taskmanager import JobContext, TaskManager
from taskmanager.cli import choosing, jobs, main
from taskmanager.domain.times import utcnow
from tests.cli.conftest import Cli, lines, on_terminal


def ids(found: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in found]


def test_a_job_is_enqueued_listed_shown_deleted_and_requeued(cli: Cli) -> None:
    job_id = str(lines(cli("enqueue", "Adder", "3", "b=4", "--json"))["id"])
    assert ids(lines(cli("jobs", "list", "--state", "enqueued", "--json"))) == [int(job_id)]
    assert "1 of 1 deleted" in cli("jobs", "delete", job_id).output
    assert "1 of 1 requeued" in cli("jobs", "requeue", job_id).output
    shown = lines(cli("jobs", "show", job_id, "--json"))
    assert [s["state"] for s in shown["history"]] == ["Enqueued", "Deleted", "Enqueued"]
    assert (shown["job"], shown["queue"], shown["log"]) == ("clijobs:add(3, 4)", "default", [])
    assert "Requeued from the command line" in cli("jobs", "show", job_id).output


def test_every_way_to_name_a_job_enqueues_it(cli: Cli) -> None:
    for name in ("clijobs:add", "Adder", "ADDER", "add"):
        assert re.fullmatch(r"job \d+ enqueued\n", cli("enqueue", name, "1").output)
    cli("enqueue", "clijobs:plain", "7")
    jobs = [row["job"] for row in lines(cli("jobs", "list", "--json"))]
    assert jobs == ["clijobs:plain(null, 7)", *["clijobs:add(1)"] * 4]


def test_a_module_that_discover_does_not_name_is_imported_and_the_workers_need_is_told(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASKMANAGER_DISCOVER")
    result = cli("enqueue", "clijobs:add", "1")
    assert result.stdout == "job 1 enqueued\n"
    assert result.stderr == "note: only workers whose setting `discover` names clijobs perform it\n"
    assert cli("--discover", "clijobs", "enqueue", "clijobs:add", "1").stderr == ""


def test_a_job_is_put_off_and_put_into_a_queue(cli: Cli) -> None:
    cli("enqueue", "add", "1", "--queue", "mail", "--priority", "-3")
    cli("enqueue", "add", "1", "--delay", "3600")
    cli("enqueue", "add", "1", "--at", "2040-01-31T09:00+01:00")
    at, later, now = (lines(cli("jobs", "show", str(i), "--json")) for i in (3, 2, 1))
    assert (now["queue"], now["priority"], now["state"]) == ("mail", -3, "Enqueued")
    due = datetime.fromisoformat(later["history"][0]["data"]["EnqueueAt"][:19])
    assert timedelta(minutes=59) < due - utcnow() < timedelta(minutes=61)
    assert (at["state"], at["history"][0]["data"]["EnqueueAt"][:19]) == ("Scheduled", "2040-01-31T08:00:00")


def test_the_list_is_narrowed_by_state_job_queue_and_page(cli: Cli) -> None:
    for queue in ("default", "mail"):
        for name in ("add 1", "nightly"):
            cli("enqueue", *name.split(), "--queue", queue)
    assert ids(lines(cli("jobs", "list", "--json"))) == [4, 3, 2, 1]
    assert ids(lines(cli("jobs", "list", "--job", "Adder", "--json"))) == [3, 1]
    assert ids(lines(cli("jobs", "list", "--job", "NIGHTLY", "--queue", "mail", "--json"))) == [4]
    assert ids(lines(cli("jobs", "list", "--limit", "2", "--json"))) == [4, 3]
    assert ids(lines(cli("jobs", "list", "--limit", "2", "--before", "3", "--json"))) == [2, 1]
    assert ids(lines(cli("jobs", "list", "--queue", "mail", "--before", "4", "--limit", "1", "--json"))) == [3]
    assert cli("jobs", "list", "--state", "failed").output == "no jobs in state Failed\n"
    table = cli("jobs", "list").output.splitlines()
    assert table[0].split() == ["id", "state", "job", "queue", "created"]
    assert len(table) == 5


def test_a_name_or_queue_that_nobody_knows_is_told_with_what_is_near(cli: Cli) -> None:
    cli("enqueue", "add", "1", "--queue", "mail")
    for command in (("list",), ("requeue", "--state", "enqueued"), ("delete", "--state", "enqueued")):
        result = cli("jobs", *command, "--job", "ad")
        assert (result.exit_code, "did you mean 'add'?" in result.stderr) == (0, True), result.stderr
        assert "no queue 'mial' is known; did you mean 'mail'?" in cli("jobs", *command, "--queue", "mial").stderr
    assert "no job is named 'zzz'; known jobs: Adder, Nightly" in cli("jobs", "list", "--job", "zzz").stderr
    known = cli("jobs", "list", "--state", "failed", "--job", "nightly", "--queue", "mail")
    assert (known.stdout, known.stderr) == ("no jobs in state Failed\n", "")
    assert "no queue 'zzz' is known; known queues: " in cli("jobs", "list", "--queue", "zzz").stderr
    assert not cli("jobs", "list", "--job", "ad", "--before", "1").stderr, "the end of the pages"


def test_a_list_is_looked_for_among_so_many_jobs_and_says_how_to_go_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(choosing, "_PAGE", 2)
    monkeypatch.setattr(jobs, "LOOKED_THROUGH", 4)
    for name in ("nightly", *["add 1"] * 5):
        cli("enqueue", *name.split())
    first = cli("jobs", "list", "--job", "nightly", "--json")
    assert (lines(first), "4 jobs were looked through" in first.stderr) == ([], True)
    assert "--before 3" in first.stderr
    rest = cli("jobs", "list", "--job", "nightly", "--json", "--before", "3")
    assert (ids(lines(rest)), rest.stderr) == ([1], "")
    assert ids(lines(cli("jobs", "list", "--job", "add", "--json", "--limit", "2"))) == [6, 5]
    assert cli("jobs", "delete", "--state", "enqueued", "--job", "nightly").stdout == "1 of 1 deleted\n"


def test_of_several_jobs_those_that_can_be_are_changed_and_the_others_are_told(cli: Cli) -> None:
    for _ in range(2):
        cli("enqueue", "add", "1")
    cli("jobs", "delete", "1")
    result = cli("jobs", "delete", "1", "2", "99")
    assert (result.exit_code, result.stdout) == (1, "1 of 3 deleted\n")
    assert "job 1: the job is Deleted" in result.stderr
    assert "job 99: there is no such job" in result.stderr
    assert (cli("jobs", "requeue", "1", "99").exit_code, cli("jobs", "requeue", "1").exit_code) == (1, 0)


def many(tm: TaskManager, count: int) -> None:
    """Failed jobs, two of three of them `add`, every other one in queue mail."""
    import clijobs  # type: ignore[import-not-found]

    for n in range(2):
        queue = ("default", "mail")[n]
        tm.enqueue_many(clijobs.add, [(1,)] * (count // 3), queue=queue)
        tm.enqueue_many(clijobs.nightly, [()] * (count // 6), queue=queue)
    for start in range(1, count + 1, 500):
        for job_id in range(start, min(count, start + 499) + 1):
            tm.client.fail(job_id, ValueError("x"), "broken")


def test_many_jobs_are_requeued_and_deleted_by_state_job_and_queue(cli: Cli) -> None:
    tm = TaskManager()
    many(tm, 60)
    tm.close()
    assert (
        cli("jobs", "requeue", "--state", "failed", "--job", "add", "--queue", "mail").stdout == "20 of 20 requeued\n"
    )
    assert len(lines(cli("jobs", "list", "--state", "enqueued", "--limit", "99", "--json"))) == 20
    assert cli("jobs", "delete", "--state", "failed", "--job", "Nightly").stdout == "20 of 20 deleted\n"
    assert cli("jobs", "requeue", "--state", "failed").stdout == "20 of 20 requeued\n"
    assert cli("jobs", "requeue", "--state", "failed").stdout == "0 of 0 requeued\n"
    assert len(lines(cli("jobs", "list", "--state", "deleted", "--limit", "99", "--json"))) == 20


def test_a_terminal_shows_a_progress_bar_and_asks_before_many_are_deleted(cli: Cli) -> None:
    tm = TaskManager()
    many(tm, 240)
    tm.close()
    code, seen = on_terminal("jobs", "requeue", "--state", "failed")
    assert code == 0
    assert re.search(r"requeued.*\d+/240", seen), seen
    assert "240 of 240 requeued" in seen
    code, seen = on_terminal("jobs", "delete", "--state", "enqueued", typed="n\n")
    assert (code, "delete 240 jobs?" in seen) == (1, True)
    assert lines(cli("jobs", "list", "--state", "deleted", "--json")) == []
    code, seen = on_terminal("jobs", "delete", "1", typed="y\n")
    assert (code, "delete 1 job?" in seen, "1 of 1 deleted" in seen) == (0, True, True)
    code, seen = on_terminal("jobs", "delete", "2", "--yes")
    assert (code, "[y/N]" in seen) == (0, False)


@pytest.mark.one_server
def test_waiting_has_exit_codes_for_scripts(cli_on: Cli, tm: TaskManager, hands: Any) -> None:
    import clijobs

    good, bad = tm.enqueue(clijobs.add, 20), tm.enqueue(clijobs.nightly)
    late = cli_on("jobs", "wait", str(good), "--timeout", "0.1")
    assert (late.exit_code, late.stdout) == (3, "")
    assert "is still Enqueued after 0.1 s" in late.stderr
    assert hands().work() == 2
    done = cli_on("jobs", "wait", str(good), "--timeout", "9")
    assert (done.exit_code, done.stdout) == (0, "21\n")
    failed = cli_on("jobs", "wait", str(bad))
    assert (failed.exit_code, failed.stdout, failed.stderr) == (1, "", f"job {bad} is Failed: night\n")
    cli_on("jobs", "delete", str(good), "--yes")
    assert cli_on("jobs", "wait", str(good)).exit_code == 1
    assert cli_on("jobs", "wait", "none").exit_code == 2


def test_a_terminal_shows_how_far_the_awaited_job_is(cli: Cli) -> None:
    from taskmanager.engine.context import PROGRESS
    from taskmanager.storage import jobs

    cli("enqueue", "add", "1")
    tm = TaskManager()
    tm.database.run(lambda tx: jobs.set_parameters(tx, {(1, PROGRESS): "0.4000"}))
    tm.close()
    code, seen = on_terminal("jobs", "wait", "1", "--timeout", "2")
    assert (code, "is still Enqueued after" in seen) == (3, True)
    assert re.search(r"job 1 Enqueued.*40%", seen), seen


class Pressed(io.BytesIO):
    """Somebody at the keyboard who answers by Ctrl-C."""

    def read1(self, *given: Any, **named: Any) -> bytes:
        raise KeyboardInterrupt


class Callback:
    """What the garbage collector calls: an interrupt that arrives in there is not raised to anybody."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.one_server
def test_ctrl_c_is_not_lost_wherever_it_arrives(cli_on: Cli, tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    import clijobs

    from taskmanager.storage import jobs

    job_id, looks = tm.enqueue(clijobs.add, 20), []
    current_states = jobs.current_states

    def interrupted(tx: Any, ids: Any) -> Any:
        looks.append(ids)
        if len(looks) == 2:
            Callback()
        return current_states(tx, ids)

    monkeypatch.setattr(jobs, "current_states", interrupted)
    usual = signal.getsignal(signal.SIGINT)
    waited = cli_on("jobs", "wait", str(job_id), "--timeout", "30")
    assert (waited.exit_code, waited.stderr) == (130, "interrupted\n")
    assert len(looks) == 2, "that look is done, no other is begun"
    assert signal.getsignal(signal.SIGINT) is usual


def test_ctrl_c_before_a_command_or_at_its_question_is_exit_code_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("enqueue", "add", "1")
    with monkeypatch.context() as patch:
        patch.setattr("taskmanager.cli.jobs.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
        asked = CliRunner().invoke(main, ["jobs", "delete", "1"], input=Pressed())
    assert (asked.exit_code, asked.stderr) == (130, "interrupted\n")
    monkeypatch.setattr("click.Group.make_context", Pressed.read1)
    early = cli("jobs", "list")
    assert (early.exit_code, early.stderr) == (130, "interrupted\n")


def test_ctrl_c_while_waiting_is_exit_code_130(cli: Cli) -> None:
    cli("enqueue", "add", "1")
    command = [sys.executable, "-m", "taskmanager", "jobs", "wait", "1"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(f.path.endswith("taskmanager.db") for f in psutil.Process(process.pid).open_files()):
        assert time.monotonic() < deadline, "it does not look at its job"
        time.sleep(0.1)
    try:
        process.send_signal(signal.SIGINT)
        _, seen = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, seen) == (130, "interrupted\n")


def test_a_jobs_log_is_shown_line_by_line_in_words(cli: Cli) -> None:
    tm = TaskManager()

    def talks(ctx: JobContext) -> None:
        ctx.log.info("row %d", 1, file="a.csv")
        ctx.log.error("two\nlines")

    job_id = tm.job(retries=0)(talks).enqueue()
    tm.testing.drain()
    tm.close()
    shown = cli("jobs", "show", str(job_id)).output
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z"
    assert re.search(rf"^  attempt 1  {moment}  INFO     row 1  file=a\.csv$", shown, re.MULTILINE), shown
    assert re.search(rf"^  attempt 1  {moment}  ERROR +\n          two\n          lines$", shown, re.MULTILINE), shown

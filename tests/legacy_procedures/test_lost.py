"""Workers that die in the middle of a procedure, hosts that vanish, a database that goes away: real processes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server import lifeline
from taskmanager.server.server import Server
from taskmanager.storage import servers
from tests.conftest import new_database, own_server
from tests.legacy_procedures.bench import Bench, end, kill, wait_for
from tests.servers import local

pytestmark = [pytest.mark.fault, pytest.mark.timeout(150)]

Workers = Callable[..., subprocess.Popen[bytes]]
Servers = Callable[..., Server]


@pytest.mark.parametrize("whole", [False, True], ids=["child", "supervisor too"])
def test_a_run_whose_worker_is_killed_is_failed_its_connection_ended_and_nothing_doubled(
    server: Bench, worker: Workers, serve: Servers, whole: bool
) -> None:
    row_id = server.job(server.loop("SP_Loop"))
    worker()
    job_id = server.trigger(row_id)
    connection, lost = server.begun(job_id)
    serve()
    kill(lost, whole=whole)
    wait_for(lambda: server.tm.get(job_id).state == "Failed", 10, "the lost run was not dealt with")
    assert not server.is_connected(connection), "it was ended before the run was called failed"
    row, (run,) = server.row(row_id), server.runs()
    assert row["LastResult"].startswith(f"worker lost: {lost} was gone before the procedure had ended; it is not run")
    assert (row["FailureCount"], run["Success"], run["ErrorMessage"]) == (8, 0, row["LastResult"])
    assert (run["ServerName"], run["JobName"], run["StartedAt"]) == (lost, "Report", row["LastRun"])
    time.sleep(2)
    assert (len(server.marks("began")), server.marks("ended"), len(server.runs())) == (1, [], 1)


def test_a_lost_run_is_run_again_where_the_setting_says_so_after_the_end_of_the_first(
    server: Bench, worker: Workers, serve: Servers
) -> None:
    row_id = server.job(server.loop("SP_Loop", then=0))
    worker(legacy_rerun_lost=True)
    job_id = server.trigger(row_id)
    connection, lost = server.begun(job_id)
    serve(legacy_rerun_lost=True)
    kill(lost, whole=True)
    wait_for(lambda: server.tm.get(job_id).state == "Succeeded", 60, "it was not run again")
    assert not server.is_connected(connection)
    assert (len(server.marks("began")), len(server.marks("ended"))) == (2, 1)
    first, second = server.runs()
    assert (server.row(row_id)["FailureCount"], first["Success"], second["Success"]) == (0, 0, 1)
    assert first["ErrorMessage"] == f"worker lost: {lost} was gone before the job had ended"


def test_what_was_claimed_and_not_sent_runs_elsewhere_after_a_loss(
    server: Bench, worker: Workers, serve: Servers
) -> None:
    rows = [server.job(server.loop("SP_Loop")), server.job(server.simple("SP_Next"))]
    worker("--threads", "1", prefetch=4)
    first = server.trigger(rows[0])
    _, lost = server.begun(first)
    second = server.trigger(rows[1])
    queue = server.q("HangfireJobQueue")
    claimed = f"SELECT COUNT(*) FROM {queue} WHERE {server.q('FetchToken')} IS NOT NULL"
    wait_for(lambda: server.sql(claimed)[0][0] == 2, 10, "the second was not claimed ahead")
    kill(lost, whole=True)
    serve()
    wait_for(lambda: server.tm.get(second).state == "Succeeded", 60, "what was not sent did not run")
    wait_for(lambda: server.tm.get(first).state == "Failed", 10, "what was sent was not failed")
    assert (server.row(rows[1])["FailureCount"], server.row(rows[0])["FailureCount"]) == (0, 8)


def test_a_claim_that_was_not_sent_is_run_by_the_next_and_one_that_was_is_not(bench: Bench, hands: Any) -> None:
    row_id = bench.job(bench.simple("SP_Once"))
    job_id = bench.trigger(row_id)
    dead = hands()
    (claim,) = dead.claim()
    bench.tm.database.run(lambda tx: servers.bury(tx, dead.id, started=None))
    heir = hands()
    (claim,) = heir.claim()
    heir.worker.perform(claim)
    assert bench.row(row_id)["LastResult"] is None, "it ran, and its outcome is not written"
    bench.tm.database.run(lambda tx: servers.bury(tx, heir.id, started=[job_id]))
    assert hands().work() == 1
    assert bench.row(row_id)["LastResult"].startswith(f"worker lost: {heir.id} was gone")
    heir.completer.flush()
    assert len(bench.runs()) == 1, "who was given up writes nothing"
    assert bench.tm.get(job_id).state == "Failed"
    assert bench.tm.requeue(job_id)
    assert hands().work() == 1
    assert (bench.row(row_id)["LastResult"], bench.row(row_id)["FailureCount"]) == ("ran", 0)


STAND_IN = """
import time
from pathlib import Path
from taskmanager import current

tm = current()

@tm.procedure("SP_Sleeps")
def sleeps():
    with open("began", "a") as file:
        file.write("x")
    time.sleep(60)
"""


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_python_function_that_was_cut_off_is_failed_and_not_run_again(
    sqlite: Bench, worker: Workers, tmp_path: Path, how: str
) -> None:
    (tmp_path / "standins.py").write_text(STAND_IN)
    row_id = sqlite.job("SP_Sleeps")
    first = worker(discover="standins", grace_seconds=1)
    job_id = sqlite.trigger(row_id)
    wait_for(lambda: (tmp_path / "began").exists(), 30, "it did not begin")
    wait_for(lambda: sqlite.performer_of(job_id), 5, "Processing is not told")
    if how == "killed":
        kill(sqlite.performer_of(job_id), whole=True)
    else:
        assert end(first) == [0]
    worker(discover="standins", grace_seconds=1)
    wait_for(lambda: sqlite.tm.get(job_id).state == "Failed", 60, "the lost run was not dealt with")
    assert sqlite.row(row_id)["LastResult"].startswith("worker lost: ")
    assert (tmp_path / "began").read_text() == "x"


def test_a_run_of_a_host_that_vanished_is_dealt_with_within_45_seconds(
    server: Bench, worker: Workers, serve: Servers
) -> None:
    if server.product != "mariadb":
        pytest.skip("it takes 40 seconds, and depends on no product")
    row_id = server.job(server.loop("SP_Loop", 120))
    worker()
    job_id = server.trigger(row_id)
    connection, lost = server.begun(job_id)
    serve()
    assert len(server.servers()) == 2
    folder = lifeline.folder_of(server.tm.database.identity)
    (folder / f"{lost.rpartition(':')[2]}.alive").unlink()  # of another host one sees no lifeline
    kill(lost, whole=True)
    took = wait_for(lambda: server.tm.get(job_id).state == "Failed", 45, "the lost host was not found in time")
    assert took > 20, "it was the heartbeat that told"
    assert not server.is_connected(connection)
    assert server.row(row_id)["LastResult"].startswith(f"worker lost: {lost} was gone")


@pytest.fixture(params=["mariadb", "postgresql"])
def own(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    """A durable server of this test's own."""
    with own_server(request, request.param) as made:
        yield made


def test_rows_go_on_within_30_seconds_after_the_database_is_back(own: local.Server, tmp_path: Path) -> None:
    tm = TaskManager(database_url=new_database(own), doorbell=False)
    tm.database.create_tables()
    bench = Bench(tm)
    looping = bench.job(bench.loop("SP_Loop", 60))
    each_second = bench.job(bench.simple("SP_Second"), name="Second", cron="* * * * * *")
    process = bench.worker(tmp_path)
    try:
        cut_off = bench.trigger(looping)
        bench.begun(cut_off)
        wait_for(lambda: bench.row(each_second)["FailureCount"] == 0, 20, "the row of each second did not run")
        own.kill()
        bench.engine.dispose()
        tm.database.dispose()
        time.sleep(5)
        own.start()
        before = bench.row(each_second)["LastRun"]
        took = wait_for(lambda: bench.row(each_second)["LastRun"] > before, 30, "no run after the outage")
        assert took < 30
        wait_for(lambda: tm.get(cut_off).state == "Failed", 30, "what the outage cut off was not failed")
        assert bench.row(looping)["FailureCount"] == 8
        assert len(bench.marks("began")) == 1
    finally:
        end(process)
        bench.close()
        tm.close()


def test_the_marks_are_readable_for_people(bench: Bench, hands: Any) -> None:
    job_id = bench.trigger(bench.job(bench.simple("SP_Once")))
    hand = hands()
    assert hand.work() == 1
    assert f'"server": "{hand.id}"' in bench.tm.get(job_id).parameters["ProcedureSent"]

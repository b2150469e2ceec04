"""Runs that are ended on purpose: by a timeout, by people, by a worker that stops; their connections end, too."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.server import Server
from tests.conftest import history
from tests.legacy_procedures.bench import Bench, end, wait_for

Workers = Callable[..., subprocess.Popen[bytes]]
Servers = Callable[..., Server]

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


def test_a_procedure_that_runs_too_long_is_killed_and_failed(server: Bench, serve: Servers) -> None:
    row_id = server.job(server.loop("SP_Loop"))
    serve(legacy_timeout_seconds=2.0)
    job_id = server.trigger(row_id)
    connection, _ = server.begun(job_id)
    took = wait_for(lambda: server.tm.get(job_id).state == "Failed", 10, "it was not ended")
    assert 1 < took < 6
    assert not server.is_connected(connection)
    row, (run,) = server.row(row_id), server.runs()
    assert row["LastResult"] == "the job ran longer than its timeout of 2 s; its connection was killed"
    assert (row["FailureCount"], run["Success"], run["ErrorMessage"]) == (8, 0, row["LastResult"])
    assert server.marks("ended") == []


@pytest.mark.parametrize("door", ["python", pytest.param("command line", marks=pytest.mark.one_server)])
def test_a_run_whose_job_is_deleted_is_cancelled_and_told_but_not_counted(
    server: Bench, serve: Servers, tmp_path: Path, door: str
) -> None:
    row_id = server.job(server.loop("SP_Loop"))
    serve()
    job_id = server.trigger(row_id)
    connection, served = server.begun(job_id)
    if door == "python":
        assert server.tm.delete(job_id)
    else:
        url = server.tm.database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "taskmanager", "--database-url", url, "jobs", "delete", str(job_id), "--yes"]
        subprocess.run(command, check=True, cwd=tmp_path)
    wait_for(lambda: not server.is_connected(connection), 5, "its connection was not killed")
    wait_for(server.runs, 5, "the cancelled run is not told")
    row, (run,) = server.row(row_id), server.runs()
    assert history(server.tm, job_id) == ["Enqueued", "Processing", "Deleted"]
    assert (run["Success"], run["ErrorMessage"], run["ServerName"]) == (0, None, served)
    assert run["ResultMessage"] == "Cancelled: the job was moved to Deleted; its connection was killed"
    assert (row["LastResult"], row["FailureCount"]) == (run["ResultMessage"], 7)
    assert row["LastRun"] == run["StartedAt"]
    time.sleep(1)
    assert (len(server.marks("began")), server.marks("ended"), len(server.runs())) == (1, [], 1)


def test_a_run_that_ends_before_its_deletion_is_noticed_is_told_too(bench: Bench, hands: Any) -> None:
    row_id = bench.job(bench.simple("SP_Quick"))
    job_id = bench.trigger(row_id)
    hand = hands()
    (claim,) = hand.claim()
    hand.worker.perform(claim)
    assert bench.tm.delete(job_id)
    hand.completer.flush()
    (run,) = bench.runs()
    assert (run["Success"], run["ResultMessage"]) == (0, "Cancelled: the job was deleted while it ran")
    assert (bench.row(row_id)["FailureCount"], bench.tm.get(job_id).state) == (7, "Deleted")


def test_a_running_procedure_that_is_requeued_is_ended_before_it_runs_again(server: Bench, serve: Servers) -> None:
    row_id = server.job(server.loop("SP_Loop", then=1))
    serve(), serve()
    job_id = server.trigger(row_id)
    connection, _ = server.begun(job_id)
    assert server.tm.requeue(job_id)
    wait_for(lambda: len(server.marks("began")) == 2, 10, "it did not begin again")
    assert not server.is_connected(connection)
    wait_for(lambda: server.tm.get(job_id).state == "Succeeded", 15, "the second run did not end")
    assert len(server.marks("ended")) == 1
    assert server.row(row_id)["FailureCount"] == 0
    told = {run["Success"]: run["ResultMessage"] for run in server.runs()}
    assert "the job was moved to " in told[0], "by who noticed first: the first worker, or the second"
    assert len(server.runs()) == 2


def test_a_worker_that_stops_waits_the_grace_time_then_kills_the_procedure_and_the_run_fails(
    server: Bench, worker: Workers, serve: Servers
) -> None:
    row_id = server.job(server.loop("SP_Loop"))
    stopping = worker(grace_seconds=2)
    job_id = server.trigger(row_id)
    connection, served = server.begun(job_id)
    other = serve()
    started = time.monotonic()
    assert end(stopping) == [0]
    assert 2 < time.monotonic() - started < 12
    assert server.servers() == {other.id}, "which would take it"
    wait_for(lambda: server.tm.get(job_id).state == "Failed", 5, "the run was not failed")
    row, (run,) = server.row(row_id), server.runs()
    assert row["LastResult"] == "the server stopped before the procedure had ended; its connection was killed"
    assert (row["FailureCount"], run["Success"], run["ServerName"]) == (8, 0, served)
    assert not server.is_connected(connection)
    time.sleep(1)
    assert len(server.marks("began")) == 1, "it was not given back"


@pytest.mark.one_server
def test_a_procedure_that_ends_within_the_grace_time_ends_well(server: Bench, worker: Workers) -> None:
    row_id = server.job(server.loop("SP_Loop"))
    stopping = worker(grace_seconds=20)
    job_id = server.trigger(row_id)
    server.begun(job_id)
    stopping.terminate()
    time.sleep(1)
    assert stopping.poll() is None, "it waits"
    server.let_go()
    assert stopping.wait(60) == 0
    assert (server.tm.get(job_id).state, server.row(row_id)["FailureCount"]) == ("Succeeded", 0)


def test_a_long_procedure_blocks_nothing_is_not_cut_and_not_doubled(server: Bench, serve: Servers) -> None:
    long = server.job(server.loop("SP_Loop"))
    others = [server.job(server.simple("SP_Other"), cron="* * * * * *") for _ in range(3)]
    for _ in range(2):
        serve(heartbeat_seconds=0.5, dead_after_seconds=3.0)
    job_id = server.trigger(long)
    server.begun(job_id)
    began = time.monotonic()
    wait_for(lambda: all(server.row(i)["LastRun"] for i in others), 10, "the others did not begin")
    seen = [server.row(i)["LastRun"] for i in others]
    for i, before in zip(others, seen, strict=True):
        wait_for(lambda i=i, before=before: server.row(i)["LastRun"] > before, 10, "the others do not go on")
    time.sleep(max(0.0, began + 7 - time.monotonic()))
    assert server.marks("ended") == [], "all of this was while the long one ran, for twice dead_after_seconds"
    server.let_go()
    wait_for(lambda: server.tm.get(job_id).state == "Succeeded", 30, "the long one did not end")
    assert (len(server.marks("began")), len(server.marks("ended"))) == (1, 1)
    assert server.row(long)["FailureCount"] == 0


class Wire:
    """Passes connections on to a server, until it is cut: then both ends are left without a word."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """The worker's side ends at once; the server's stays as it is."""
        for near, _ in self._ends:
            near.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        for pair in self._ends:
            for one in pair:
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._ends.append((near, far))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            return


@pytest.fixture
def wire(server: Bench) -> Iterator[Wire]:
    """A network between us and the server."""
    url = server.tm.database.url
    made = Wire(str(url.host), int(url.port or 0))
    yield made
    made.close()


def test_a_connection_that_breaks_fails_the_run_and_what_the_server_still_does_is_ended(
    server: Bench, wire: Wire
) -> None:
    url = server.tm.database.url.set(port=wire.port).render_as_string(hide_password=False)
    tm = TaskManager(database_url=url, doorbell=False)
    row_id = server.job(server.loop("SP_Loop"))
    one = tm.server()
    one.start()
    try:
        job_id = server.trigger(row_id)
        connection, _ = server.begun(job_id)
        wire.cut()
        wait_for(lambda: server.tm.get(job_id).state == "Failed", 15, "the run was not failed")
        wait_for(lambda: not server.is_connected(connection), 5, "its connection was not ended")
        assert (server.row(row_id)["FailureCount"], len(server.marks("began"))) == (8, 1)
    finally:
        one.stop(1)
        tm.close()


def test_a_read_timeout_of_the_url_does_not_cut_a_procedure(mysql: Bench) -> None:
    url = mysql.tm.database.url.update_query_dict({"read_timeout": "1"}).render_as_string(hide_password=False)
    tm = TaskManager(database_url=url, doorbell=False)
    row_id = mysql.job(mysql.procedure("SP_Slow", "SELECT SLEEP(2.5)"))
    one = tm.server()
    one.start()
    try:
        mysql.trigger(row_id)
        wait_for(lambda: mysql.row(row_id)["LastRun"] is not None, 20, "it did not end")
        assert (mysql.row(row_id)["LastResult"], mysql.row(row_id)["FailureCount"]) == ("0", 0)
    finally:
        one.stop(1)
        tm.close()

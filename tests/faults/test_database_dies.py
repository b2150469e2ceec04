"""The database server is killed and stays away for a while; what meets that, and what stops meanwhile, ends well."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from taskmanager import TaskManager
from tests.conftest import new_database
from tests.faults.crew import Crew
from tests.faults.test_kill import JOBS, end, in_state, start_worker, wait_for
from tests.servers import local

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]
#: Seconds; on a machine with nothing else to do it is a tenth. What waits for the database would wait for 90.
SOON = 45


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest, durable_server: Callable[[str], local.Server]) -> local.Server:
    """A durable server that the tests of this file may kill."""
    return durable_server(request.param)


def test_through_an_outage_of_a_minute_nothing_is_lost_or_doubled_and_work_goes_on_within_seconds(
    server: local.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    crew = Crew(new_database(server), tmp_path, 1)
    try:
        crew.start(2)
        time.sleep(3)
        server.kill()
        time.sleep(10)
        psutil.Process(crew.workers[0].pid).children()[0].kill()
        time.sleep(50 if server.product == "mariadb" else 10)
        server.start()
        done = in_state(crew.tm, "Succeeded")
        took = wait_for(lambda: in_state(crew.tm, "Succeeded") > done, SOON, "work did not go on")
        print(f"work went on {took:.2f} s after the outage")
        crew.finish()
        assert crew.violations() == [], crew.logs()
    finally:
        codes = crew.close()
        sys.modules.pop("killjobs", None)
    assert codes == [0, 0]


def test_a_worker_that_starts_during_an_outage_waits_for_its_end(
    server: local.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    url = new_database(server)
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.database.create_tables()
    tm.discover()
    job_id = tm.enqueue("nap", 7)
    server.kill()
    worker = start_worker(url, tmp_path)
    try:
        time.sleep(3)
        assert worker.poll() is None, "it did not give up"
        server.start()
        assert tm.wait(job_id, 100) == 7
    finally:
        end(worker)
        tm.close()
        sys.modules.pop("killjobs", None)


STUBBORN = (
    JOBS
    + """
from taskmanager import JobContext

@job
def obeys(ctx: JobContext, seconds: float) -> str:
    return sleeps(ctx.sleep, seconds)

@job
def stubborn(seconds: float) -> str:
    return sleeps(time.sleep, seconds)

def sleeps(pause, seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not Path(__file__).with_name("go").exists():
        pause(0.05)
    return "slept"
"""
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module with jobs that take long."""
    (tmp_path / "killjobs.py").write_text(STUBBORN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("killjobs", None)


def logs_of(folder: Path, but: Iterable[Path] = ()) -> str:
    """What workers have logged, but for those of these files."""
    return "".join(path.read_text() for path in {*folder.glob("worker-*.log")} - {*but})


def test_a_worker_told_to_stop_while_the_database_is_down_ends_in_time_and_its_jobs_run_again(
    server: local.Server, project: Path
) -> None:
    url = new_database(server)
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.database.create_tables()
    tm.discover()
    grace = {"TASKMANAGER_GRACE_SECONDS": "3"}
    worker = start_worker(url, project, "--threads", "4", environment=grace)
    idle = start_worker(url, project, "--queues", "nothing", environment=grace)
    late = None
    try:
        wait_for(lambda: tm.wait(tm.enqueue("nap", 0), 60) == 0, 60, "the worker did not begin")
        ids = [tm.enqueue("obeys", 60), tm.enqueue("stubborn", 60), *(tm.enqueue("stubborn", 1) for _ in range(9))]
        wait_for(lambda: in_state(tm, "Processing") == 4, 60, "the jobs did not begin")
        server.kill()
        time.sleep(0.5)
        others = set(project.glob("worker-*.log"))
        late = start_worker(url, project)
        wait_for(lambda: "waiting for the database" in logs_of(project, others), 60, "the late worker did not begin")
        time.sleep(1)
        for one in (worker, idle, late):
            one.send_signal(signal.SIGTERM)
        codes = [one.wait(SOON) for one in (late, idle, worker)]
        assert codes == [0, 0, 0], "neither the database nor jobs of a minute were waited for"
        server.start()
        (project / "go").touch()
        tm.database.run(lambda tx: None)
        worker = start_worker(url, project, "--threads", "20")
        assert [tm.wait(i, 100) for i in ids] == ["slept"] * len(ids)
    finally:
        end(worker, idle, *([late] if late else []))
        tm.close()

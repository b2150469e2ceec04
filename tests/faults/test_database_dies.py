"""The database server itself is killed, several times in one run; then the tables prove what happened."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from tests.conftest import new_database
from tests.faults.test_kill import JOBS, end, in_state, start_worker, wait_for
from tests.servers import local

pytestmark = [pytest.mark.fault, pytest.mark.timeout(240)]

#: Which state may follow which in a job's history.
LEGAL = {
    None: {"Enqueued", "Scheduled"},
    "Enqueued": {"Processing"},
    "Scheduled": {"Enqueued"},
    "Processing": {"Succeeded", "Failed", "Processing", "Enqueued"},
    "Failed": {"Scheduled", "Enqueued"},
    "Succeeded": set(),
}


@pytest.fixture(params=["mariadb", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[local.Server]:
    """A durable server of this test's own."""
    try:
        made = local.private(request.param, durable=True)
    except local.Unavailable as reason:
        pytest.skip(str(reason))
    yield made
    made.destroy()


def test_nothing_is_lost_or_doubled_while_database_and_workers_are_killed(
    server: local.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    url = new_database(server)
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.database.create_tables()
    tm.discover()
    workers = [start_worker(url, tmp_path), start_worker(url, tmp_path)]
    chance = random.Random(7)
    ids: list[int] = []
    try:
        for round_number in range(3):
            for n in range(100):
                ids.append(tm.enqueue("nap", n))
            ids += tm.enqueue_many("nap", [(n,) for n in range(400)])
            time.sleep(chance.uniform(0.3, 0.8))
            server.kill()
            time.sleep(chance.uniform(0.5, 1.5))
            if round_number == 1:
                psutil.Process(workers[0].pid).children()[0].kill()
            server.start()
            wait_for(lambda n=100 * round_number: in_state(tm, "Succeeded") > n, 60, "work did not go on")
        wait_for(lambda: in_state(tm, "Succeeded") == len(ids), 90, "jobs were lost or stranded")
        check(tm, ids)
    finally:
        end(*workers)
        tm.close()
        sys.modules.pop("killjobs", None)


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
        assert tm.wait(job_id, 60) == 7
    finally:
        end(worker)
        tm.close()
        sys.modules.pop("killjobs", None)


def check(tm: TaskManager, ids: list[int]) -> None:
    """The proof from the tables."""
    assert len(ids) == len(set(ids)) == 1500
    table, queue, job = tm.database.tables.state, tm.database.tables.queue, tm.database.tables.job
    histories: dict[int, list[str]] = defaultdict(list)
    with tm.database.engine.connect() as connection:
        for job_id, name in connection.execute(select(table.c.JobId, table.c.Name).order_by(table.c.Id)):
            histories[job_id].append(name)
        left = connection.execute(select(queue.c.Id)).all()
        stored = {row[0] for row in connection.execute(select(job.c.Id))}
    assert stored == set(ids), "no job was written twice, none is missing"
    assert left == [], "no claim is left behind"
    for job_id, names in histories.items():
        for before, after in zip([None, *names], names, strict=False):
            assert after in LEGAL[before], (job_id, names)
        assert Counter(names)["Succeeded"] == 1, (job_id, names)

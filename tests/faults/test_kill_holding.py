"""Worker processes that are killed while they put jobs of a paused type aside, and while these come back."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_queues
from tests.faults.test_kill import end, in_state, start_worker, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(180)]

JOBS = """
import os
from pathlib import Path
from taskmanager import job

told = os.open(Path(__file__).with_name("told.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

@job
def held(number: int) -> None:
    os.write(told, f"{number}\\n".encode())

@job
def other() -> None:
    pass
"""
MANY, ROUNDS = 3_000, 2


@pytest.fixture
def crew(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.database.create_tables()
    tm.discover()
    yield tm
    tm.close()
    sys.modules.pop("killjobs", None)


def kill(process: psutil.Popen) -> None:
    """The supervisor and all it has started, at once."""
    whole = psutil.Process(process.pid)
    for one in [whole, *whole.children(recursive=True)]:
        one.kill()
    process.wait(10)


def test_killed_amid_a_sweep_and_amid_the_way_back_nothing_is_lost_and_only_what_ran_then_runs_again(
    url: str, crew: TaskManager, tmp_path: Path
) -> None:
    crew.enqueue_many("held", [(n,) for n in range(MANY)])
    crew.pause_jobs(job="held")
    behind = crew.enqueue("other")

    def held() -> int:
        return crew.database.read(lambda tx: monitoring_queues.one(tx, "default")).held

    for _ in range(ROUNDS):
        before = held()
        worker = start_worker(url, tmp_path)
        wait_for(lambda was=before: held() > was or held() == MANY, 60, "nothing is held")
        kill(worker)
    assert 0 < held() <= MANY
    worker = start_worker(url, tmp_path)
    assert crew.wait(behind, timeout=60) is None
    wait_for(lambda: held() == MANY, 60, "not all are held")
    assert in_state(crew, "Enqueued") == MANY
    crew.resume_jobs(job="held")
    time.sleep(0.3)
    kill(worker)
    worker = start_worker(url, tmp_path)
    wait_for(lambda: in_state(crew, "Succeeded") == MANY + 1, 120, "not all have run")
    assert end(worker) == [0]
    ran = Counter(map(int, (tmp_path / "told.txt").read_text().split()))
    # Who was killed while he ran jobs has run these again; who held or gave back has doubled none.
    assert ran.keys() == set(range(MANY))
    assert sum(ran.values()) <= MANY + 1_000
    assert held() == 0

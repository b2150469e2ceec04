"""`taskmanager worker` with all its options, as a process manager starts it, and what it logs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import servers
from tests.faults.test_kill import end, start_worker, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

JOBS = """
import asyncio, logging
from taskmanager import job

log = logging.getLogger("shop")

@job(retries=1, delays=[0], queue="urgent")
def fails() -> None:
    log.info("before")
    raise ValueError("broken")

@job(queue="urgent", retries=0)
async def later() -> None:
    log.info("before")
    await asyncio.sleep(0.01)
    await asyncio.to_thread(log.info, "after")

@job(queue="urgent", retries=0, isolate=True)
def apart() -> None:
    log.info("before")

@job("* * * * * *")
def each_second() -> None: ...
"""


@pytest.fixture
def tm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskManager]:
    (tmp_path / "killjobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = TaskManager(database_url=f"sqlite:///{tmp_path}/worker.db", discover="killjobs", doorbell=False)
    made.database.create_tables()
    made.discover()
    yield made
    made.close()
    sys.modules.pop("killjobs", None)


def start(tm: TaskManager, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    return start_worker(tm.settings.database_url, folder, *options, environment={"TASKMANAGER_LOG_FORMAT": "json"})


def announced(tm: TaskManager) -> list[Any]:
    return tm.database.read(servers.all_servers)


def test_its_options_say_where_how_much_and_under_which_name_it_works(tm: TaskManager, tmp_path: Path) -> None:
    options = ("--queues", "urgent,default", "--threads", "3", "--processes", "2", "--server-name", "blue-1")
    worker = start(tm, tmp_path, *options, "--no-scheduler")
    try:
        wait_for(lambda: len(announced(tm)) == 2, 60, "the worker did not start")
        for one in announced(tm):
            assert one.id.startswith("blue-1:")
            assert (one.data["WorkerCount"], one.data["Queues"]) == (3, ["urgent", "default", "alerts"])
            assert one.data["taskmanager"]["scheduler"] is False
        delayed, now = tm.enqueue("later", delay=0.1), tm.enqueue("later")
        tm.wait(now, 30)
        time.sleep(1.5)
        assert tm.get(delayed).state == "Scheduled", "schedules are left to other workers"
        assert tm.recurring_list() == [], "and what code schedules is written by those"
        clock = start(tm, tmp_path, "--queues", "nothing")
        try:
            tm.wait(delayed, 60)
            wait_for(lambda: any(r.last_job_id for r in tm.recurring_list()), 30, "the other one fires no schedule")
        finally:
            assert end(clock) == [0]
    finally:
        assert end(worker) == [0]
    assert announced(tm) == [], "they have signed off"


def test_each_line_of_its_log_is_one_object_and_those_of_a_job_name_it(tm: TaskManager, tmp_path: Path) -> None:
    worker = start(tm, tmp_path, "--queues", "urgent", "--server-name", "blue-1", "--no-scheduler")
    try:
        ids = {name: tm.enqueue(name) for name in ("fails", "later", "apart")}
        states = {"fails": "Failed", "later": "Succeeded", "apart": "Succeeded"}
        for name, job_id in ids.items():
            wait_for(lambda i=job_id, s=states[name]: tm.get(i).state == s, 60, f"{name} did not end")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    finally:
        end(worker)
    (log,) = tmp_path.glob("worker-*.log")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    told = {name: [x for x in lines if x.get("job_id") == job_id] for name, job_id in ids.items()}
    assert [(x["attempt"], x["message"].partition(": ")[0]) for x in told["fails"]] == [
        (1, "before"), (1, f"job {ids['fails']}"), (2, "before"), (2, f"job {ids['fails']} failed for good"),
    ]  # fmt: skip
    assert [x["message"] for x in told["later"]] == ["before", "after"]
    assert [x["message"] for x in told["apart"]] == ["before"]
    for name, of_job in told.items():
        assert {(x["queue"], x["job"]) for x in of_job} == {("urgent", f"killjobs:{name}")}
        assert all(x["server"].startswith("blue-1:") for x in of_job)
    assert all({"time", "level", "logger", "message"} <= x.keys() for x in lines)

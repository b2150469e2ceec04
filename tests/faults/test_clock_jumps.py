"""Clocks that jump: of the host, and of the database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.times import utcnow
from taskmanager.server import lifeline
from taskmanager.server.lifeline import Lifeline
from taskmanager.server.supervisor import Supervisor
from taskmanager.server.upkeep import Watchdog
from taskmanager.storage import servers
from tests.faults.bad import greet

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("hours", [6, -6])
def test_a_host_clock_that_jumps_changes_nothing_that_is_due(
    tm: TaskManager, hands: Any, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    later = tm.job(greet).schedule("later", delay=timedelta(hours=1))
    due = tm.job(greet).schedule("due", delay=0.01)
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *")
    worker = hands()
    planned = tm.recurring_list()[0].next_execution
    real, jump = time.time, timedelta(hours=hours)
    monkeypatch.setattr(time, "time", lambda: real() + jump.total_seconds())
    monkeypatch.setattr("taskmanager.storage.clock.utcnow", lambda: utcnow() + jump)
    time.sleep(0.02)
    worker.delayed.tick()
    worker.recurring.tick()
    worker.work()
    assert (tm.get(due).state, tm.get(later).state) == ("Succeeded", "Scheduled")
    assert tm.recurring_list()[0].next_execution == planned
    newcomer = TaskManager(database_url=tm.settings.database_url, doorbell=False)
    job_id = newcomer.job(greet).schedule("x", delay=timedelta(minutes=5))
    newcomer.close()
    worker.delayed.tick()
    assert tm.get(job_id).state == "Scheduled"
    tm.database.clock.shift(timedelta(minutes=6))
    worker.delayed.tick()
    assert tm.get(job_id).state == "Enqueued"


def test_a_database_clock_that_jumps_and_comes_back_fires_nothing_twice(tm: TaskManager, hands: Any) -> None:
    tm.recurring("hourly", greet, args=("x",), cron="0 * * * *")
    later = tm.job(greet).schedule("later", delay=timedelta(hours=2))
    worker = hands()

    def ran() -> int:
        worker.delayed.tick()
        worker.recurring.tick()
        return int(worker.work())

    assert ran() == 0
    tm.database.clock.shift(timedelta(hours=5))
    assert ran() == 2
    tm.database.clock.shift(timedelta(hours=-5))
    assert ran() == 0
    fresh = tm.enqueue(greet, "between")
    assert ran() == 1
    tm.database.clock.shift(timedelta(hours=7))
    assert ran() == 1, "the recurring one goes on where it was"
    assert (tm.get(later).state, tm.get(fresh).state) == ("Succeeded", "Succeeded")
    assert all(int(tm.get(i).history[-1].data["Latency"]) >= 0 for i in (later, fresh))


def test_a_server_is_taken_for_dead_when_its_heartbeat_stands_still_whatever_clocks_say(
    tm: TaskManager, hands: Any
) -> None:
    living, dead = hands(), hands()
    watchdog = Watchdog(tm.database, "me", dead_after=0.6)

    def known() -> set[str]:
        return {s.id for s in tm.database.read(servers.all_servers)}

    for hours in (5, -9, 1, -3, 6):  # the database's clock jumps between its heartbeats
        tm.database.clock.shift(timedelta(hours=hours))
        tm.database.run(lambda tx: servers.heartbeat(tx, living.id, {"taskmanager": {}}))
        watchdog.tick()
        assert living.id in known()
        time.sleep(0.25)
    watchdog.tick()
    assert known() == {living.id}, "the other one said nothing in all that time"
    assert dead.id not in known()


def test_a_supervisor_kills_only_what_was_silent_for_the_whole_time_whatever_the_hosts_clock_says(
    tmp_path: Path,
) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/s.db")
    supervisor = Supervisor(tm.database, [], 1, dead_after=0.8, grace=1)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    line = Lifeline(f"host:{child.pid}:{'a' * 32}", 1, lifeline.folder_of(tm.database.identity))
    try:
        supervisor._children = [child]
        for moment in (0, 10**10, 10**9):
            os.utime(line.path, (moment, moment))
            supervisor._kill_hung()
            time.sleep(0.5)
            assert child.poll() is None, "the clock has jumped, and the child has just been heard of"
        supervisor._kill_hung()
        time.sleep(0.5)
        supervisor._kill_hung()
        assert child.wait(5) != 0, "nothing was heard of it for the whole time"
    finally:
        line.close()
        if child.poll() is None:
            child.kill()
            child.wait()
        tm.close()

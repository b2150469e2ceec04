"""Two hosts whose clocks are minutes off, simulated by two worker processes: what is due is due by the database's."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from taskmanager.domain.times import to_unix
from tests.faults import history
from tests.faults.test_kill import end, in_state, start_worker, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]

#: Put first on the path of a process: its clock is so many seconds off, its monotonic clock is not.
SITE = """
import datetime, os, time

_off = float(os.environ.get("CLOCK_OFF_BY", "0"))
_time, _time_ns, _real = time.time, time.time_ns, datetime.datetime
time.real = _time
time.time = lambda: _time() + _off
time.time_ns = lambda: _time_ns() + int(_off * 1e9)


class _Kind(type):
    def __instancecheck__(cls, one):
        return isinstance(one, _real)


class _Shifted(_real, metaclass=_Kind):
    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + datetime.timedelta(seconds=_off)

    @classmethod
    def utcnow(cls):
        return _real.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=_off)


_Shifted.__name__ = _Shifted.__qualname__ = "datetime"
_Shifted.__module__ = "datetime"
if _off:
    datetime.datetime = _Shifted
"""
JOBS = '''
import os, time
from datetime import UTC, datetime
from pathlib import Path
from taskmanager import JobContext, job

told = os.open(Path(__file__).with_name("told.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def tell(what: str) -> None:
    """What, when by the true clock, and by how much this process's two clocks are off."""
    off = [time.time() - time.real(), datetime.now(UTC).timestamp() - time.real()]
    os.write(told, f"{what} {time.real()} {os.getpid()} {off[0]:.0f} {off[1]:.0f}\\n".encode())

@job
def due(ctx: JobContext, at: float) -> None:
    tell(f"due {at} {ctx.job_id}")
    time.sleep(0.2)

@job("* * * * * *", misfire="strict", display_name="tick")
def tick() -> None:
    tell("tick - -")
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Jobs that tell the true time, in processes whose clocks are off."""
    (tmp_path / "killjobs.py").write_text(JOBS)
    (tmp_path / "sitecustomize.py").write_text(SITE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(time, "real", time.time, raising=False)
    yield tmp_path
    sys.modules.pop("killjobs", None)


def test_hosts_whose_clocks_are_minutes_off_start_jobs_on_time_and_do_not_bury_each_other(
    url: str, project: Path, engine_name: str
) -> None:
    if engine_name == "sqlite":
        pytest.skip("the clock of SQLite is its host's")
    tm = TaskManager(database_url=url, discover="killjobs", doorbell=False)
    tm.discover()
    tm.database.read(lambda tx: None)
    begin = now(tm)
    quick = {"TASKMANAGER_HEARTBEAT_SECONDS": "0.5", "TASKMANAGER_DEAD_AFTER_SECONDS": "3"}
    workers = [
        start_worker(url, project, "--threads", "2", environment=quick | {"CLOCK_OFF_BY": off})
        for off in ("180", "-180")
    ]
    try:
        wait_for(lambda: len(server_ids(tm)) == 2, 60, "the workers did not start")
        servers, asked = server_ids(tm), now(tm)
        ids = [tm.enqueue("due", to_unix(now(tm)) + delay, delay=delay) for delay in (0.5, 1, 2, 3, 4, 5, 6)]
        ids += [tm.enqueue("due", to_unix(now(tm))) for _ in range(20)]
        wait_for(lambda: (now(tm) - asked).total_seconds() > 8, 20, "the clock stands still")
        tm.pause("tick")
        wait_for(lambda: in_state(tm, "Succeeded") == len(history.read(tm.database).jobs), 20, "jobs are left")
        assert server_ids(tm) == servers, "nobody was buried"
        logs = "".join(path.read_text() for path in project.glob("worker-*.log"))
        assert "silent" not in logs
        assert "given up" not in logs
        end_of_all = now(tm)
    finally:
        codes = end(*workers)
        tables = history.read(tm.database)
        tm.close()
    assert codes == [0, 0]
    told = [line.split() for line in (project / "told.txt").read_text().splitlines()]
    assert {(int(a), int(b)) for *_, a, b in told} == {(180, 180), (-180, -180)}, "both have worked, both clocks off"
    ran = {int(job_id): float(at) for what, _, job_id, at, *_ in told if what == "due"}
    late = [float(at) - float(due) for what, due, _, at, *_ in told if what == "due"]
    assert len(late) == len(ids)
    assert min(late) > -0.05, "nothing ran before it was due"
    assert max(late) < 1.5
    slots = sorted(int(j.parameters["Time"]) for j in tables.jobs.values() if "RecurringJobId" in j.parameters)
    assert slots == list(range(slots[0], slots[-1] + 1))
    assert len(slots) >= 8
    expected = history.Expected(ids=ids, slots={"tick": (slots[0], slots[-1])})
    assert history.violations(tables, expected) == []
    steps = [(job, step) for job in tables.jobs.values() for step in job.steps]
    assert all(begin - timedelta(seconds=2) < s.at < end_of_all + timedelta(seconds=2) for _, s in steps)
    for job, step in steps:
        if step.name in ("Processing", "Succeeded") and job.id in ran:
            assert abs(to_unix(step.at) - ran[job.id]) < 2
        if step.name == "Enqueued" and "Time" in job.parameters:
            assert abs(to_unix(step.at) - int(job.parameters["Time"])) < 1.5, "each second was fired in its second"


def now(tm: TaskManager) -> datetime:
    """By the database's clock, asked anew."""
    sql = f"SELECT {tm.database.product.utc_now}"
    with tm.database.engine.connect() as connection:
        found = connection.exec_driver_sql(sql).scalar_one()
    assert isinstance(found, datetime)
    return found.replace(tzinfo=None)


def server_ids(tm: TaskManager) -> set[str]:
    """Who has announced itself."""
    table = tm.database.tables.server
    with tm.database.engine.connect() as connection:
        return {row[0] for row in connection.execute(select(table.c.Id))}

"""Discovery finds every decorated function and concrete class of a package, and their options."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.engine.discovery import discover
from taskmanager.engine.registry import JobType, Registry

KINDS = '''
from abc import abstractmethod
from taskmanager import Job, JobContext, JobResult, TaskManager, cron, job

tm = TaskManager(database_url="sqlite:///unused.db")

class Base(Job):
    @abstractmethod
    def rows(self) -> int: ...
    def execute(self, ctx: JobContext) -> int:
        return self.rows()

@job(cron.daily(2), display_name="Daily Sales Report", description="Sums the day up.", queue="reports", priority=-5,
     retries=7, timeout=30, time_zone="Asia/Jerusalem")
class DailySalesReport(Base):
    def rows(self) -> int:
        return 12

@job(job_type="Manual")
class Rebuild(Job):
    """Builds the index anew."""
    async def execute(self, ctx: JobContext) -> JobResult:
        return JobResult.ok("built").with_metadata("rows", 3)

@job(job_type="Delayed")
async def remind(who: str) -> str:
    return who

@tm.job
def send(to: str) -> str:
    return to

@job("0 3 * * *")
class Unfinished(Base): ...

def plain(n: int) -> int:
    return n
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of jobs of every kind, in a module below a package below it."""
    inner = tmp_path / "manyjobs" / "inner"
    inner.mkdir(parents=True)
    for place in (inner.parent, inner):
        (place / "__init__.py").write_text("")
    (inner / "kinds.py").write_text(KINDS)
    (inner / "again.py").write_text("from manyjobs.inner.kinds import DailySalesReport, send\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "manyjobs"
    for name in [n for n in sys.modules if n.partition(".")[0] == "manyjobs"]:
        del sys.modules[name]


def test_jobs_of_every_kind_are_found_with_all_that_was_said_of_them(package: Path) -> None:
    registry = Registry(["manyjobs"])
    found = discover(["manyjobs"], registry)
    assert found.errors == {}
    assert {d.method: (d.job_type, d.is_class, d.is_async) for d in registry} == {
        "DailySalesReport": (JobType.RECURRING, True, False),
        "Rebuild": (JobType.MANUAL, True, True),
        "remind": (JobType.DELAYED, False, True),
        "send": (JobType.FIRE_AND_FORGET, False, False),
    }, "an abstract class is none, and an imported one is found once"
    report = registry.find("daily sales report")
    assert (report.title, report.description) == ("Daily Sales Report", "Sums the day up.")
    assert (report.cron, report.time_zone, report.queue, report.priority) == (
        "0 2 * * *", "Asia/Jerusalem", "reports", -5,
    )  # fmt: skip
    assert (report.retry.attempts, report.timeout) == (7, 30)
    assert registry.find("rebuild").description == "Builds the index anew."
    assert registry.find("rebuild").title == "Rebuild"
    assert registry.find("rebuild").retry.attempts == 3
    assert (registry.find("rebuild").time_zone, registry.find("rebuild").queue) == ("UTC", "default")


@pytest.mark.one_server
def test_those_with_a_cron_are_scheduled_at_start_and_the_others_are_only_known(
    tm: TaskManager, package: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = TaskManager(tm.settings, database=tm.database, discover="manyjobs")
    with caplog.at_level(logging.INFO):
        ours.discover()
    ours.register_recurring()
    assert [(r.id, r.cron, r.time_zone, r.queue) for r in ours.recurring_list()] == [
        ("Daily Sales Report", "0 2 * * *", "Asia/Jerusalem", "reports")
    ]
    assert "jobs in 4 modules" in caplog.text
    ids = [ours.enqueue("Rebuild"), ours.enqueue("remind", "you"), ours.enqueue("manyjobs.inner.kinds:plain", 4)]
    ids.append(ours.trigger("Daily Sales Report"))
    assert ours.testing.drain(["default", "reports"]) == 4
    assert [ours.get(i).result for i in ids] == [
        {"success": True, "message": "built", "metadata": {"rows": 3}}, "you", 4, 12,
    ]  # fmt: skip
    ours.discovered.owners[0].close()


def test_a_hundred_jobs_are_found_in_well_under_a_second(package: Path) -> None:
    for number in range(100):
        (package / f"job{number}.py").write_text(
            "from taskmanager import Job, JobContext, job\n\n"
            f'@job("0 {number % 24} * * *")\nclass Job{number}(Job):\n'
            "    async def execute(self, ctx: JobContext) -> None: ...\n"
        )
    registry = Registry(["manyjobs"])
    started = time.process_time()
    found = discover(["manyjobs"], registry)
    assert time.process_time() - started < 1
    assert (len(registry), len(found.modules), found.errors) == (104, 104, {})

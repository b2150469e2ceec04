"""What the specification asks of jobs and how they come to run, where no other test of that subject shows it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from taskmanager import TaskManager
from taskmanager.storage import logged
from tests.faults.test_kill import end, start_worker, wait_for

CODE = """
from taskmanager import job

@job("0 2 * * *", display_name="Daily Sales Report", time_zone="Asia/Jerusalem")
def report() -> str:
    return "12 orders"

@job(job_type="Manual", display_name="Rebuild")
def rebuild() -> str:
    return "rebuilt"
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module of jobs: one with a cron, one that only people run."""
    (tmp_path / "specified.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("specified", None)


def test_a_run_is_recurring_fire_and_forget_delayed_or_manual(tm: TaskManager, hands: Any) -> None:
    def by_hand() -> None: ...

    def any_job() -> None: ...

    tm.job(display_name="by hand", job_type="Manual", retries=0)(by_hand)
    plain = tm.job(display_name="plain", retries=0)(any_job)
    tm.recurring("r", "plain", cron="0 2 * * *")
    tm.enqueue("by hand")
    plain.enqueue()
    plain.schedule(delay=timedelta(seconds=60))
    tm.trigger("r")
    tm.database.clock.shift(timedelta(seconds=61))
    worker = hands()
    worker.delayed.tick()
    while worker.work():
        pass
    rows = tm.database.read(lambda tx: logged.history(tx, name=None, limit=9))
    assert sorted((r["JobName"], r["JobType"]) for r in rows) == [
        ("by hand", "Manual"), ("plain", "Delayed"), ("plain", "FireAndForget"), ("plain", "Recurring"),
    ]  # fmt: skip


def test_jobs_with_a_cron_are_scheduled_in_their_zone_and_told_and_manual_ones_are_only_known(
    tm: TaskManager, code: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manager = TaskManager(tm.settings.with_changes(discover="specified"), database=tm.database)
    with caplog.at_level(logging.INFO):
        manager.discover()
        manager.register_recurring()
    (one,) = manager.recurring_list()
    assert (one.id, one.cron, one.time_zone) == ("Daily Sales Report", "0 2 * * *", "Asia/Jerusalem")
    assert manager.registry.find("rebuild").job_type == "Manual"
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "recurring job Daily Sales Report: 0 2 * * *, Asia/Jerusalem" in told
    assert "1 recurring jobs of the code are in the database" in told


def test_a_job_is_scheduled_by_an_id_of_ones_own_changed_by_it_and_removed(tm: TaskManager) -> None:
    def sweep(what: str) -> None: ...

    tm.recurring("custom-job", sweep, args=("logs",), cron="0 */6 * * *")
    (one,) = tm.recurring_list()
    assert one.next_execution is not None
    assert (one.next_execution.hour % 6, one.next_execution.minute) == (0, 0)
    tm.recurring("custom-job", sweep, args=("files",), cron="30 4 * * *")
    (one,) = tm.recurring_list()
    assert (one.id, one.cron, "files" in one.job) == ("custom-job", "30 4 * * *", True)
    assert tm.remove("custom-job")
    assert tm.recurring_list() == []
    assert not tm.remove("custom-job")


def test_the_ids_of_a_tenant_and_a_user_come_as_they_were_given(tm: TaskManager, hands: Any) -> None:
    tenant = UUID("0b0e7a52-5f3c-4f3e-9f6e-3d9d1c7a1f10")
    got: list[Any] = []

    def provision(tenant_id: UUID, admin: str) -> None:
        got.extend([tenant_id, admin])

    tm.job(provision).enqueue(tenant, admin="user|4711")
    hands().work()
    assert got == [tenant, "user|4711"]


def test_queues_are_claimed_in_the_order_the_worker_names_them(tm: TaskManager, hands: Any) -> None:
    job = tm.job(display_name="any")(lambda: None)
    ids = {queue: job.options(queue=queue).enqueue() for queue in ("background", "default", "critical", "other")}
    worker = hands(queues=("critical", "default", "background"))
    claimed: list[int] = []
    while found := worker.claim():
        claimed += [c.job_id for c in found]
    assert claimed == [ids["critical"], ids["default"], ids["background"]]


def test_history_is_not_written_where_it_is_switched_off(tm: TaskManager, tmp_path: Path) -> None:
    from tests.conftest import Hands

    manager = TaskManager(tm.settings.with_changes(log_to_database=False), database=tm.database)
    job_id = manager.job(display_name="quiet")(lambda: "done").enqueue()
    worker = Hands(manager, tmp_path)
    worker.work()
    worker.close()
    assert manager.get(job_id).state == "Succeeded"
    assert tm.database.read(lambda tx: logged.history(tx, name=None, limit=9)) == []


def test_a_worker_without_schedules_registers_nothing_and_works_all_the_same(tm: TaskManager, code: Path) -> None:
    url = tm.database.url.render_as_string(hide_password=False)
    off = {"TASKMANAGER_DISCOVER": "specified", "TASKMANAGER_SCHEDULER": "false"}
    worker = start_worker(url, code, environment=off)
    try:
        manager = TaskManager(tm.settings.with_changes(discover="specified"), database=tm.database)
        manager.discover()
        job_id = manager.enqueue("rebuild")
        wait_for(lambda: manager.get(job_id).state == "Succeeded", 60, "it does not run")
        assert tm.recurring_list() == []
    finally:
        end(worker)

"""Recurring jobs among filters that raise, edits that come at the same moment, and changed schedules."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager, schedules
from taskmanager.domain.errors import RecurringJobExists
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import recurring as engine_recurring
from taskmanager.engine.filters import Creating, Filter
from taskmanager.storage import recurring
from taskmanager.storage.companions import accompanied
from taskmanager.storage.transaction import Tx


def good() -> None: ...


def bad() -> None: ...


class Moody(Filter):
    """Raises for one job, before or after it was written."""

    def __init__(self, after: bool) -> None:
        self.after, self.is_well = after, False

    def creating(self, context: Creating) -> None:
        self._look(context, not self.after)

    def created(self, context: Creating, job_id: int) -> None:
        self._look(context, self.after)

    def _look(self, context: Creating, here: bool) -> None:
        if here and not self.is_well and context.invocation.method == "bad":
            raise RuntimeError("in a bad mood")


@pytest.mark.parametrize("after", [False, True])
def test_a_filter_that_raises_stops_one_recurring_job_and_only_for_a_slot(
    tm: TaskManager, hands: Any, after: bool
) -> None:
    moody = Moody(after)
    tm.recurring("bad", bad, cron="0 * * * *", misfire="strict")
    tm.recurring("good", good, cron="0 * * * *")
    tm.add_filter(moody)
    worker = hands()
    tm.database.clock.shift(timedelta(hours=1))
    worker.recurring.tick()
    assert worker.work() == 1, "the good one alone; nothing half written of the other"
    assert {r.id: r.error for r in tm.recurring_list()} == {"bad": "in a bad mood", "good": None}
    moody.is_well = True
    tm.database.clock.shift(timedelta(hours=1))
    worker.recurring.tick()
    assert worker.work() == 3, "a strict job owes what it missed"
    assert {r.error for r in tm.recurring_list()} == {None}


def test_a_strict_job_whose_cron_is_changed_owes_no_slots_from_before(tm: TaskManager, hands: Any) -> None:
    tm.recurring("r", good, cron="0 0 1 1 *", misfire="strict")
    tm.database.clock.shift(timedelta(hours=12))
    tm.recurring("r", good, cron="0 * * * *", misfire="strict")
    tm.database.clock.shift(timedelta(hours=2))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 2


def test_a_pause_or_a_removal_while_orphans_are_marked_holds(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite has one writer at a time")
    tm.recurring("paused", good, cron="* * * * * *")
    tm.recurring("removed", good, cron="* * * * * *")
    real = recurring.load_all

    def then_changed(tx: Tx) -> list[RecurringRecord]:
        found = real(tx)
        tm.pause("paused")
        tm.remove("removed")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(recurring, "load_all", then_changed)
        tm.recurring_jobs.mark_orphans(set(), lambda module: True, lambda name: False)
    tm.database.clock.shift(timedelta(seconds=3))
    assert tm.recurring_jobs.fire_due() == 0
    assert [r.id for r in tm.recurring_list()] == ["paused"]


def test_ten_thousand_orphans_are_marked_part_by_part_and_twenty_are_named(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        tm.recurring(f"r{number}", good, cron="0 2 * * *", from_code=True)
    tm.defined_by_calls.clear()  # the code has changed
    monkeypatch.setattr(engine_recurring, "_BATCH", 2)
    monkeypatch.setattr(schedules, "_NAMED", 3)
    monkeypatch.setattr(tm.registry, "is_discovered", lambda module: True)
    parts, run = [], tm.database.run
    monkeypatch.setattr(tm.database, "run", lambda work, **more: (parts.append(work), run(work, **more))[1])
    tm.register_recurring()
    assert len(parts) == 3
    assert [r.orphaned for r in tm.recurring_list()] == [True] * 5
    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert [text.split(" is ")[0] for text in told[:3]] == [f"recurring job r{n}" for n in range(3)]
    assert "2 more" in told[3]
    tm.register_recurring()
    assert len(parts) == 3, "what is marked is not marked again"


def test_of_two_who_make_the_same_id_at_once_one_is_written_and_the_other_told(tm: TaskManager) -> None:
    for function in (good, bad):
        tm.job(function)
    first = tm.recurring_definition("new", good, cron="0 1 * * *")
    second = tm.recurring_definition("new", bad, cron="0 2 * * *")
    written, go = threading.Event(), threading.Event()

    def hold(tx: Tx, result: object) -> None:
        written.set()
        assert go.wait(30)

    def slowly() -> None:
        with accompanied(hold):
            tm.recurring_jobs.add(first)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(slowly)
        assert written.wait(30)
        other = pool.submit(tm.recurring_jobs.add, second)
        with pytest.raises(TimeoutError):
            other.result(0.3)  # it waits for the first
        go.set()
        one.result(30)
        with pytest.raises(RecurringJobExists, match="'new' already"):
            other.result(30)
    (made,) = tm.recurring_list()
    assert (made.cron, made.job) == ("0 1 * * *", first.invocation.to_compact_json())
    assert tm.remove("new")
    tm.recurring_jobs.add(second)
    assert tm.recurring_jobs.get("new").cron == "0 2 * * *"

"""A bulk operation on recurring jobs: those that matched when it started, in parts, whoever dies in the middle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine import operations, recurring_operations
from taskmanager.engine.client import new_key
from taskmanager.engine.filters import Creating, Filter
from taskmanager.engine.recurring_operations import Wish
from taskmanager.storage import audit
from taskmanager.storage.audit import Sought
from tests.engine.test_operations import ANN, to_the_end
from tests.walks.test_legacy import insert


def clean() -> None: ...


@pytest.fixture
def seven(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> TaskManager:
    """Seven recurring jobs, three in a part."""
    monkeypatch.setattr(recurring_operations, "PART", 3)
    tm.job(clean)
    for n in range(7):
        tm.recurring(f"job-{n}", clean, cron="0 2 * * *")
    return tm


def ids(tm: TaskManager) -> list[str]:
    return [r.id for r in tm.recurring_list()]


def paused(tm: TaskManager) -> set[str]:
    return {r.id for r in tm.recurring_list() if r.paused}


def start(tm: TaskManager, wish: Wish, some: Sequence[str] | None = None, key: str | None = None) -> int:
    meant = ids(tm) if some is None else some
    return tm.operations.start_recurring(wish, meant, state="", text="job", actor=ANN, key=key or new_key())


def left(tm: TaskManager) -> int:
    """How many parts are still written down."""
    q = tm.database.product.quote
    with tm.database.engine.connect() as connection:
        sql = f"SELECT COUNT(*) FROM {q('HangfireHash')} WHERE {q('Key')} LIKE 'operation:%'"
        return int(connection.execute(text(sql)).scalar_one())


def test_all_that_matched_are_paused_with_the_note_and_those_that_came_later_are_not(seven: TaskManager) -> None:
    until = seven.database.clock.now().replace(microsecond=0) + timedelta(hours=2)
    job_id = start(seven, Wish(action="pause", note="stocktaking", until=until))
    seven.recurring("later", clean, cron="0 2 * * *")
    assert left(seven) == 3
    now = to_the_end(seven, job_id)
    assert (now.changed, now.skipped, now.share, left(seven)) == (7, 0, 1.0, 0)
    assert paused(seven) == {f"job-{n}" for n in range(7)}
    pause = seven.recurring_jobs.get("job-3").pause
    assert pause is not None
    assert (pause.by, pause.note, pause.until) == ("ann", "stocktaking", until)
    assert to_the_end(seven, start(seven, Wish(action="resume"), ids(seven))).changed == 7
    assert paused(seven) == set()


def test_an_ordinary_worker_performs_it_and_what_it_started_runs(seven: TaskManager) -> None:
    job_id = start(seven, Wish(action="trigger"))
    seven.testing.drain()
    record = seven.get(job_id)
    assert (record.state, record.result["changed"], record.result["kind"]) == ("Succeeded", 7, "recurring")
    runs = [seven.get(r.last_job_id or 0) for r in seven.recurring_list()]
    assert {(run.state, json.loads(run.parameters["TriggeredBy"])) for run in runs} == {("Succeeded", "ann")}
    assert len({run.id for run in runs}) == 7


def test_what_is_gone_or_is_so_already_is_passed_by_with_the_reason(seven: TaskManager) -> None:
    seven.pause("job-1", by="eve", note="hers")
    job_id = start(seven, Wish(action="pause", note="mine"))
    seven.remove("job-2")
    now = to_the_end(seven, job_id)
    assert (now.changed, now.skipped) == (5, 2)
    assert dict(now.samples) == {
        "job-1": "it was paused already", "job-2": "there is no recurring job 'job-2'",
    }  # fmt: skip
    pause = seven.recurring_jobs.get("job-1").pause
    assert pause is not None
    assert pause.note == "hers"


def test_it_goes_on_where_it_was_and_starts_no_run_twice(seven: TaskManager) -> None:
    job_id = start(seven, Wish(action="trigger"))
    assert seven.operations.step(job_id).changed == 3
    successor = TaskManager(database_url=seven.settings.database_url, doorbell=False)
    assert successor.operations.step(job_id).changed == 6
    assert to_the_end(seven, job_id).changed == 7
    successor.close()
    with seven.database.engine.connect() as connection:
        count = connection.execute(text(f"SELECT COUNT(*) FROM {seven.database.product.quote('HangfireJob')}"))
        assert count.scalar_one() == 8


def test_one_that_is_refused_leaves_no_trace_and_stops_none_of_the_others(seven: TaskManager) -> None:
    class Never(Filter):
        def creating(self, context: Creating) -> None:
            if context.parameters.get("RecurringJobId") == '"job-1"':
                context.cancelled = True

    seven.filters.add(Never())
    now = to_the_end(seven, start(seven, Wish(action="trigger")))
    assert (now.changed, now.samples[0][0]) == (6, "job-1")


def test_stopped_it_forgets_what_was_left(seven: TaskManager) -> None:
    job_id = start(seven, Wish(action="remove"))
    seven.operations.step(job_id)
    assert seven.operations.stop(job_id, "eve")
    now = to_the_end(seven, job_id)
    assert (now.changed, now.stopped_by, left(seven)) == (3, "eve", 0)
    assert ids(seven) == ["job-3", "job-4", "job-5", "job-6"]


def test_a_row_of_c_job_is_among_them(seven: TaskManager) -> None:
    insert(seven, "0 2 * * *", "SP_Report")
    row = seven.recurring_jobs.rows()[0].id
    assert to_the_end(seven, start(seven, Wish(action="pause"))).changed == 8
    assert row in paused(seven)
    again = to_the_end(seven, start(seven, Wish(action="pause"), [row]))
    assert (again.changed, again.samples) == (0, [[row, "it was paused already"]])
    assert to_the_end(seven, start(seven, Wish(action="remove"))).changed == 8
    assert ids(seven) == []


def test_each_has_its_row_in_the_audit_log_and_the_operation_its_end(seven: TaskManager) -> None:
    job_id = start(seven, Wish(action="pause", note="why"), ["job-1", "job-2"])
    to_the_end(seven, job_id)
    rows, _ = seven.database.read(lambda tx: audit.page(tx, Sought(action="recurring.pause"), limit=5))
    assert [(r.user, r.target, r.note) for r in rows] == [
        ("ann", "job-2", f"bulk operation #{job_id}"), ("ann", "job-1", f"bulk operation #{job_id}"),
    ]  # fmt: skip
    assert json.loads(rows[0].after or "") == {"paused": True, "note": "why"}
    (end,), _ = seven.database.read(lambda tx: audit.page(tx, Sought(action="operations.end"), limit=5))
    assert json.loads(end.after or "")["changed"] == 2


def test_one_key_is_one_operation_and_nothing_to_do_ends_at_once(seven: TaskManager) -> None:
    key = new_key()
    assert start(seven, Wish(action="pause"), key=key) == start(seven, Wish(action="pause"), key=key)
    assert len(seven.database.read(operations.newest)) == 1
    assert to_the_end(seven, start(seven, Wish(action="pause"), [])).changed == 0
    with pytest.raises(InvalidArgument):
        start(seven, Wish(action="explode"))

"""A bulk operation: the whole filtered set, once, in parts, whoever dies in the middle."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine import operations
from taskmanager.engine.audit import Actor
from taskmanager.engine.client import new_key
from taskmanager.engine.operation import Operation
from taskmanager.storage import audit, monitoring_walk
from taskmanager.storage.audit import Sought
from taskmanager.storage.monitoring_filters import Term, Wanted

ANN = Actor("ann", "dashboard", "192.0.2.7")
FAILED = Wanted(("Failed",))


def send(to: str) -> None: ...


def failing(tm: TaskManager, count: int, to: str = "x") -> list[int]:
    ids = tm.enqueue_many(send, [(to,)] * count)
    for one in ids:
        tm.client.fail(one, ValueError(), "no")
    return ids


def start(tm: TaskManager, action: str = "requeue", wanted: Wanted = FAILED, key: str | None = None) -> int:
    return tm.operations.start(action, wanted, "", ANN, key or new_key())


def states(tm: TaskManager, ids: list[int]) -> set[str | None]:
    return {tm.get(i).state for i in ids}


def to_the_end(tm: TaskManager, job_id: int) -> Operation:
    for _ in range(200):
        now = tm.operations.step(job_id)
        if now.ended:
            return now
    raise AssertionError("it never ended")


def test_the_whole_set_is_changed_and_nothing_else(tm: TaskManager) -> None:
    tm.operations.part = 7
    ids, others = failing(tm, 23), failing(tm, 5, "other")
    wanted = Wanted(("Failed",), (Term("arg", ("x",)),))
    now = to_the_end(tm, start(tm, "requeue", wanted))
    assert (now.changed, now.skipped, now.stopped_by, now.share) == (23, 0, None, 1.0)
    assert (states(tm, ids), states(tm, others)) == ({"Enqueued"}, {"Failed"})
    current = tm.get(ids[0]).current
    assert current is not None
    assert "by ann" in (current.reason or "")


def test_it_is_an_ordinary_job_that_a_worker_performs(tm: TaskManager) -> None:
    ids = failing(tm, 12)
    tm.operations.part = 5
    job_id = start(tm, "delete")
    tm.testing.drain()
    record = tm.get(job_id)
    assert record.state == "Succeeded"
    assert record.result["changed"] == 12
    assert states(tm, ids) == {"Deleted"}


def test_its_progress_is_that_of_its_jobs_whatever_others_there_are(tm: TaskManager) -> None:
    tm.operations.part = 5
    failing(tm, 20)
    tm.enqueue_many(send, [("x",)] * 100)
    job_id = start(tm)
    shares = [tm.operations.step(job_id).share for _ in range(3)]
    assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.05)


def test_its_progress_is_counted_where_its_jobs_lie_unevenly(tm: TaskManager) -> None:
    tm.operations.part = 5
    failing(tm, 10)
    tm.enqueue_many(send, [("x",)] * 200)
    failing(tm, 10)
    failing(tm, 5, "other")
    job_id = start(tm, wanted=Wanted(("Failed",), (Term("arg", ("x",)),)))
    tm.operations.measure(job_id)
    assert [tm.operations.step(job_id).share for _ in range(3)] == [0.25, 0.5, 0.75]
    tm.operations.measure(job_id)
    assert tm.operations.step(job_id).share == 1.0, "and nothing is counted anew when a worker goes on with it"


def test_it_goes_on_where_it_was_and_counts_nothing_twice(tm: TaskManager) -> None:
    """The worker dies between two parts, and one that was given up goes on beside its successor."""
    tm.operations.part = 4
    failing(tm, 20)
    job_id = start(tm)
    first = [tm.operations.step(job_id).changed for _ in range(2)]
    assert first == [4, 8]
    successor = TaskManager(database_url=tm.settings.database_url, doorbell=False)
    successor.operations.part = 4
    assert successor.operations.step(job_id).changed == 12
    assert tm.operations.step(job_id).changed == 16
    assert to_the_end(successor, job_id).changed == 20
    successor.close()


def test_a_part_that_fails_leaves_no_trace_and_is_done_again(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = failing(tm, 6)
    tm.operations.part = 6
    job_id = start(tm)
    with monkeypatch.context() as patched:
        patched.setattr(tm.transitions, "apply", _dies_after(tm.transitions.apply))
        now = tm.operations.step(job_id)
        assert (now.tries, now.failure, now.changed) == (1, "RuntimeError: the worker died", 0)
    assert states(tm, ids) == {"Failed"}
    assert to_the_end(tm, job_id).changed == 6


def _dies_after(apply: Any) -> Any:
    def dying(*args: Any, **more: Any) -> Any:
        apply(*args, **more)
        raise RuntimeError("the worker died")

    return dying


def test_a_second_press_is_the_same_operation(tm: TaskManager) -> None:
    failing(tm, 3)
    key = new_key()
    assert start(tm, key=key) == start(tm, key=key)
    assert len(tm.database.read(operations.newest)) == 1


def test_jobs_that_changed_or_came_meanwhile_are_left(tm: TaskManager) -> None:
    tm.operations.part = 3
    ids = failing(tm, 9)
    job_id = start(tm, "delete")
    tm.operations.step(job_id)
    tm.requeue(ids[0])
    late = failing(tm, 2)
    now = to_the_end(tm, job_id)
    assert now.changed == 8
    assert (tm.get(ids[0]).state, states(tm, late)) == ("Enqueued", {"Failed"})


def test_stop_ends_it_after_the_part_under_way(tm: TaskManager) -> None:
    tm.operations.part = 4
    failing(tm, 20)
    job_id = start(tm)
    tm.operations.step(job_id)
    assert tm.operations.stop(job_id, "eve")
    now = tm.operations.step(job_id)
    assert (now.changed, now.stopped_by) == (4, "eve")
    assert 0 < now.share < 0.3, "and it says how far it came"
    assert now.ended
    assert not tm.operations.stop(job_id, "eve")
    assert tm.operations.step(job_id).changed == 4


def test_end_and_counts_are_in_the_audit_log(tm: TaskManager) -> None:
    failing(tm, 2)
    job_id = start(tm)
    to_the_end(tm, job_id)
    (row,), _ = tm.database.read(lambda tx: audit.page(tx, Sought(action="operations.end"), limit=5))
    assert (row.user, row.kind, row.target) == ("ann", "operation", str(job_id))
    assert json.loads(row.after or "")["changed"] == 2


def test_a_filter_without_an_index_is_walked_in_windows_and_dates_survive(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_walk, "WINDOW", 5)
    tm.operations.part = 3
    ids = failing(tm, 13) + failing(tm, 4, "y")
    since = tm.get(ids[0]).created_at
    wanted = Wanted(("Failed",), (Term("since", (since,)), Term("arg", ("y",), True)))
    assert to_the_end(tm, start(tm, "delete", wanted)).changed == 13


@pytest.mark.one_server
def test_only_one_state_and_known_actions(tm: TaskManager) -> None:
    for action, wanted in (("requeue", Wanted()), ("explode", FAILED), ("delete", Wanted(("Failed", "Deleted")))):
        with pytest.raises(InvalidArgument):
            start(tm, action, wanted)


def test_a_part_is_found_by_the_index_of_its_state(tm: TaskManager) -> None:
    product = tm.database.product
    if tm.database.is_embedded:
        pytest.skip("SQLite tells its plan in other words")
    tm.enqueue_many(send, [("x",)] * 1500)
    failing(tm, 3)
    job = tm.database.tables.job.name
    with tm.database.engine.begin() as connection:
        connection.execute(text(f"ANALYZE {'TABLE ' if product.name != 'postgresql' else ''}{product.quote(job)}"))
        dialect = tm.database.engine.dialect
        made = monitoring_walk.ids_in_state(tm.database.tables, product)
        sql = str(made.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))
        given = {"v0_0": "Failed", "edge": 1 << 40, "limit": 500}
        rows = connection.exec_driver_sql(f"{product.explain} {sql}", given).mappings()
        plan = product.plan([dict(r) for r in rows])
    assert (plan.indexes, plan.sorts) == (frozenset({f"IX_{job}_StateName"}), False)


def test_requeued_jobs_begin_evenly_over_a_while(tm: TaskManager) -> None:
    tm.operations.part = 5
    ids = failing(tm, 20)
    job_id = tm.operations.start("requeue", FAILED, "", ANN, new_key(), spread=2000)
    tm.operations.measure(job_id)
    now = to_the_end(tm, job_id)
    assert (now.changed, now.skipped) == (20, 0)
    begun = times.parse(now.started)
    assert begun is not None
    moments = []
    for one in sorted(ids, reverse=True)[1:]:
        current = tm.get(one).current
        assert current is not None
        moment = times.parse(current.data["EnqueueAt"])
        assert (current.name, moment is not None) == ("Scheduled", True)
        moments.append((moment - begun).total_seconds())  # type: ignore[operator]
    assert moments == pytest.approx([100.0 * n for n in range(1, 20)], abs=0.01)


@pytest.mark.parametrize(("action", "spread"), [("delete", 60), ("requeue", -1), ("requeue", 10_000_000)])
@pytest.mark.one_server
def test_only_a_requeue_is_spread_and_not_for_ever(tm: TaskManager, action: str, spread: float) -> None:
    with pytest.raises(InvalidArgument, match="spread over at most"):
        tm.operations.start(action, FAILED, "", ANN, new_key(), spread=spread)

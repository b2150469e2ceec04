"""Groups of failed jobs are kept up by whatever changes jobs, and put right where another hand did it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from taskmanager import TaskManager
from taskmanager.domain.failures import fingerprint, frame_of, general
from taskmanager.domain.states import Failed
from taskmanager.engine.transitions import Change
from taskmanager.server import failure_keeper
from taskmanager.server.failure_keeper import FailureKeeper
from taskmanager.storage import failures, monitoring_failures, structures
from taskmanager.storage.monitoring_failures import FailureGroup
from taskmanager.storage.monitoring_filters import Term, Wanted
from tests.engine import test_operations as operations
from tests.engine.test_operations import to_the_end

TRACE = 'Traceback (most recent call last):\n  File "/srv/shop/mails.py", line {}, in send\n    x()\nOSError: {}\n'


def send(to: str) -> None: ...


def count(to: str) -> None: ...


def fail(tm: TaskManager, ids: list[int], message: str = "no", exception: str = "OSError", line: int = 1) -> None:
    details = TRACE.format(line, message)
    failed = Failed(exception_type=exception, exception_message=message, exception_details=details)
    tm.client.change([Change(i, failed, elect=False) for i in ids])


def start(tm: TaskManager, action: str, key: str) -> int:
    return operations.start(tm, action, Wanted(("Failed",), (Term("group", (key,)),)))


def groups(tm: TaskManager) -> list[FailureGroup]:
    return tm.database.read(monitoring_failures.groups)[0]


def test_failures_of_one_cause_are_one_group_whatever_names_and_numbers_they_have(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [(str(n),) for n in range(6)])
    for n, job_id in enumerate(ids[:4]):
        fail(tm, [job_id], f"order {n}: 'x{n}' at smtp{n}.example.org:25 timed out", line=n)
    fail(tm, ids[4:5], "order 4: refused")
    fail(tm, ids[5:], "order 5: 'x5' at smtp5.example.org:25 timed out", exception="ValueError")
    other = tm.enqueue(count, "x")
    fail(tm, [other], "order 5: 'x5' at smtp5.example.org:25 timed out")
    found = {(g.job.rpartition(":")[2], g.exception, g.message): g.count for g in groups(tm)}
    timed_out = "order #: … at smtp#.example.org:# timed out"
    assert found == {
        ("send", "OSError", timed_out): 4, ("send", "OSError", "order #: refused"): 1,
        ("send", "ValueError", timed_out): 1, ("count", "OSError", timed_out): 1,
    }  # fmt: skip
    assert {g.frame for g in groups(tm)} == {"shop/mails.py:send"}
    assert all(g.first is not None and g.today == g.count for g in groups(tm))


def test_jobs_that_leave_failed_leave_their_group(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [(str(n),) for n in range(5)])
    fail(tm, ids)
    tm.requeue(ids[0])
    tm.delete(ids[1])
    (group,) = groups(tm)
    rows, _ = tm.database.read(lambda tx: monitoring_failures.jobs_of(tx, group.key, limit=10))
    assert (group.count, sorted(r.id for r in rows)) == (3, ids[2:])
    fail(tm, [ids[0]])
    assert groups(tm)[0].count == 4, "it fails again and is in again"
    fail(tm, [ids[0]], "something else")
    assert sorted(g.count for g in groups(tm)) == [1, 3], "a job is in one group"


def test_a_group_is_requeued_or_deleted_in_bounded_parts(tm: TaskManager) -> None:
    tm.operations.part = 4
    ids = tm.enqueue_many(send, [(str(n),) for n in range(10)])
    fail(tm, ids)
    key = groups(tm)[0].key
    first = start(tm, "requeue", key)
    tm.operations.step(first)
    assert groups(tm)[0].count == 6
    tm.operations.stop(first, "ann")
    assert to_the_end(tm, first).changed == 4
    assert to_the_end(tm, start(tm, "delete", key)).changed == 6
    states = [tm.get(i).state for i in ids]
    assert (states.count("Enqueued"), states.count("Deleted"), groups(tm)) == (4, 6, [])
    assert to_the_end(tm, start(tm, "requeue", "nothing")).changed == 0


def test_what_another_hand_changed_is_put_right(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [(str(n),) for n in range(7)])
    fail(tm, ids[:4])
    job, key = tm.database.tables.job, groups(tm)[0].key
    state, set_ = tm.database.tables.state, tm.database.tables.set
    with tm.database.engine.begin() as connection:  # by SQL: one requeued, one gone, two failed that nobody noted
        connection.execute(job.update().where(job.c.Id.in_([ids[0]])).values(StateName="Enqueued"))
        connection.execute(job.delete().where(job.c.Id.in_([ids[1]])))
    fail(tm, ids[4:6], "order 7: lost")
    with tm.database.engine.begin() as connection:
        connection.execute(set_.delete().where(set_.c.Key.like("failures:%"), set_.c.Value.in_([str(ids[4])])))
        connection.execute(tm.database.tables.parameter.delete())
    assert state.name
    keeper = FailureKeeper(tm.database)
    while keeper.tick() < 60:
        pass
    assert sorted(g.count for g in groups(tm)) == [2, 2]
    left = tm.database.read(lambda tx: failures.members(tx, key, 10))
    assert sorted(left) == ids[2:4]
    assert to_the_end(tm, start(tm, "requeue", key)).changed == 2


def test_one_process_does_the_round_until_it_is_lost_and_the_next_round_comes_later(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_keeper, "_BATCH", 2)
    fail(tm, tm.enqueue_many(send, [(str(n),) for n in range(9)]))
    first, second = FailureKeeper(tm.database), FailureKeeper(tm.database)
    began = list[FailureKeeper]()
    for keeper in (first, second):
        monkeypatch.setattr(
            keeper, "_go_on", lambda keeper=keeper: (began.append(keeper), FailureKeeper._go_on(keeper))
        )
    assert first.tick() < 60
    assert second.tick() == 60
    assert first.tick() < 60
    assert began == [first, first]
    tm.database.clock.shift(timedelta(seconds=200))
    while second.tick() < 60:
        pass
    assert set(began[2:]) == {second}, "who began has died, another begins anew"
    assert FailureKeeper(tm.database).tick() == 60, "a process that starts begins no round of its own"
    tm.database.clock.shift(timedelta(seconds=700))
    assert FailureKeeper(tm.database).tick() < 60


def test_the_pause_after_a_batch_grows_with_what_it_took(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_keeper, "_BATCH", 2)
    fail(tm, tm.enqueue_many(send, [(str(n),) for n in range(9)]))
    keeper = FailureKeeper(tm.database)
    monkeypatch.setattr(keeper, "_go_on", lambda: time.sleep(0.2))
    assert 4 <= keeper.tick() <= 30


def test_a_member_that_is_not_failed_does_not_hold_up_the_others(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [("a",), ("b",)])
    fail(tm, ids)
    key, job = groups(tm)[0].key, tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(job.update().where(job.c.Id.in_([ids[1]])).values(StateName="Succeeded"))
    done = to_the_end(tm, start(tm, "requeue", key))
    assert (done.changed, done.skipped) == (1, 0)
    assert tm.get(ids[1]).state == "Succeeded"


def test_endless_messages_make_no_endless_groups(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MOST_GROUPS", 3)
    words = ["alpha", "beta", "gamma", "delta", "eps", "zeta"]
    for word in words:
        fail(tm, [tm.enqueue(send, "x")], word)
    fail(tm, [tm.enqueue(send, "x")], "beta")
    found = {g.message: g.count for g in groups(tm)}
    assert found == {"alpha": 1, "beta": 2, "gamma": 1, "": 3}


def test_a_group_without_jobs_is_dropped_after_a_week_and_comes_back_whole(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, gone = tm.enqueue_many(send, [("a",), ("b",)])
    fail(tm, [kept], "still there")
    fail(tm, [gone], "over")
    tm.requeue(gone)
    assert tm.database.run(failures.drop_empty) == 0, "it is too new"
    monkeypatch.setattr(failures, "_EMPTY_SECONDS", -1.0)
    assert tm.database.run(failures.drop_empty) == 1
    assert tm.database.run(failures.drop_empty) == 0
    assert len(tm.database.read(lambda tx: structures.members(tx, failures.GROUPS))) == 1
    assert [g.message for g in groups(tm)] == ["still there"]
    monkeypatch.setattr(failures, "_TOLD_SECONDS", 0.0)
    fail(tm, [gone], "over")
    assert {g.message: g.count for g in groups(tm)} == {"still there": 1, "over": 1}


def test_groups_come_a_page_at_a_time(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(tx: Any) -> None:
        for n in range(60):
            structures.set_fields(tx, f"{failures.ABOUT}k{n:02}", {"Job": "m:f", "FirstSeen": "2026-01-01T00:00:00Z"})
            structures.put(tx, failures.GROUPS, {f"k{n:02}": 1_700_000_000.0 + n // 2})
            structures.put(tx, f"{failures.MEMBERS}k{n:02}", {str(m): 5.0 for m in range(1, n + 2)})

    tm.database.run(work)
    monkeypatch.setattr(monitoring_failures, "CAP", 1000)
    seen, place = [], None
    while True:
        page, place = tm.database.read(lambda tx, at=place: monitoring_failures.groups(tx, at))  # type: ignore[misc]
        seen += [(g.key, g.count) for g in page]
        if place is None:
            break
    assert seen == [(f"k{n:02}", n + 1) for n in range(59, -1, -1)]


def test_texts_are_made_general_and_bounded() -> None:
    assert (
        general("user 12 <a@b.cz> not in 0xdeadbeef12 of 'prod' (deadbeef-12ab)\nmore") == "user # … not in # of … (#)"
    )
    assert len(general("word " * 1000)) <= 160
    assert frame_of("no trace") == ""
    library = '  File "/usr/lib/python3.11/site-packages/x.py", line 4, in f\n'
    assert frame_of(TRACE.format(3, "x") + library) == "shop/mails.py:send"
    assert frame_of(library) == "site-packages/x.py:f"
    assert len(fingerprint("j" * 999, "e", "m", "").key) == 16


def test_reading_groups_is_served_by_indexes_however_many_jobs_failed(tm: TaskManager, engine_name: str) -> None:
    ids = tm.enqueue_many(send, [("x",)] * 3000)
    fail(tm, ids)
    product = tm.database.product
    wanted = {
        failures.newest_failures: "Key_Score", failures.members_behind: "Value",
        monitoring_failures.group_sizes: "Key_Score", failures.failed_without_group: "StateName",
    }  # fmt: skip
    with tm.database.engine.begin() as connection:
        for name in ("Set", "Job", "State", "JobParameter"):
            table = "TABLE " if engine_name in ("mysql", "mariadb") else ""
            connection.execute(text(f"ANALYZE {table}{product.quote('Hangfire' + name)}"))
    given = {
        "key": failures.MEMBERS + groups(tm)[0].key,
        "score": 9e9,
        "end": "g",
        "row": 1,
        "limit": 20,
        "value": "1",
        "after": 0,
    }
    given |= {f"k{n}": given["key"] for n in range(monitoring_failures.AT_ONCE)}
    given |= dict.fromkeys(("day", "week"), 0.0)
    for build, index in wanted.items():
        made: Any = build(tm.database.tables, product)
        made = text(made) if isinstance(made, str) else made
        used = {k: v for k, v in given.items() if k in made.compile().params}
        with tm.database.engine.connect() as connection:
            event.listen(connection, "before_cursor_execute", _explain, retval=True)
            rows: Any = connection.execute(made, used).cursor
            rows = rows.fetchall()
        plan = " ".join(str(column) for row in rows for column in row)
        assert index in plan.replace("autoindex_HangfireSet_1 (Key", "Key_Value"), (build.__name__, plan)
        for name in ("Set", "Job"):  # of a job's few rows elsewhere the planner may read the whole small table
            assert f'Seq Scan on "Hangfire{name}" ' not in plan, (build.__name__, plan)


def _explain(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> tuple[str, Any]:
    words = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return f"{words} {statement}", parameters

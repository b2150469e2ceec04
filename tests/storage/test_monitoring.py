"""The dashboard's reads on every product."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.states import Failed
from taskmanager.engine.transitions import Change
from taskmanager.storage import (
    expiry,
    monitoring_details,
    monitoring_front,
    monitoring_lists,
    monitoring_queues,
    monitoring_sets,
    monitoring_snapshot,
    monitoring_trends,
)
from taskmanager.storage.monitoring_filters import Term, Wanted
from taskmanager.storage.signing_key import signing_key


def send(to: str, subject: str = "") -> None: ...


def failed(tm: TaskManager, to: str, message: str) -> int:
    job_id = tm.enqueue(send, to)
    tm.client.fail(job_id, ValueError(), message)
    return job_id


def found(tm: TaskManager, *terms: Term, states: tuple[str, ...] = ()) -> list[int]:
    wanted = Wanted(states, terms)
    page = tm.database.read(lambda tx: monitoring_lists.page(tx, wanted, limit=50))
    assert tm.database.read(lambda tx: monitoring_lists.count(tx, wanted)) == len(page.rows)
    return [row.id for row in page.rows]


def test_the_snapshot_counts_everything_in_one_statement(tm: TaskManager) -> None:
    before = tm.database.read(monitoring_snapshot.take)
    failed(tm, "a", "no")
    tm.client.delete([tm.enqueue(send, "b")])
    tm.enqueue(send, "c", queue="mail")
    tm.enqueue(send, "d")
    tm.enqueue(send, "e", delay=600)
    tm.recurring("r", send, args=("x",), cron="0 2 * * *")
    seen = tm.database.read(monitoring_snapshot.take)
    assert seen.revision > before.revision
    expected = {
        "enqueued": 2, "scheduled": 1, "processing": 0, "failed": 1, "awaiting": 0, "succeeded": 0, "deleted": 1,
        "ended_succeeded": 0, "ended_failed": 0, "ended_deleted": 1, "retries": 0, "recurring": 1, "servers": 0,
        "queues": 2, "alerts": 0,
    }  # fmt: skip
    assert seen.counts == expected
    trend = tm.database.read(monitoring_trends.hourly)
    assert (trend.series["deleted"][-1], len(trend.moments)) == (1, 24)
    assert tm.database.read(lambda tx: monitoring_trends.daily(tx, 7)).series["deleted"][-1] == 1


def test_counts_are_right_whatever_was_known_before(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring_snapshot, "CAP", 5)
    seen = None
    for waiting in (0, 2, 3, 5, 6, 9, 6, 5, 1):
        some = tm.database.read(lambda tx: monitoring_lists.page(tx, Wanted(("Enqueued",)), limit=20)).rows
        if waiting < len(some):
            tm.client.delete([row.id for row in some[waiting:]])
        else:
            tm.enqueue_many(send, [("x",)] * (waiting - len(some)))
        for _ in range(3):
            before = seen
            seen = tm.database.read(lambda tx, known=before: monitoring_snapshot.take(tx, known))
            assert (seen.counts["enqueued"], seen.counts["failed"]) == (min(waiting, 6), 0)
            assert seen.is_capped("enqueued") is (waiting > 5)
        assert seen.settled


def test_what_nobody_changed_is_counted_again_only_when_it_is_wanted(tm: TaskManager) -> None:
    kept, gone = tm.enqueue_many(send, [("a",), ("b",)])
    first = tm.database.read(monitoring_snapshot.take)
    again = tm.database.read(lambda tx: monitoring_snapshot.take(tx, first))
    assert (first.settled, again.settled) == (False, True)
    tm.database.run(lambda tx: tx.execute(expiry.delete_jobs, {"ids": f"[{gone}]"}))
    known = tm.database.read(lambda tx: monitoring_snapshot.take(tx, again))
    anew = tm.database.read(lambda tx: monitoring_snapshot.take(tx, replace(known, settled=False)))
    assert (known.counts["enqueued"], anew.counts["enqueued"]) == (2, 1)
    tm.client.delete([kept])
    seen = tm.database.read(lambda tx: monitoring_snapshot.take(tx, anew))
    assert (seen.counts["enqueued"], seen.counts["deleted"], seen.settled) == (0, 1, False)


def test_pages_go_older_and_newer_without_gap_or_double(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [(f"n{i}",) for i in range(7)])[::-1]

    def page(**edge: Any) -> tuple[list[int], bool, bool]:
        got = tm.database.read(lambda tx: monitoring_lists.page(tx, Wanted(("Enqueued",)), limit=3, **edge))
        return [r.id for r in got.rows], got.has_newer, got.has_older

    assert page() == (ids[:3], False, True)
    assert page(before=ids[2]) == (ids[3:6], True, True)
    assert page(before=ids[5]) == (ids[6:], True, False)
    assert page(after=ids[6]) == (ids[3:6], True, True)
    assert page(after=ids[3]) == (ids[:3], False, True)


def test_jobs_are_found_by_what_people_remember(tm: TaskManager) -> None:
    plain = tm.enqueue(send, "ann@example.org")
    odd = tm.enqueue(send, "žluť 100%_!")
    bad = failed(tm, "x", "connect to smtp:25 timed out")
    mail = tm.enqueue(send, "42", queue="mail")
    tm.recurring("daily", send, args=("r",), cron="0 2 * * *")
    run = tm.trigger("daily")
    assert found(tm) == [run, mail, bad, odd, plain]
    assert found(tm, Term("id", (odd,))) == [odd]
    assert found(tm, Term("text", ("ANN@",))) == [plain]
    assert found(tm, Term("text", ("žluť 100%_!",))) == [odd]
    assert found(tm, Term("text", ("smtp:25",)), states=("Failed",)) == [bad]
    assert found(tm, Term("error", ("Timed Out",))) == [bad]
    assert found(tm, Term("error", ("ValueError",)), states=("Failed", "Deleted")) == [bad]
    assert found(tm, Term("queue", ("mail", "post"))) == [mail]
    assert found(tm, Term("queue", ("mail",), negated=True), Term("type", ("send",))) == [run, bad, odd, plain]
    assert found(tm, Term("recurring", ("daily",))) == [run]
    assert found(tm, Term("error", ("timed",), negated=True)) == [run, mail, odd, plain]
    assert found(tm, Term("arg", ("42",))) == [mail]
    assert found(tm, Term("arg", ("4",))) == []
    assert found(tm, Term("type", ("nothing of this name",))) == []


@pytest.mark.parametrize("length", [3_000, 9_000])
def test_errors_are_found_in_what_they_say_and_not_in_their_trace(tm: TaskManager, length: int) -> None:
    """Whether the whole is short enough to be looked through first, or not."""
    job_id = tm.enqueue(send, "x")
    trace = "\u017elu\u0165 " * (length // 10) + "InTheTrace"
    failure = Failed(exception_type="E", exception_message="The Disk is full", exception_details=trace)
    tm.client.change([Change(job_id, failure, elect=False)])
    for kind in ("error", "text"):
        assert found(tm, Term(kind, ("disk IS",)), states=("Failed",)) == [job_id]
        assert found(tm, Term(kind, ("inthetrace",)), states=("Failed",)) == []
        assert found(tm, Term(kind, ("inthetrace",), negated=True), states=("Failed",)) == [job_id]


def test_a_page_cuts_long_texts_and_carries_the_parameters_it_shows(tm: TaskManager) -> None:
    job_id = failed(tm, "y" * 5000, "m" * 5000)
    tm.recurring("r", send, args=("x",), cron="0 2 * * *")
    tm.trigger("r")
    run, row = tm.database.read(lambda tx: monitoring_lists.page(tx, Wanted(), limit=5)).rows
    assert row.id == job_id
    assert (len(row.arguments), row.data["ExceptionType"], row.data["ExceptionMessage"][-2:]) == (
        240,
        "ValueError",
        "m…",
    )
    assert json.loads(run.parameters["RecurringJobId"]) == "r"


def test_objects_that_were_cut_are_read_as_far_as_they_go() -> None:
    text = json.dumps({"a": 'b"c', "n": 5, "z": "žluť kůň"})
    whole = monitoring_lists.cut_object(text)
    assert whole == {"a": 'b"c', "n": "5", "z": "žluť kůň"}
    for length in range(len(text)):
        cut = monitoring_lists.cut_object(text[:length])
        assert all(whole[k].startswith(v.removesuffix("…")) for k, v in cut.items())


def test_scheduled_jobs_come_in_the_order_they_are_due(tm: TaskManager) -> None:
    late, soon, same = (tm.enqueue(send, "x", delay=d) for d in (900, 60, 60))
    first = tm.database.read(lambda tx: monitoring_sets.page(tx, "schedule", limit=2))
    assert [r.id for r in first.rows] == [soon, same]
    rest = tm.database.read(lambda tx: monitoring_sets.page(tx, "schedule", limit=2, after=first.next))
    assert ([r.id for r in rest.rows], rest.next) == ([late], None)


def test_queues_tell_their_length_latency_and_next_jobs(tm: TaskManager) -> None:
    ids = tm.enqueue_many(send, [(str(i),) for i in range(6)])
    other = tm.enqueue(send, "m", queue="mail")
    tm.pause_queue("idle")
    for n in range(15):
        tm.enqueue(send, "q", queue=f"q{n:02}")
    seen = {q.name: q for q in tm.database.read(lambda tx: monitoring_queues.overview(tx, with_next=True))}
    assert len(seen) == 18
    assert (seen["default"].waiting, [r.id for r in seen["default"].next]) == (6, ids[:5])
    assert seen["default"].waiting_since is not None
    assert [r.id for r in seen["mail"].next] == [other]
    assert (seen["idle"].paused, seen["idle"].waiting, seen["idle"].waiting_since) == (True, 0, None)
    assert seen["q14"].waiting == 1


def test_a_queue_is_paged_in_the_order_in_which_it_is_claimed(tm: TaskManager) -> None:
    late = tm.enqueue_many(send, [(str(i),) for i in range(5)], priority=3)
    soon = tm.enqueue_many(send, [(str(i),) for i in range(4)], priority=-2)
    other = tm.enqueue(send, "m", queue="mail", priority=-9)
    seen, after = list[int](), monitoring_queues.FIRST
    for _ in range(3):
        rows, more = tm.database.read(lambda tx, at=after: monitoring_queues.page(tx, "default", limit=3, after=at))
        seen += [r.id for r in rows]
        after = more or after
    assert (seen, more) == ([*soon, *late], None)
    assert other not in seen
    assert sum(n for _, n in tm.database.read(lambda tx: monitoring_queues.calls(tx, "default"))) == 9


def test_details_hold_the_job_its_relatives_and_its_log(tm: TaskManager) -> None:
    parent = tm.enqueue(send, "p")
    child = tm.client.continue_after(parent, tm._new(tm.definition(send), ("c",), {}, {}), on_any=False)
    seen = tm.database.read(lambda tx: monitoring_details.details(tx, parent))
    assert seen is not None
    assert (seen.children, seen.relatives) == ((child,), {child: "Awaiting"})
    below = tm.database.read(lambda tx: monitoring_details.details(tx, child))
    assert below is not None
    assert (below.parent, below.relatives, below.log) == (parent, {parent: "Enqueued"}, ())
    assert tm.database.read(lambda tx: monitoring_details.details(tx, 1 << 40)) is None


def test_all_processes_sign_with_one_key(tm: TaskManager) -> None:
    first = signing_key(tm.database)
    assert len(first) == 64
    assert signing_key(tm.database) == first


def test_next_runs_are_the_soonest(tm: TaskManager) -> None:
    tm.recurring("b", send, args=("x",), cron="0 2 * * *")
    tm.recurring("a", send, args=("x",), cron="* * * * *")
    tm.recurring("never", send, args=("x",), cron="0 0 31 2 *")
    assert [run.id for run in tm.database.read(monitoring_front.front).runs] == ["a", "b"]

"""Jobs paused by type or tag: held in their place, passed by, and back in their old order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.records import Pause
from taskmanager.domain.states import Enqueued
from taskmanager.engine.transitions import Change
from taskmanager.server.hold_keeper import HoldKeeper
from taskmanager.storage import claiming, holding, holds, job_pauses, monitoring, monitoring_queues, queues, structures
from tests.conftest import Hands

_ran: list[str] = []


def send(number: int) -> None:
    _ran.append(f"send {number}")


def count(number: int) -> None:
    _ran.append(f"count {number}")


def greet(number: int) -> None:
    _ran.append(f"greet {number}")


def greet_and_count(number: int) -> None:
    _ran.append(f"greet and count {number}")


@pytest.fixture(autouse=True)
def _clean(tm: TaskManager) -> None:
    _ran.clear()
    for function in (send, count):
        tm.job()(function)
    for function in (greet, greet_and_count):
        tm.job(tags=["Spring", "other"])(function)


SEND = f"type:{send.__module__}:send"


def keep(tm: TaskManager) -> None:
    """Give everything back that no pause holds."""
    keeper = HoldKeeper(tm.database)
    for _ in range(50):
        if keeper.tick() > 1:
            return
    raise AssertionError("it does not end")


def work_off(worker: Hands) -> None:
    while worker.work() or worker.worker._sweeper.has_met():
        pass


def held(tm: TaskManager, queue: str = "default") -> int:
    return tm.database.read(lambda tx: monitoring_queues.one(tx, queue)).held


def test_a_paused_type_is_passed_by_and_comes_back_in_its_old_order(
    tm: TaskManager, hands: Callable[..., Hands]
) -> None:
    ids = [tm.enqueue(function, n) for n in range(6) for function in (send, count)]
    tm.pause_jobs(job=send, by="ann", note=" broken ")
    worker = hands()
    work_off(worker)
    assert _ran == [f"count {n}" for n in range(6)]
    assert {tm.get(i).state for i in ids[::2]} == {"Enqueued"}
    view = tm.database.read(lambda tx: monitoring_queues.one(tx, "default"))
    assert (view.waiting, view.fetched, view.held, view.waiting_since) == (0, 0, 6, None)
    (length,) = tm.database.read(monitoring.queue_lengths)
    assert (length.waiting, length.fetched, length.held) == (0, 0, 6)
    (told,) = tm.paused_jobs()
    assert (told.pause.value, told.held, told.is_capped) == (SEND, 6, False)
    assert (told.pause.pause.by, told.pause.pause.note) == ("ann", "broken")
    late = tm.enqueue(send, 9)
    work_off(worker)
    assert tm.resume_jobs(job="send")
    assert not tm.resume_jobs(job="send")
    assert tm.paused_jobs() == []
    _ran.clear()
    work_off(worker)
    assert _ran == [f"send {n}" for n in (0, 1, 2, 3, 4, 5, 9)]
    assert tm.get(late).state == "Succeeded"
    keep(tm)
    assert tm.database.read(lambda tx: structures.members(tx, job_pauses.BACK)) == {}


def test_a_paused_tag_holds_jobs_of_any_type_however_it_is_spelt(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    tm.enqueue(send, 1)
    spring = [tm.enqueue(function, 2) for function in (greet, greet_and_count)]
    tm.pause_jobs(tag="SPRING")
    worker = hands()
    work_off(worker)
    assert _ran == ["send 1"]
    tm.pause_jobs(job=greet_and_count)
    assert [(one.pause.value, one.held) for one in tm.paused_jobs()] == [
        ("tag:spring", 2),
        (SEND.replace("send", "greet_and_count"), 1),
    ]
    tm.resume_jobs(tag="spring")
    keep(tm)
    work_off(worker)
    assert _ran == ["send 1", "greet 2"]
    assert [tm.get(i).state for i in spring] == ["Succeeded", "Enqueued"]


def test_a_pause_with_an_end_resumes_by_itself(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    until = tm.database.clock.now() + timedelta(minutes=10)
    tm.enqueue(send, 1)
    tm.pause_jobs(job=send, until=until)
    worker = hands()
    work_off(worker)
    worker.recurring.tick()
    assert (held(tm), _ran) == (1, [])
    tm.database.clock.shift(timedelta(minutes=11))
    worker.recurring.tick()
    assert tm.paused_jobs() == []
    keep(tm)
    work_off(worker)
    assert _ran == ["send 1"]


def test_what_is_scheduled_recurs_or_continues_is_enqueued_as_ever_and_waits(
    tm: TaskManager, hands: Callable[..., Hands]
) -> None:
    tm.pause_jobs(job=send)
    tm.recurring("often", send, args=(1,), cron="0 2 * * *")
    recurred = tm.trigger("often")
    parent = tm.enqueue(count, 1)
    continued = tm.continue_definition(parent, tm.definition(send), (2,), {}, {}, "success")
    worker = hands()
    work_off(worker)
    assert tm.get(parent).state == "Succeeded"
    assert recurred is not None
    assert [tm.get(i).state for i in (recurred, continued)] == ["Enqueued", "Enqueued"]
    assert (held(tm), _ran) == (2, ["count 1"])
    tm.resume_jobs(job=send)
    work_off(worker)
    assert _ran == ["count 1", "send 1", "send 2"]


def test_paused_again_it_has_been_paused_since_the_first_time(tm: TaskManager) -> None:
    tm.pause_jobs(tag="spring", by="ann", note="a")
    (first,) = tm.paused_jobs()
    tm.pause_jobs(tag="Spring", by="bob")
    (second,) = tm.paused_jobs()
    assert second.pause.pause == Pause(first.pause.pause.since, None, "bob", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "one of them"),
        ({"job": "send", "tag": "x"}, "one of them"),
        ({"job": "nobody_knows"}, "none of the newest"),
        ({"job": "taskmanager.tasks.bulk:run_operation"}, "taskmanager"),
        ({"tag": "a,b"}, "tag 'a,b'"),
        ({"tag": "x", "note": "y" * 501}, "500"),
    ],
)
def test_what_names_no_type_and_no_tag_is_refused(tm: TaskManager, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        tm.pause_jobs(**given)
    assert tm.paused_jobs() == []


def test_a_type_that_no_code_here_knows_is_paused_where_a_job_has_it(
    tm: TaskManager, hands: Callable[..., Hands]
) -> None:
    job_id, table = tm.enqueue(send, 1), tm.database.tables.job
    call = '{"t":"Shop.Mails, Shop","m":"Send","p":[],"a":[]}'
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == job_id).values(InvocationData=call, Arguments="[]"))
    tm.pause_jobs(job="Shop.Mails:Send")
    work_off(hands())
    assert held(tm) == 1
    assert [one.pause.value for one in tm.paused_jobs()] == ["type:Shop.Mails:Send"]


def held_jobs(tm: TaskManager, hands: Callable[..., Hands], many: int = 3) -> tuple[Hands, list[int]]:
    ids = [tm.enqueue(send, n) for n in range(many)]
    tm.pause_jobs(job=send)
    worker = hands()
    work_off(worker)
    assert held(tm) == many
    return worker, ids


def test_a_held_job_can_be_deleted_requeued_moved_and_put_off(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    worker, ids = held_jobs(tm, hands, 4)
    assert tm.delete(ids[0])
    assert tm.requeue(ids[1])
    assert tm.placing.requeue_to(ids[2], "mail")
    assert tm.placing.reschedule(ids[3], tm.database.clock.now() + timedelta(hours=1))
    assert [tm.get(i).state for i in ids] == ["Deleted", "Enqueued", "Enqueued", "Scheduled"]
    assert tm.database.read(lambda tx: queues.free_among(tx, ids)) == {ids[1], ids[2]}
    work_off(worker)
    other = hands(queues=("mail",))
    work_off(other)
    assert (_ran, held(tm), held(tm, "mail")) == ([], 1, 1)
    tm.resume_jobs(job=send)
    keep(tm)
    work_off(worker)
    work_off(other)
    assert sorted(_ran) == ["send 1", "send 2"]


def test_a_held_job_is_in_nobodys_hand_and_changes_its_priority(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    worker, ids = held_jobs(tm, hands)
    assert tm.database.read(lambda tx: queues.held_among(tx, ids)) == set()
    assert tm.database.run(lambda tx: queues.lock_free_among(tx, ids)) == set(ids)
    assert tm.database.read(queues.fetched) == []
    change = Change(ids[2], Enqueued(queue="default", priority=-5))
    assert tm.database.run(lambda tx: tm.transitions.apply(tx, [change]))[0]
    work_off(worker)
    tm.resume_jobs(job=send)
    keep(tm)
    work_off(worker)
    assert _ran == ["send 2", "send 0", "send 1"]


def test_many_held_rows_in_front_are_put_aside_by_few_statements(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 1_700
    tm.enqueue_many(send, [(n,) for n in range(many)])
    behind = tm.enqueue(count, 1)
    tm.pause_jobs(job=send)
    worker = hands()
    sent = counted(tm, monkeypatch)
    ticks = 0
    while tm.get(behind).state == "Enqueued":
        worker.work()
        ticks += 1
    assert ticks <= 2
    assert len(sent) / many <= 0.05
    work_off(worker)
    assert (held(tm), _ran) == (many, ["count 1"])
    sent.clear()
    tm.resume_jobs(job=send)
    keep(tm)
    assert len(sent) / many <= 0.05
    assert held(tm) == 0
    found = tm.database.run(lambda tx: claiming.take_next(tx, "default", many, "a.1").claims)
    assert [c.job_id for c in found] == sorted(c.job_id for c in found)
    assert len(found) == many


def counted(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from taskmanager.storage.transaction import Tx

    sent: list[str] = []
    for name in ("execute", "send"):
        real = getattr(Tx, name)

        def spy(self: Any, build: Any, parameters: Any = None, _real: Any = real) -> Any:
            sent.append(build.__name__)
            return _real(self, build, parameters)

        monkeypatch.setattr(Tx, name, spy)
    return sent


def test_a_claim_sends_no_more_statements_for_pauses_that_hold_nothing(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    tm.enqueue(count, 1)
    tm.pause_jobs(job=send)
    tm.pause_jobs(tag="spring")
    sent = counted(tm, monkeypatch)
    assert len(tm.database.run(lambda tx: claiming.take_next(tx, "default", 5, "a.1").claims)) == 1
    assert "lock_paused" not in sent
    assert "read_taken" in sent


def test_paused_again_while_rows_go_back_nothing_runs(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, _ = held_jobs(tm, hands, 9)
    monkeypatch.setattr(holds.give_back, "__kwdefaults__", {"limit": 2})
    tm.resume_jobs(job=send)
    assert held(tm) == 7
    tm.pause_jobs(job=send)
    keep(tm)
    work_off(worker)
    assert (held(tm), _ran) == (9, [])
    tm.resume_jobs(job=send)
    keep(tm)
    work_off(worker)
    assert _ran == [f"send {n}" for n in range(9)]


def test_a_second_resume_begins_the_round_anew(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the round has passed by already, as it was paused, goes back too."""
    for n in range(4):
        tm.enqueue(count, n)
    tm.pause_jobs(job=count)
    worker, _ = held_jobs_more(tm, hands)
    monkeypatch.setattr(holds.give_back, "__kwdefaults__", {"limit": 3})
    tm.resume_jobs(job=send)
    assert held(tm) == 8
    tm.database.run(holds.give_back)
    tm.resume_jobs(job=count)
    keep(tm)
    work_off(worker)
    assert _ran == [*(f"count {n}" for n in range(4)), *(f"send {n}" for n in range(4))]


def held_jobs_more(tm: TaskManager, hands: Callable[..., Hands]) -> tuple[Hands, list[int]]:
    ids = [tm.enqueue(send, n) for n in range(4)]
    tm.pause_jobs(job=send)
    worker = hands()
    work_off(worker)
    return worker, ids


def test_who_holds_a_row_keeps_its_pause_until_his_commit(tm: TaskManager) -> None:
    """A resume waits for him: no row is held after the round that would have found it."""
    ids = [tm.enqueue(send, n) for n in range(5)]
    tm.pause_jobs(job=send)
    has_held, may_commit = threading.Event(), threading.Event()

    def claim(tx: Any) -> int:
        taken = claiming.take_next(tx, "default", 5, "a.1")
        has_held.set()
        may_commit.wait(10)
        return taken.held

    def resume() -> None:
        tm.resume_jobs(job=send)
        keep(tm)

    with ThreadPoolExecutor(2) as pool:
        taking = pool.submit(tm.database.run, claim)
        assert has_held.wait(10)
        resuming = pool.submit(resume)
        time.sleep(0.3)
        assert not resuming.done()
        may_commit.set()
        assert taking.result(10) == 5
        resuming.result(10)
    assert held(tm) == 0
    assert tm.database.read(lambda tx: queues.free_among(tx, ids)) == set(ids)


def test_a_pause_that_went_by_sql_lets_the_keeper_begin_a_round(tm: TaskManager, hands: Callable[..., Hands]) -> None:
    worker, _ = held_jobs(tm, hands)
    keeper = HoldKeeper(tm.database)
    assert keeper.tick() == 5.0
    table = tm.database.tables.set.name
    with tm.database.engine.begin() as connection:
        q = tm.database.product.quote
        connection.execute(text(f"DELETE FROM {q(table)} WHERE {q('Key')} = 'paused-jobs'"))
    while keeper.tick() == 0.0:
        pass
    work_off(worker)
    assert _ran == ["send 0", "send 1", "send 2"]


def test_one_gives_back_at_a_time_and_a_batch_that_is_undone_is_done_again(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    held_jobs(tm, hands, 5)
    tm.database.run(lambda tx: job_pauses.resume(tx, SEND))

    class Killed(BaseException):
        pass

    def work(tx: Any) -> None:
        holds.give_back(tx)
        raise Killed

    with pytest.raises(Killed):
        tm.database.run(work)
    assert held(tm) == 5
    keep(tm)
    assert held(tm) == 0


def test_a_swept_batch_that_is_undone_has_held_nothing(tm: TaskManager) -> None:
    ids = [tm.enqueue(send, n) for n in range(5)]
    tm.pause_jobs(job=send)

    class Killed(BaseException):
        pass

    def work(tx: Any) -> None:
        assert holds.sweep(tx, "default").held == 5
        raise Killed

    with pytest.raises(Killed):
        tm.database.run(work)
    assert held(tm) == 0
    assert tm.database.read(lambda tx: queues.free_among(tx, ids)) == set(ids)
    swept = tm.database.run(lambda tx: holds.sweep(tx, "default"))
    assert swept.held == 5
    assert swept.mark is not None


def test_a_job_without_its_row_is_dropped_as_ever(tm: TaskManager) -> None:
    job_id = tm.enqueue(send, 1)
    tm.pause_jobs(job=send)
    with tm.database.engine.begin() as connection:
        table = tm.database.tables.job
        connection.execute(table.delete().where(table.c.Id == job_id))
    (claim,) = tm.database.run(lambda tx: claiming.take_next(tx, "default", 5, "a.1").claims)
    assert claim.invocation_data == ""
    assert not holding.is_held(None)

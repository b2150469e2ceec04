"""Held, given back and claimed in any order: no queue row is lost, doubled, or handed out while it is paused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from taskmanager import TaskManager
from taskmanager.domain.records import Claim, Pause
from taskmanager.storage import claiming, holding, holds, job_pauses, queues
from taskmanager.storage.transaction import Tx
from tests.storage.test_hot_statements import analyze, plan_of

KINDS = ("a", "b", "c")
QUEUES = ("one", "two")


def a() -> None: ...
def b() -> None: ...
def c() -> None: ...


def value_of(kind: str) -> str:
    return f"type:{__name__}:{kind}"


class Queues(RuleBasedStateMachine):
    """What is in two queues, and what should be."""

    tm: TaskManager

    @initialize()
    def _begin(self) -> None:
        self.kinds: dict[int, str] = {}
        self.paused: set[str] = set()
        self.claimed: dict[int, Claim] = {}
        self.gone: set[int] = set()
        self.tokens = count(1)
        with self.tm.database.engine.begin() as connection:
            for table in (self.tm.database.tables.queue, self.tm.database.tables.set, self.tm.database.tables.hash):
                connection.execute(table.delete())

    def _run(self, work: object) -> object:
        return self.tm.database.run(work)  # type: ignore[arg-type]

    @rule(kind=st.sampled_from(KINDS), queue=st.sampled_from(QUEUES), priority=st.integers(-2, 2))
    def enqueue(self, kind: str, queue: str, priority: int) -> None:
        function = {"a": a, "b": b, "c": c}[kind]
        self.kinds[self.tm.job(queue=queue, priority=priority)(function).enqueue()] = kind

    @rule(kind=st.sampled_from(KINDS))
    def pause(self, kind: str) -> None:
        self._run(lambda tx: job_pauses.pause(tx, value_of(kind), Pause()))
        self.paused.add(kind)

    @rule(kind=st.sampled_from(KINDS))
    def resume(self, kind: str) -> None:
        assert self._run(lambda tx: job_pauses.resume(tx, value_of(kind))) == (kind in self.paused)
        self.paused.discard(kind)

    @rule(queue=st.sampled_from(QUEUES), limit=st.integers(1, 4))
    def claim(self, queue: str, limit: int) -> None:
        def work(tx: Tx) -> claiming.Taken:
            return claiming.take_next(tx, queue, limit, f"x.{next(self.tokens)}")

        taken = self.tm.database.run(work)
        assert len(taken.claims) + taken.held <= limit
        for one in taken.claims:
            assert self.kinds[one.job_id] not in self.paused
            assert one.job_id not in self.claimed
            assert one.job_id not in self.gone
            self.claimed[one.job_id] = one
        places = [(one.priority, one.queue_id) for one in taken.claims]
        assert places == sorted(places)

    @rule(queue=st.sampled_from(QUEUES), limit=st.integers(1, 5))
    def sweep(self, queue: str, limit: int) -> None:
        self._run(lambda tx: holds.sweep(tx, queue, limit=limit))

    @rule(limit=st.integers(1, 3))
    def give_back(self, limit: int) -> None:
        self._run(lambda tx: holds.give_back(tx, limit=limit))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.claimed:
            one = self.claimed.pop(data.draw(st.sampled_from(sorted(self.claimed))))
            assert self._run(lambda tx: queues.release(tx, [one])) == 1

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.kinds.keys() - self.gone:
            job_id = data.draw(st.sampled_from(sorted(self.kinds.keys() - self.gone)))
            self._run(lambda tx: queues.remove_jobs(tx, [job_id]))
            self.claimed.pop(job_id, None)
            self.gone.add(job_id)

    @invariant()
    def every_job_has_its_one_row(self) -> None:
        if not hasattr(self, "kinds"):
            return
        q = self.tm.database.tables.queue
        with self.tm.database.engine.connect() as connection:
            rows = connection.execute(q.select()).mappings().all()
        assert sorted(r["JobId"] for r in rows) == sorted(self.kinds.keys() - self.gone)
        for row in rows:
            in_hand = row["JobId"] in self.claimed
            assert (row["FetchToken"] is not None) == in_hand
            assert holding.is_free(row["FetchedAt"]) != in_hand

    def teardown(self) -> None:
        """Everything is resumed: nothing is held in the end."""
        if not hasattr(self, "kinds"):
            return
        for kind in KINDS:
            self.resume(kind)
        while True:
            given = self.tm.database.run(lambda tx: holds.give_back(tx, limit=3))
            if given is None or given.is_over:
                break
        left = {job for queue in QUEUES for job in self._all_of(queue)}
        assert left == self.kinds.keys() - self.gone - self.claimed.keys()

    def _all_of(self, queue: str) -> Iterator[int]:
        yield from (
            one.job_id for one in self.tm.database.run(lambda tx: claiming.take_next(tx, queue, 1000, "end.1").claims)
        )


def test_no_row_is_lost_doubled_or_handed_out_while_it_is_paused(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/holds.db", doorbell=False)
    tm.database.create_tables()
    Queues.tm = tm
    kept = settings(max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    try:
        run_state_machine_as_test(Queues, settings=kept)
    finally:
        tm.close()


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_rows_come_back_queue_by_queue_in_batches_of_any_size(tm: TaskManager, limit: int) -> None:
    for queue in ("b", "a", "z_9"):
        for priority in (1, -1):
            tm.job(queue=queue, priority=priority)(a).enqueue()
    tm.database.run(lambda tx: job_pauses.pause(tx, value_of("a"), Pause()))
    for queue in ("b", "a", "z_9"):
        tm.database.run(lambda tx, name=queue: holds.sweep(tx, name))  # type: ignore[misc]
    assert tm.database.read(holds.queues_of) == ["a", "b", "z_9"]
    tm.database.run(lambda tx: job_pauses.resume(tx, value_of("a")))
    given = []
    while (one := tm.database.run(lambda tx: holds.give_back(tx, limit=limit))) is not None:
        given.append(one.rows)
    assert sum(given) == 6
    assert tm.database.read(holds.queues_of) == []


def test_held_rows_are_walked_by_the_index_of_the_claim_without_a_sort(tm: TaskManager) -> None:
    with tm.database.engine.begin() as connection:
        table = tm.database.tables.queue
        rows = [{"JobId": n, "Queue": f"q{n % 2}", "Priority": n % 3} for n in range(1, 3_001)]
        connection.execute(table.insert(), rows)
    tm.database.run(lambda tx: holding.hold(tx, range(1, 1_500)))
    analyze(tm)
    index = "IX_HangfireJobQueue_Claim"
    for build in (holds.held_behind, holds.held_of_priority):
        plan = plan_of(tm, build, {"queue": "q1", "priority": 0, "id": 0, "limit": 20})
        assert index in plan or "PRIMARY" in plan, plan
        for sorting in ("filesort", "TEMP B-TREE", "Sort Key"):
            assert sorting not in plan, plan
    assert index in plan_of(tm, holds.held_queues, {}), "a look-up for each queue"

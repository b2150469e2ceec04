"""Claimers against producers on a small and a larger table: nothing lost, nothing doubled, no error left over."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import func, select

from taskmanager import TaskManager
from taskmanager.storage import claiming, queues

pytestmark = [pytest.mark.fault, pytest.mark.timeout(120)]


@pytest.mark.parametrize("backlog", [0, 3000])
def test_claimers_and_producers_do_not_disturb_each_other(tm: TaskManager, backlog: int) -> None:
    queues_of = tm.database.tables.queue
    tm.database.run(lambda tx: queues.push(tx, [(i, "other", 0) for i in range(10**6, 10**6 + backlog)]))
    produced, claimed, errors = 4 * 150, list[int](), list[BaseException]()
    done = threading.Event()

    def produce(first: int) -> None:
        for number in range(150):
            tm.database.run(lambda tx, n=first + number: queues.push(tx, [(n, "default", 0)]))  # type: ignore[misc]

    def consume() -> None:
        guid, number = uuid.uuid4().hex, 0
        while not done.is_set() or left():
            number += 1
            token = queues.token_of(guid, number)
            found = tm.database.run(lambda tx, t=token: claiming.take_next(tx, "default", 5, t).claims)  # type: ignore[misc]
            tm.database.run(lambda tx, f=found: queues.acknowledge(tx, [c.queue_id for c in f]))  # type: ignore[misc]
            claimed.extend(c.job_id for c in found)

    def left() -> int:
        wanted = select(func.count()).where(queues_of.c.Queue == "default")
        return int(tm.database.read(lambda tx: tx.connection.execute(wanted).scalar_one()))

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)
            done.set()

    producers = [threading.Thread(target=guarded, args=(produce, 1 + n * 1000)) for n in range(4)]
    consumers = [threading.Thread(target=guarded, args=(consume,)) for _ in range(4)]
    for thread in [*producers, *consumers]:
        thread.start()
    for thread in producers:
        thread.join()
    done.set()
    for thread in consumers:
        thread.join()
    assert errors == []
    assert len(claimed) == len(set(claimed)) == produced

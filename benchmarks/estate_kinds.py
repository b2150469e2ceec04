"""The jobs that a large installation has many of, one of each kind, made by the engine itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from taskmanager import TaskManager
from taskmanager.domain.states import Failed, Processing, Scheduled, Succeeded
from taskmanager.engine.transitions import Change

SERVER = "bench-1:4711:0123456789abcdef0123456789abcdef"
QUEUES = ("default", "mail", "reports", "low")
#: State rows a job may have at most: ids of copies are made of it.
STATES = 8
_TRACE = "Traceback (most recent call last):\n" + "".join(
    f'  File "/srv/shop/shop/step{n}.py", line {40 + n}, in step_{n}\n    step_{n + 1}(order_id, attempt)\n'
    for n in range(12)
)


def send_invoice(order_id: int, email: str) -> None: ...


def build_report(name: str, year: int) -> None: ...


def import_feed(url: str) -> None: ...


def resize_image(path: str, width: int) -> None: ...


def charge(order_id: int) -> None: ...


JOBS: tuple[tuple[Callable[..., None], tuple[Any, ...]], ...] = (
    (send_invoice, (1042, "somebody@example.org")), (build_report, ("sales", 2026)),
    (import_feed, ("https://feeds.example.org/1.xml",)), (resize_image, ("/srv/images/1.png", 640)), (charge, (1042,)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One job that is copied: its id, the id of its first State row, and how many of a thousand jobs are like it."""

    job_id: int
    state_id: int
    states: int
    share: int


def kinds_of(tm: TaskManager) -> Iterator[Kind]:
    """The jobs that are copied, each made by the engine."""
    for place in range(10):
        job_id = _new(tm, place)
        parameters = {"RecurringJobId": json.dumps(f"nightly-{place}")} if place < 3 else {}
        end = Succeeded(duration_ms=120 + place, latency_ms=12, result='{"rows": 1204}')
        yield _kind(tm, job_id, end, 93, parameters=parameters)
    for place in range(30):
        job_id = _new(tm, place)
        error = Failed(
            exception_type=f"shop.errors.Error{place}", exception_message=f"step {place} of the order failed",
            exception_details=f"{_TRACE}shop.errors.Error{place}: step {place} failed\n", server_id=SERVER,
        )  # fmt: skip
        yield _kind(tm, job_id, error, 1, retried=place % 2 == 0)
    deleted = _new(tm, 1)
    tm.client.delete([deleted], reason="no longer wanted")
    yield _found(tm, deleted, 20)
    for place, queue in enumerate(QUEUES):
        yield _found(tm, _new(tm, place, queue=queue), 6 if place == 0 else 1)
    yield _found(tm, _new(tm, 2, delay=86_400), 9)
    running = _new(tm, 3)
    tm.client.change([Change(running, Processing(server_id=SERVER, worker_id="3"))])
    yield _found(tm, running, 1)
    parent = _found(tm, _new(tm, 4, delay=86_400), 0)
    waiting = tm.client.continue_after(parent.job_id, tm._new(tm.definition(charge), (1,), {}, {}), on_any=False)
    yield _found(tm, waiting, 1)


def _new(tm: TaskManager, place: int, **options: Any) -> int:
    function, arguments = JOBS[place % len(JOBS)]
    return tm.enqueue(function, *arguments, **options)


def _kind(
    tm: TaskManager, job_id: int, end: Any, share: int, *, retried: bool = False,
    parameters: dict[str, str] | None = None,
) -> Kind:  # fmt: skip
    run, now = Processing(server_id=SERVER, worker_id="7"), tm.database.clock.now()
    if retried:
        again = Scheduled(enqueue_at=now, reason="Retry attempt 1 of 2: it failed")
        tm.client.change([Change(job_id, again, before=((run, now), (end, now)), parameters={"RetryCount": "1"})])
        tm.requeue(job_id)
    before = ((run, now),)
    tm.client.change([Change(job_id, end, before=before, elect=False, parameters=parameters or {})])
    return _found(tm, job_id, share)


def _found(tm: TaskManager, job_id: int, share: int) -> Kind:
    history = tm.get(job_id).history
    ids = [state.id for state in history]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) <= STATES
    return Kind(job_id, ids[0], len(ids), share)

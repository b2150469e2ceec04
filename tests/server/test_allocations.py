"""What a job takes of the worker's memory on its way: objects alive at once, and none left when it is written back."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any

import pytest

from taskmanager import TaskManager

_JOBS = 200
#: For each job of a batch, with a quarter to spare: blocks of memory alive when it is performed and not written back
#: yet, and bytes at the most at once, which is while the outcomes are written. Who needs more has to say why.
_BLOCKS = 33
_BYTES = 5_700


def nothing(number: int) -> None: ...


@pytest.fixture
def worker(tm: TaskManager, hands: Any) -> Any:
    """A worker that has done as much before: what is kept for good is there."""
    made = hands(threads=_JOBS)
    for _ in range(3):
        tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
        assert made.work() == _JOBS
    return made


def _round(tm: TaskManager, worker: Any) -> tuple[int, int]:
    """Blocks alive with all performed, beyond those before; and those that are left after all."""
    tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
    gc.collect()
    before = sys.getallocatedblocks()
    claims = worker.claim()
    assert len(claims) == _JOBS
    for claim in claims:
        worker.worker.perform(claim)
    held = sys.getallocatedblocks() - before
    worker.completer.flush()
    del claims, claim
    gc.collect()
    return held, sys.getallocatedblocks() - before


def test_jobs_hold_few_objects_and_leave_none(tm: TaskManager, worker: Any) -> None:
    rounds = [_round(tm, worker) for _ in range(5)]
    assert min(held for held, _ in rounds) / _JOBS <= _BLOCKS
    assert min(left for _, left in rounds) / _JOBS < 0.1, "the blocks that are left grow with the jobs"


def test_a_batch_takes_a_bounded_number_of_bytes(tm: TaskManager, worker: Any) -> None:
    tm.enqueue_many(nothing, [(n,) for n in range(_JOBS)])
    tracemalloc.start()
    try:
        for claim in worker.claim():
            worker.worker.perform(claim)
        worker.completer.flush()
        most = tracemalloc.get_traced_memory()[1] / _JOBS
    finally:
        tracemalloc.stop()
    assert most <= _BYTES, most

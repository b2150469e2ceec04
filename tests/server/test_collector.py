"""The collector of cycles in a worker process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from taskmanager.server import collector


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class _Cycle:
    def __init__(self) -> None:
        self.me = self


def test_it_passes_by_what_was_there_and_still_collects_what_jobs_leave_behind() -> None:
    gc.collect()
    collector.set_up()
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()
    left = 100_000
    rounds = gc.get_stats()[0]["collections"]
    for _ in range(left):
        _Cycle()
    assert 2 <= gc.get_stats()[0]["collections"] - rounds <= 10
    assert sum(isinstance(one, _Cycle) for one in gc.get_objects()) < left / 2

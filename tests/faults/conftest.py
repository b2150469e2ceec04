"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.faults.bad import greet


@pytest.fixture
def others(tm: TaskManager) -> Callable[[Any], None]:
    """One job beside the bad one and one after it; both must succeed."""
    beside = tm.enqueue(greet, "beside")

    def unaffected(worker: Any) -> None:
        assert tm.get(beside).result == "hello beside"
        after = tm.enqueue(greet, "after")
        worker.work()
        assert tm.get(after).result == "hello after"

    return unaffected

"""Fixtures of the fault tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.conftest import own_server
from tests.faults.bad import greet
from tests.servers import local


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


@pytest.fixture(scope="module")
def durable_server(request: pytest.FixtureRequest) -> Iterator[Callable[[str], local.Server]]:
    """A durable server of a product for the tests of one file, started when it is first asked for: making one takes
    seconds of processor time. One that a test left dead is started again."""
    made: dict[str, local.Server] = {}
    with ExitStack() as servers:

        def of(product: str) -> local.Server:
            if product not in made:
                made[product] = servers.enter_context(own_server(request, product))
            elif not made[product].answers():
                made[product].start()
            return made[product]

        yield of

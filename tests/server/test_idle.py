"""A worker process that has nothing to do costs its database next to nothing, and loses no time by it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.wire import Wire, listening
from taskmanager import TaskManager
from taskmanager.storage import servers

pytestmark = pytest.mark.slow
#: Long enough for two rounds of everything that looks each few seconds.
_SECONDS = 12.0
_MOST_A_SECOND = 5.0


def double(n: int) -> int:
    return n * 2


def _sent_in(wire: Wire, seconds: float) -> list[str]:
    before = len(wire.sent())
    time.sleep(seconds)
    return wire.sent()[before:]


def test_a_look_is_one_statement_and_so_is_a_sign_of_life(url: str, tmp_path: Path) -> None:
    with listening(tmp_path) as wire:
        tm = TaskManager(database_url=url, doorbell=False)
        try:
            for _ in range(2):  # the first connects, and asks for the clock
                before = len(wire.sent())
                tm.database.read(servers.all_servers)
                tm.database.run_single(lambda tx: servers.heartbeat(tx, "nobody", {}))
            assert len(wire.sent()) - before == 2
            before = len(wire.sent())
            tm.database.run(servers.all_servers)
            assert "COMMIT" in wire.sent()[-1], "or ends of transactions are not counted at all"
        finally:
            tm.close()


def test_an_idle_worker_sends_at_most_five_statements_a_second(url: str, tmp_path: Path) -> None:
    with listening(tmp_path) as wire:
        tm = TaskManager(database_url=url)
        server = tm.server()
        server.start()
        try:
            time.sleep(2.5)  # after a start it is wide awake
            sent = _sent_in(wire, _SECONDS)
        finally:
            server.stop(grace=2)
            tm.close()
    told = "\n".join(f"{count:4} {sql[:150]}" for sql, count in Counter(sent).most_common())
    assert len(sent) >= _SECONDS, f"looks are missing: the wire was not heard\n{told}"
    assert len(sent) <= _SECONDS * _MOST_A_SECOND, told

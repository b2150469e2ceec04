"""A doorbell rings the connection that sleeps for it, and no other, whatever numbers connections have."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import doorbell, structures


@pytest.fixture(autouse=True)
def _servers_only(tm: TaskManager) -> None:
    if tm.database.is_embedded:
        pytest.skip("SQLite needs no doorbell")


def test_a_sleeper_is_woken(tm: TaskManager) -> None:
    bell, rung = doorbell.Doorbell(tm.database, uuid.uuid4().hex), list[bool]()
    sleeper = threading.Thread(target=lambda: rung.append(bell.wait()))
    sleeper.start()
    deadline = time.monotonic() + 15
    while not rung:
        assert time.monotonic() < deadline
        bell.listen(True)
        assert len(doorbell.ring_all(tm.database)) == bell.is_set
        time.sleep(0.05)
    assert rung == [True]
    sleeper.join()
    bell.close()
    assert doorbell.ring_all(tm.database) == set()


def test_what_a_dead_process_left_disturbs_nobody_who_got_its_connections_number(
    tm: TaskManager, engine_name: str
) -> None:
    if engine_name == "postgresql":
        pytest.skip("PostgreSQL rings by name")
    with tm.database.engine.connect() as innocent:
        number = innocent.execute(text("SELECT CONNECTION_ID()")).scalar_one()
        left = {f"{number}:{uuid.uuid4().hex}": 1.0}
        tm.database.run(lambda tx: structures.put(tx, doorbell.SET, left))
        ringing = threading.Timer(0.2, lambda: doorbell.ring_all(tm.database))
        ringing.start()
        assert innocent.execute(text("SELECT SLEEP(0.6)")).scalar_one() == 0
        ringing.join()
    assert tm.database.read(lambda tx: structures.members(tx, doorbell.SET)) == {}

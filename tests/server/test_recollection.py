"""What a server remembers of itself: an hour by the minute and its last warnings, bounded, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.recollection import Recollection
from taskmanager.server.upkeep import Heartbeat
from taskmanager.storage import server_facts, servers, structures


@pytest.fixture
def kept() -> Iterator[Recollection]:
    made = Recollection(("password", "token"))
    logging.getLogger().addHandler(made)
    yield made
    logging.getLogger().removeHandler(made)


def sampled(kept: Recollection, minute: int, cpu: float = 1.0, busy: int = 0) -> dict[str, Any]:
    return kept.sample(minute * 60 + 5, cpu=cpu, memory=10.0, busy=busy)


def test_minutes_are_told_in_the_mean_once_each_and_an_hour_of_them(kept: Recollection) -> None:
    assert [sampled(kept, 7, cpu, busy) for cpu, busy in ((10, 1), (30, 2))] == [{}, {}]
    assert sampled(kept, 8) == {"Minutes": [[420, 20.0, 10.0, 1.5]]}
    for minute in range(9, 100):
        told = sampled(kept, minute)
    assert len(told["Minutes"]) == 60
    assert told["Minutes"][-1][0] == 98 * 60


def test_warnings_are_kept_bounded_and_masked_and_told_only_when_there_are_new_ones(kept: Recollection) -> None:
    log = logging.getLogger("shop")
    log.info("not kept")
    for number in range(70):
        log.warning("line %d", number)
    log.error("cannot reach mysql://me:hunter2@db/x with password=hunter2 %s", "y" * 5000)
    sampled(kept, 1)
    lines = sampled(kept, 2)["Log"]
    assert len(lines) == 50
    assert "not kept" not in str(lines)
    assert "line 69" in lines[-2]
    assert "hunter2" not in lines[-1]
    assert len(lines[-1]) < 1_100
    assert "Log" not in sampled(kept, 3)


def test_a_line_that_cannot_be_written_hurts_nobody(kept: Recollection) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    kept.handle(logging.makeLogRecord({"levelno": logging.WARNING, "msg": "%s", "args": (Broken(),)}))
    sampled(kept, 1)
    assert len(sampled(kept, 2)["Log"]) == 1, "and says that it cannot"


@pytest.mark.one_server
def test_a_server_tells_its_settings_at_once_and_takes_all_along_when_it_leaves(
    tm: TaskManager, hands: Callable[..., Any]
) -> None:
    tm.settings = tm.settings.with_changes(smtp_password="hunter2", threads=3)
    server = tm.server()
    tm.database.run(server._announce)
    told = tm.database.read(lambda tx: server_facts.of(tx, server.id))
    assert told.settings["threads"] == ("3", "argument threads")
    assert told.settings["smtp_password"][0] == "*****"
    assert "database_url" not in told.settings
    facts = [{}, {"Minutes": [[60, 1.5, 2.0, 3.0]], "Log": ["a", "b"]}]
    heart = Heartbeat(
        tm.database, server.id, server.line, lambda: None, seconds=5, tell=dict, more=lambda: facts.pop(0)
    )  # fmt: skip
    heart.tick()
    heart.tick()
    told = tm.database.read(lambda tx: server_facts.of(tx, server.id))
    assert told.minutes == (server_facts.Minute(60, 1.5, 2.0, 3.0),)
    assert (told.lines, told.settings["threads"][0]) == (("a", "b"), "3")
    key = servers.FACTS + servers.guid_of(server.id)
    tm.database.run(lambda tx: structures.set_fields(tx, key, {"Minutes": '[[1], "x", [1, NaN, 2, 3]]', "Log": "{"}))
    assert tm.database.read(lambda tx: server_facts.of(tx, server.id)).minutes == ()
    tm.database.run(lambda tx: servers.remove(tx, server.id))
    assert tm.database.read(lambda tx: structures.fields(tx, key)) == {}
    server.line.close()

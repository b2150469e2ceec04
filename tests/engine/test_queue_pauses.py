"""A queue's pause has an author, a note and an end, which comes by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.records import Pause
from taskmanager.storage import glance, monitoring_queues, queue_pauses, structures
from tests.conftest import Hands


def nothing() -> None: ...


def pause_of(tm: TaskManager, name: str = "mail") -> Pause | None:
    return tm.database.read(lambda tx: monitoring_queues.one(tx, name)).pause


def test_a_paused_queue_tells_by_whom_since_when_why_and_until_when(tm: TaskManager) -> None:
    until = (tm.database.clock.now() + timedelta(hours=5)).replace(microsecond=0)
    tm.pause_queue("mail", by="ann", note="  month end ", until=until)
    first = pause_of(tm)
    assert first is not None
    assert (first.by, first.note, first.until) == ("ann", "month end", until)
    tm.pause_queue("mail", by="bob")
    assert pause_of(tm) == Pause(first.since, None, "bob", None)
    tm.resume_queue("mail")
    assert pause_of(tm) is None
    tm.database.run(lambda tx: structures.put(tx, "paused-queues", {"mail": 0}))
    assert pause_of(tm) == Pause(), "of a pause made by SQL nothing more is known"


@pytest.mark.parametrize(
    ("given", "text"),
    [({"until": datetime(2020, 1, 1)}, "is over"), ({"note": "x" * 501}, "500"), ({"note": "a\x00b"}, "stored")],
)
@pytest.mark.one_server
def test_an_end_that_is_over_and_a_note_that_cannot_be_kept_are_refused(
    tm: TaskManager, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidArgument, match=text):
        tm.pause_queue("mail", **given)
    assert pause_of(tm) is None


def test_the_end_comes_by_itself_and_those_who_wait_are_rung(
    tm: TaskManager, hands: Callable[..., Hands], monkeypatch: pytest.MonkeyPatch
) -> None:
    tm.job(queue="mail")(nothing)
    until = tm.database.clock.now() + timedelta(minutes=10)
    job_id = tm.enqueue(nothing)
    tm.pause_queue("mail", until=until)
    tm.pause_queue("for-ever")
    worker, rung = hands(queues=("mail",)), list[set[str]]()
    watcher = glance.Watcher(tm.database, ["mail"], "nobody")
    seen = watcher.look()
    assert seen.recurring == pytest.approx(until.replace(tzinfo=UTC).timestamp(), abs=0.01)
    assert not seen.waiting
    watcher.close()
    worker.recurring.tick()
    assert worker.work() == 0
    monkeypatch.setattr(tm.database, "ring", lambda queues: rung.append(set(queues)))
    tm.database.clock.shift(timedelta(minutes=11))
    worker.recurring.tick()
    assert {"mail"} in rung
    assert worker.work() == 1
    assert tm.get(job_id).state == "Succeeded"
    assert (pause_of(tm), pause_of(tm, "for-ever") is not None) == (None, True)


def test_a_pause_that_was_put_off_meanwhile_does_not_end(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    now = tm.database.clock.now()
    tm.pause_queue("mail", until=now + timedelta(minutes=10))
    tm.database.clock.shift(timedelta(minutes=11))
    real = structures.lock_one

    def then_put_off(tx: Any, key: str, value: str) -> float | None:
        structures.put(tx, key, {value: 0})
        return real(tx, key, value)

    monkeypatch.setattr(structures, "lock_one", then_put_off)
    assert tm.database.run(lambda tx: queue_pauses.end_due(tx, tx.now(), 10)) == []
    assert pause_of(tm) is not None

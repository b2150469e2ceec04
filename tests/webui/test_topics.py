"""What changes anywhere is told by topic, so that a page looks again only where something may have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.storage import monitoring_snapshot
from taskmanager.storage import servers as server_rows
from tests.webui.conftest import Browser
from webui import topics
from webui.snapshots import Snapshots

pytestmark = pytest.mark.each_engine

Changed = Callable[[], set[str]]


@pytest.fixture
def changed(tm: TaskManager) -> Changed:
    """The topics that changed since it was asked last."""
    shared = Snapshots(tm)
    known: dict[str, str] = {}

    def ask() -> set[str]:
        shared._tried = -1e9
        seen = shared.get(rows=True)
        assert seen is not None
        found = {topic for topic in topics.TOPICS if known.get(topic) != seen.topics[topic]}
        known.update(seen.topics)
        return found

    assert ask() == set(topics.TOPICS)
    for _ in range(3):
        assert ask() == set()
    return ask


def fail(tm: TaskManager) -> int:
    """A failed job; its id."""
    job_id = tm.enqueue(len, "x")
    tm.client.fail(job_id, ValueError(), "no")
    return job_id


def test_jobs_change_the_topic_of_their_states_only(tm: TaskManager, changed: Changed) -> None:
    job_id = tm.enqueue(len, "x")
    found = changed()
    assert {"jobs", "jobs.enqueued", "queues"} <= found
    assert not found & {"jobs.failed", "jobs.scheduled", "retries", "servers", "audit"}
    tm.client.delete([job_id])
    found = changed()
    assert {"jobs", "jobs.enqueued", "jobs.deleted"} <= found
    assert not found & {"jobs.failed", "jobs.succeeded", "servers", "audit"}
    tm.enqueue(len, "x", delay=600)
    assert {"jobs.scheduled", "retries"} <= changed()


def test_one_that_comes_where_another_goes_is_seen(tm: TaskManager, changed: Changed) -> None:
    gone = fail(tm)
    changed()
    tm.requeue(gone)
    fail(tm)
    assert "jobs.failed" in changed()


def test_beyond_what_is_counted_every_change_may_be_one(
    tm: TaskManager, changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        fail(tm)
    monkeypatch.setattr(monitoring_snapshot, "CAP", 2)
    changed()
    tm.enqueue(len, "x")
    assert "jobs.failed" in changed()


def test_newer_jobs_are_told_apart_across_blocks_of_ids(
    tm: TaskManager, changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    tm.enqueue_many(len, [("x",)] * 2 * monitoring_snapshot.BLOCK)
    changed()
    tm.enqueue(len, "x")
    found = changed()
    assert "jobs.enqueued" in found
    assert not found & {"jobs.failed", "jobs.deleted"}


def test_pauses_recurring_jobs_and_servers_have_topics_of_their_own(
    tm: TaskManager, ann: Browser, changed: Changed
) -> None:
    tm.recurring("nightly", len, args=("x",), cron="0 2 * * *")
    assert changed() == {"recurring"}
    assert ann.post("/hangfire/queues/pause", {"queue": "mail"}).status_code < 400
    found = changed()
    assert {"queues", "audit", "recurring"} <= found
    assert not any(topic.startswith("jobs") and topic != "jobs" for topic in found)
    tm.database.run(lambda tx: server_rows.announce(tx, "web:1:x", {"WorkerCount": 1}))
    assert changed() == {"servers"}
    with tm.database.engine.begin() as connection:
        quoted = tm.database.prepared.product.quote
        connection.execute(
            text(
                f"UPDATE {quoted(tm.database.tables.server.name)} SET {quoted('LastHeartbeat')} = '2020-01-01 00:00:00'"
            )
        )
    assert changed() == {"servers"}, "it has fallen silent"


def test_processes_beside_each_other_tell_the_same(tm: TaskManager, app: Any, ann: Browser) -> None:
    fail(tm)
    one, other = Snapshots(tm), Snapshots(tm)
    for _ in range(3):
        one._tried = -1e9
        assert one.get() is not None
    seen, again = one.get(), other.get()
    assert seen is not None
    assert again is not None
    assert (seen.topics, seen.revision) == (again.topics, again.revision)

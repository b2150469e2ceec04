"""What SQL writes and what the program writes are the same rows, column by column, in all tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.server.schedulers import RecurringScheduler
from tests.sql_api.conftest import Sql
from tests.sql_api.shots import both, shot

HERE = __name__


def nothing() -> None:
    """A job without arguments."""


def report(year: int, name: str = "all", ratio: float = 1.0, deep: Any = None) -> str:
    return f"{year} {name} {ratio} {deep}"


def broken() -> None:
    raise ValueError("on purpose")


def test_a_job_is_the_same_to_the_byte(tm: TaskManager, sql: Sql) -> None:
    rows = both(tm, lambda: None, lambda _: tm.enqueue(nothing), lambda _: sql.enqueue(f"{HERE}:nothing"))
    assert len(rows["HangfireJob"]) == len(rows["HangfireState"]) == len(rows["HangfireJobQueue"]) == 1


@pytest.mark.parametrize(
    "arguments", [(2026,), (1, 'it\'s "q" \\ / tab\t nl\n'), (-1, "", 0.5), (0, "5"), (1, "true", 1.5, True), (1,) * 4]
)
def test_its_arguments_are_the_same_to_the_byte(tm: TaskManager, sql: Sql, arguments: tuple[Any, ...]) -> None:
    values = json.dumps(arguments)
    both(
        tm, lambda: None, lambda _: tm.enqueue(report, *arguments),
        lambda _: sql.enqueue(f"{HERE}.report", values), types=False,
    )  # fmt: skip


@pytest.mark.parametrize("value", ["žluťoučký 😀 \u2028", [1, [2, "x"]], {"b": [1.5, None], "aa": {"c": "é"}}, {}, []])
def test_other_arguments_mean_the_same(tm: TaskManager, sql: Sql, hands: Any, value: Any) -> None:
    first = tm.enqueue(report, 1, "n", 2.0, value)
    for ascii_only in (True, False):
        second = sql.enqueue(f"{HERE}:report", json.dumps([1, "n", 2.0, value], ensure_ascii=ascii_only))
        stored = [[json.loads(i) for i in json.loads(tm.get(job).arguments)] for job in (first, second)]
        assert stored[0] == stored[1]
        assert [json.loads(tm.get(second).invocation_data)["Arguments"]] == [tm.get(second).arguments]
    assert hands().work() == 3
    assert tm.get(first).result == tm.get(second).result is not None


def test_null_is_what_the_worker_fills_in_or_a_default(tm: TaskManager, sql: Sql, hands: Any) -> None:
    job_id = sql.enqueue(f"{HERE}:report", '[7, null, null, "x"]')
    assert json.loads(tm.get(job_id).arguments) == ["7", None, None, '"x"']
    tm.definition(report)
    hands().work()
    assert tm.get(job_id).result == "7 all 1.0 x"


def test_another_queue_is_the_same(tm: TaskManager, sql: Sql) -> None:
    both(
        tm, lambda: None, lambda _: tm.job(nothing).options(queue="mail-2").enqueue(),
        lambda _: sql.enqueue(f"{HERE}.nothing", None, "mail-2"),
    )  # fmt: skip
    assert tm.get(sql.enqueue(f"{HERE}.nothing", "[]", None)).queue == "default"


def test_a_scheduled_job_is_the_same(tm: TaskManager, sql: Sql, hands: Any) -> None:
    at = tm.database.read(lambda tx: tx.now()) + timedelta(hours=3, microseconds=123456)
    given = f"{at.isoformat(' ')}+00" if sql.is_postgresql else at

    def by_sql(_: Any) -> None:
        sql.call("tm_schedule_v1", f"{HERE}:nothing", "[]", "mail", given, answers=True)

    both(tm, lambda: None, lambda _: tm.job(nothing).options(queue="mail", at=at).enqueue(), by_sql)
    job = tm.get(1)
    assert (job.state, job.current.data["EnqueueAt"] if job.current else "") == ("Scheduled", f"{at.isoformat()}0Z")
    tm.database.clock.shift(timedelta(hours=4))
    hands().delayed.tick()
    assert tm.get(1).state == "Enqueued"


# -- requeue and delete from every state --------------------------------------------------------------------------


def _enqueued(tm: TaskManager, hands: Any) -> int:
    return tm.job(nothing).options(priority=3, queue="default").enqueue()


def _scheduled(tm: TaskManager, hands: Any) -> int:
    return tm.job(nothing).schedule(delay=500)


def _processing(tm: TaskManager, hands: Any) -> int:
    job_id = tm.enqueue(nothing)
    worker = hands()
    worker.claim()
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.job.update().values(StateName="Processing"))
        token = {"FetchToken": "x" * 32 + ".1"}
        connection.execute(tm.database.tables.queue.update().values(**token))
    return job_id


def _succeeded(tm: TaskManager, hands: Any) -> int:
    job_id = tm.enqueue(nothing)
    hands().work()
    return job_id


def _failed(tm: TaskManager, hands: Any) -> int:
    job_id = tm.enqueue(nothing)
    tm.client.fail(job_id, ValueError("x"), "x")
    return job_id


def _retried(tm: TaskManager, hands: Any) -> int:
    job_id = tm.job(retries=1, delays=[60])(broken).enqueue()
    hands().work()
    assert tm.get(job_id).state == "Scheduled"
    return job_id


def _deleted(tm: TaskManager, hands: Any) -> int:
    job_id = tm.enqueue(nothing)
    tm.delete(job_id)
    return job_id


def _awaiting(tm: TaskManager, hands: Any) -> int:
    parent = tm.enqueue(nothing)
    return tm.job(nothing).continue_after(parent)


def _without_queue(tm: TaskManager, hands: Any) -> int:
    job_id = tm.enqueue(nothing)
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.job.update().values(Queue=None))
    return job_id


FROM = [
    _enqueued, _scheduled, _processing, _succeeded, _failed, _retried, _deleted, _awaiting, _without_queue,
]  # fmt: skip
Setup = Callable[[TaskManager, Any], int]


def _measured(tm: TaskManager) -> None:
    """Durations and server names of runs differ by nature."""
    succeeded = tm.database.tables.state.c.Name.in_(["Succeeded", "Processing", "Failed"])
    with tm.database.engine.begin() as connection:
        connection.execute(tm.database.tables.state.update().where(succeeded).values(Data="{}"))


@pytest.mark.parametrize("reason", [None, "r" * 101])
@pytest.mark.parametrize("setup", FROM)
def test_a_requeue_is_the_same(tm: TaskManager, sql: Sql, hands: Any, setup: Setup, reason: str | None) -> None:
    def before() -> int:
        job_id = setup(tm, hands)
        _measured(tm)
        return job_id

    both(tm, before, lambda i: tm.requeue(i, reason=reason), lambda i: sql.requeue(i, reason))
    assert len(shot(tm)["HangfireJobQueue"]) == (2 if setup is _awaiting else 1)


@pytest.mark.parametrize("setup", FROM)
def test_a_delete_is_the_same(tm: TaskManager, sql: Sql, hands: Any, setup: Setup) -> None:
    def before() -> int:
        job_id = setup(tm, hands)
        _measured(tm)
        return job_id

    both(tm, before, lambda i: tm.delete(i, reason="by hand"), lambda i: sql.delete(i, "by hand"))


def test_a_delete_takes_those_that_wait_along(tm: TaskManager, sql: Sql) -> None:
    """1 is deleted; 2 waits for its success, 3 for its end; 4 and 5 wait for 2, 6 for 4."""

    def before() -> int:
        parent = tm.enqueue(nothing)
        job = tm.job(nothing)
        second = job.continue_after(parent)
        job.options(queue="mail").continue_after(parent, on="any")
        fourth = job.continue_after(second)
        job.options(priority=5).continue_after(second, on="any")
        job.continue_after(fourth, on="any")
        return parent

    both(tm, before, lambda i: tm.delete(i, reason="why"), lambda i: sql.delete(i, "why"))
    states = {i: tm.get(i).state for i in range(1, 7)}
    assert states == {1: "Deleted", 2: "Deleted", 3: "Enqueued", 4: "Deleted", 5: "Enqueued", 6: "Enqueued"}


@pytest.mark.parametrize("listed", ["", "no JSON", "{}", '[{"JobId": "x"}, 5, {"JobId": "999"}, {"JobId": "1"}]'])
def test_unreadable_continuations_stop_no_delete(tm: TaskManager, sql: Sql, listed: str) -> None:
    job_id = tm.enqueue(nothing)
    with tm.database.engine.begin() as connection:
        row = {"JobId": job_id, "Name": "Continuations", "Value": listed}
        connection.execute(tm.database.tables.parameter.insert().values(row))
    sql.delete(job_id)
    assert tm.get(job_id).state == "Deleted"


# -- recurring jobs -----------------------------------------------------------------------------------------------


def _nightly(tm: TaskManager) -> None:
    """A recurring job with a queue, a priority, and arguments that JSON escapes."""
    job = tm.job(queue="mail", priority=4)(report)
    tm.recurring("nightly", job, cron="0 2 * * *", args=(2026, 'it\'s "é" \\'), kwargs={"deep": {"a": [1, None]}})


def test_a_triggered_recurring_job_is_the_same_to_the_byte(tm: TaskManager, sql: Sql) -> None:
    both(tm, lambda: _nightly(tm), lambda _: tm.trigger("nightly"), lambda _: sql.trigger("nightly"))
    assert tm.recurring_list()[0].last_job_id == 1


def test_a_paused_one_is_triggered_and_a_plain_one_too(tm: TaskManager, sql: Sql) -> None:
    def before() -> None:
        tm.recurring("plain", tm.job(nothing), cron="0 2 * * *")
        tm.pause("plain")

    both(tm, before, lambda _: tm.trigger("plain"), lambda _: sql.trigger("plain"))


def test_a_pause_is_the_same(tm: TaskManager, sql: Sql) -> None:
    pause = "tm_pause_recurring_v1"
    both(tm, lambda: _nightly(tm), lambda _: tm.pause("nightly"), lambda _: sql.call(pause, "nightly"))
    assert [(r.paused, r.next_execution) for r in tm.recurring_list()] == [(True, None)]


def test_a_resume_is_the_same_once_a_scheduler_has_looked(tm: TaskManager, sql: Sql) -> None:
    scheduler = RecurringScheduler(tm.recurring_jobs)

    def before() -> None:
        _nightly(tm)
        tm.pause("nightly")
        with tm.database.engine.begin() as connection:  # paused for a long time, strict: it owes many slots
            hash_ = tm.database.tables.hash
            values = {"Misfire": "1", "LastExecution": "2020-01-01T00:00:00.0000000Z", "LastJobId": ""}
            for field, value in values.items():
                connection.execute(hash_.delete().where(hash_.c.Field == field))
                row = {"Key": "python:recurring-job:nightly", "Field": field, "Value": value}
                connection.execute(hash_.insert().values(row))

    def by_sql(_: Any) -> None:
        sql.call("tm_resume_recurring_v1", "nightly")
        assert not tm.recurring_list()[0].paused
        scheduler.tick()

    both(tm, before, lambda _: tm.resume("nightly"), by_sql)
    assert shot(tm)["HangfireJob"] == []
    assert tm.recurring_list()[0].next_execution is not None


def test_the_tables_are_locked_in_no_other_order(tm: TaskManager, sql: Sql) -> None:
    """A job whose row somebody holds is waited for before anything else of it is touched."""
    job_id = tm.enqueue(nothing)
    with tm.database.engine.connect() as connection:
        connection.execute(tm.database.tables.job.select().with_for_update())
        sql.run("SET lock_timeout = '100ms'" if sql.is_postgresql else "SET innodb_lock_wait_timeout = 1")
        with pytest.raises(Exception, match=r"lock|Lock"):
            sql.delete(job_id)
        other = tm.database.engine.connect()
        quote = tm.database.product.quote
        queue = other.execute(text(f"SELECT 1 FROM {quote('HangfireJobQueue')} FOR UPDATE NOWAIT")).all()
        other.rollback()
        other.close()
    assert len(queue) == 1
    assert tm.get(job_id).state == "Enqueued"

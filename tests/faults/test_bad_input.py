"""Calls and arguments of every bad kind: a clear message, that job Failed or the call refused, others unaffected."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.domain.errors import (
    ArgumentError,
    ConfigurationError,
    InvalidArgument,
    InvalidCron,
    PayloadTooLarge,
)
from taskmanager.storage import recurring, structures
from tests.conftest import history
from tests.faults.bad import add, change_job, greet, message, rows

pytestmark = pytest.mark.timeout(120)


def test_a_job_type_nobody_knows_fails_by_name_after_its_time_by_the_databases_clock(
    tm: TaskManager, hands: Any, others: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tm.job(greet).enqueue("x")
    data = '{"Type":"gone.module","Method":"lost","ParameterTypes":"[]","Arguments":"[]"}'
    change_job(tm, bad, InvocationData=data)
    worker = hands(unknown_seconds=300.0)
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued", "another server may know it"
    worker.worker.claims.skipped.clear()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 36_000)
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued", "the host's clock has jumped, and it is too early"
    tm.database.clock.shift(timedelta(seconds=301))
    worker.worker.claims.skipped.clear()
    worker.work()
    worker.worker.tick()
    worker.completer.flush()
    assert "gone.module:lost" in message(tm, bad)
    others(worker)


def test_an_unreadable_moment_of_an_unknown_job_is_taken_as_now(tm: TaskManager, hands: Any, others: Any) -> None:
    bad = tm.job(greet).enqueue("x")
    change_job(tm, bad, InvocationData='{"Type":"gone","Method":"lost"}')
    table = tm.database.tables.parameter
    with tm.database.engine.begin() as connection:
        connection.execute(table.insert().values(JobId=bad, Name="UnknownSince", Value="yesterday"))
    worker = hands()
    worker.work()
    worker.work()
    assert tm.get(bad).state == "Enqueued"
    others(worker)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('["\\"one\\"","2"]', "argument 'a'"),
        ('["1","{broken"]', "argument 'b'"),
        ('["1"]', "missing: b"),
        ('["1","2","3"]', "3 were stored"),
    ],
)
def test_stored_arguments_that_do_not_fit_fail_at_once_and_are_not_retried(
    tm: TaskManager, hands: Any, others: Any, arguments: str, words: str
) -> None:
    bad = tm.job(add).enqueue(1, 2)
    change_job(tm, bad, Arguments=arguments)
    worker = hands()
    worker.work()
    assert words in message(tm, bad)
    assert "add()" in message(tm, bad)
    assert history(tm, bad) == ["Enqueued", "Processing", "Failed"]
    others(worker)


@pytest.mark.one_server
def test_a_call_with_arguments_that_do_not_fit_is_refused_and_nothing_is_written(tm: TaskManager) -> None:
    with pytest.raises(ArgumentError, match=r"add\(\) is missing 'b'"):
        tm.enqueue(add, 1)
    with pytest.raises(ArgumentError, match=r"add\(\) takes 2 arguments, 3 were given"):
        tm.enqueue(add, 1, 2, 3)
    with pytest.raises(ArgumentError, match=r"add\(\): argument 'b'"):
        tm.enqueue(add, 1, object())
    assert rows(tm) == 0


@pytest.mark.one_server
def test_an_invalid_cron_or_zone_is_refused_and_in_a_row_told_there(tm: TaskManager, hands: Any) -> None:
    for cron, zone, words in (("61 * * * *", "UTC", "61"), ("* * * * *", "Mars/Olympus", "Mars/Olympus")):
        with pytest.raises(InvalidCron, match=words):
            tm.recurring("r", greet, args=("x",), cron=cron, time_zone=zone)
    assert tm.recurring_list() == []
    spoiled = {
        "zone": {"TimeZoneId": "Mars/Olympus"}, "queue": {"Queue": "q" * 60}, "job": {"Job": "{broken"},
        "moments": {"LastExecution": "tomorrow", "CreatedAt": "9" * 40},
    }  # fmt: skip
    for name in [*spoiled, "good"]:
        tm.recurring(name, greet, args=(name,), cron="0 * * * *")
    for name, fields in spoiled.items():
        tm.database.run(lambda tx, n=name, f=fields: structures.set_fields(tx, recurring.HASH + n, f))
    tm.database.clock.shift(timedelta(hours=1))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 2, "the good one, and the one whose moments cannot be read"
    errors = {r.id: r.error or "" for r in tm.recurring_list()}
    assert "Mars/Olympus" in errors["zone"]
    assert "qqq" in errors["queue"]
    assert "not valid JSON" in errors["job"]
    assert (errors["good"], errors["moments"]) == ("", "")
    tm.database.clock.shift(timedelta(hours=1))
    worker.recurring.tick()
    assert worker.work() == 2, "and they go on"


@pytest.mark.parametrize("name", ["q" * 51, "Queue", "fronta-ž", "😀", "", "a b"])
@pytest.mark.one_server
def test_a_queue_name_that_is_too_long_or_odd_is_refused_everywhere(tm: TaskManager, name: str) -> None:
    job = tm.job(greet)
    calls: list[Callable[[], Any]] = [
        lambda: tm.job(queue=name)(greet),
        lambda: tm.pause_queue(name),
    ]
    if name:  # an empty one means the job's own
        calls += [
            lambda: job.options(queue=name).enqueue("x"),
            lambda: tm.enqueue_many(greet, [("x",)], queue=name),
            lambda: tm.recurring("r", greet, args=("x",), cron="* * * * *", queue=name),
        ]
    for call in calls:
        with pytest.raises(InvalidArgument, match="a queue name has 1 to 50"):
            call()
    with pytest.raises(ConfigurationError, match="queues"):
        tm.settings.with_changes(queues=[name])
    assert rows(tm) == 0
    assert tm.recurring_list() == []


@pytest.mark.one_server
def test_arguments_of_20_mb_are_refused_by_name_and_nothing_is_written(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    huge = "x" * (20 * 1024 * 1024)
    before = rows(tm)
    for call in (
        lambda: tm.enqueue(greet, huge),
        lambda: tm.enqueue_many(greet, [("small",), (huge,)]),
        lambda: tm.recurring("huge", greet, args=(huge,), cron="* * * * *"),
        lambda: tm.job(greet).schedule(huge, delay=1),
    ):
        with pytest.raises(PayloadTooLarge, match=r"greet take 20\d+ bytes.*max_payload_bytes"):
            call()
    assert rows(tm) == before
    assert tm.recurring_list() == []
    worker = hands()
    worker.work()
    others(worker)


def test_arguments_longer_than_the_server_takes_are_refused_at_once_and_not_taken_for_an_outage(
    tm: TaskManager, hands: Any
) -> None:
    bound = tm.database.product.longest_statement
    large = "x" * (10 * 1024 * 1024)
    started = time.monotonic()
    takes = 1 << 40
    if bound:
        with tm.database.engine.connect() as connection:
            takes = connection.execute(text(f"SELECT {bound}")).scalar_one()
    if takes < 20 * 1024 * 1024:
        with pytest.raises(PayloadTooLarge, match="max_allowed_packet"):
            tm.enqueue(greet, large)
        assert time.monotonic() - started < 10
        assert rows(tm) == 0
    else:
        job_id = tm.enqueue(greet, large)
        hands().work()
        assert tm.get(job_id).state == "Succeeded"


@pytest.mark.parametrize(
    "word",
    [
        "job type", "Stored arguments", "number of arguments", "raises at import", "cron", "zone", "queue name",
        "20 MB", "emoji", "cannot be encoded", "sys.exit", "forks", "threads", "stdout", "async generator",
        "broken JSON", "unknown name", "job is gone", "clock", "disk", "read-only",
    ],
)  # fmt: skip
def test_the_operations_page_lists_each_kind_of_bad_input(word: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("## Bad input")[2].partition("\n## ")[0]
    assert word.lower() in table.lower()

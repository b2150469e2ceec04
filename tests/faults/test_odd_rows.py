"""Rows of the engine's own tables that nobody of us wrote: what they spoil is one job, or nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from taskmanager import TaskManager
from taskmanager.cli import main
from taskmanager.domain.texts import whole, wholes
from taskmanager.engine import operations
from taskmanager.storage import legacy, servers, structures
from taskmanager.storage import queues as queue_rows
from taskmanager.storage import recurring as recurring_rows
from tests.conftest import history

#: Digits of other scripts, what no column holds, and what is no number at all.
ODD = ["²", "٣", "9" * 24, "9223372036854775808", "", "-1", "1.5", " 7", "seven", "💥"]


def greet(name: str) -> str:
    return f"hello {name}"


def broken() -> None:
    raise ValueError("as always")


def give(tm: TaskManager, job_id: int, **parameters: str) -> None:
    """Write parameters of a job by hand."""
    table = tm.database.tables.parameter
    with tm.database.engine.begin() as connection:
        for name, value in parameters.items():
            connection.execute(table.insert().values(JobId=job_id, Name=name, Value=value))


def test_a_number_is_what_a_column_holds_and_nothing_else() -> None:
    assert [whole(text) for text in ("0", "7", "007", "9223372036854775807")] == [0, 7, 7, 2**63 - 1]
    assert [whole(text) for text in [*ODD, None, "9" * 5000]] == [None] * (len(ODD) + 2)
    assert wholes(["1", *ODD, "2"]) == [1, 2]


def test_odd_members_of_the_schedule_hold_up_no_delayed_job(tm: TaskManager, hands: Any) -> None:
    later = tm.job(greet).schedule("x", delay=60)
    odd = {member: 1.0 for text in ODD for member in (text, f"default:{text}") if member}
    for key in ("schedule", "retries", "stacks-wanted", "bulk-operations", "failures:x"):
        tm.database.run(lambda tx, k=key: structures.put(tx, k, odd))  # type: ignore[misc]
    tm.database.clock.shift(timedelta(seconds=61))
    worker = hands()
    worker.delayed.tick()
    assert worker.work() == 1
    assert tm.get(later).result == "hello x"
    assert tm.database.read(operations.newest) == []


def test_a_job_with_odd_parameters_ends_as_it_would(tm: TaskManager, hands: Any) -> None:
    greeting, failing = tm.job(greet), tm.job(retries=1, delays=[0])(broken)
    goods = {greeting.enqueue("x"): text for text in ODD}
    bads = {failing.enqueue(): text for text in ODD}
    for job_id, text in (goods | bads).items():
        give(tm, job_id, RetryCount=text, ProcessDeaths=text)
    for job_id, text in goods.items():
        give(tm, job_id, Continuations=f'[{{"JobId": "{text}"}}, {{"JobId": "1", "Options": "{text}"}}, 5, null]')
    worker = hands()
    while worker.work():
        pass
    assert {text: tm.get(job_id).result for job_id, text in goods.items()} == dict.fromkeys(ODD, "hello x")
    twice = ["Enqueued", "Processing", "Failed", "Enqueued", "Processing", "Failed"]
    assert {text: history(tm, job_id) for job_id, text in bads.items()} == dict.fromkeys(ODD, twice)
    assert {tm.get(job_id).parameters["RetryCount"] for job_id in bads} == {"1"}


def test_jobs_of_an_unknown_type_fail_in_their_time_whatever_is_written_of_them(tm: TaskManager, hands: Any) -> None:
    greeting = tm.job(greet)
    unknown = {greeting.enqueue("x"): text for text in ("9" * 24, "9" * 15, "²", "yesterday", "-inf", "nan")}
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().values(InvocationData='{"Type":"gone","Method":"lost"}'))
    for job_id, text in unknown.items():
        give(tm, job_id, UnknownSince=text)
    worker = hands(unknown_seconds=60.0)
    for seconds, state in ((0, "Enqueued"), (50, "Enqueued"), (12, "Failed")):
        tm.database.clock.shift(timedelta(seconds=seconds))
        for _ in range(2):
            worker.worker.claims.skipped.clear()
            worker.work()
        worker.worker.tick()
        worker.completer.flush()
        assert {text: tm.get(job_id).state for job_id, text in unknown.items()} == dict.fromkeys(
            unknown.values(), state
        )


def test_a_job_without_an_invocation_is_failed_and_says_so(tm: TaskManager, hands: Any) -> None:
    empty, good = tm.job(greet).enqueue("x"), tm.job(greet).enqueue("y")
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == empty).values(InvocationData=""))
    hands().work()
    failed = tm.get(empty).current
    assert failed is not None
    assert (failed.name, tm.get(good).state) == ("Failed", "Succeeded")
    assert "InvocationData is not valid JSON" in failed.data["ExceptionMessage"]
    assert tm.database.run(lambda tx: queue_rows.waiting_among(tx, [empty])) == set()


def test_odd_fields_of_recurring_jobs_hold_up_no_other(tm: TaskManager, hands: Any) -> None:
    for name in ("odd", "good"):
        tm.recurring(name, greet, args=(name,), cron="0 * * * *")
    odd = {"Misfire": "²", "LastJobId": "²", "Priority": "²", "NextExecution": "²", "LastExecution": "9" * 24}
    tm.database.run(lambda tx: structures.set_fields(tx, recurring_rows.HASH + "odd", odd))
    tm.database.clock.shift(timedelta(hours=1))
    worker = hands()
    worker.recurring.tick()
    assert worker.work() == 2
    assert [r.error for r in tm.recurring_list()] == [None, None]


def test_odd_rows_of_another_programs_servers_are_listed(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = {"a": "7", "b": '"default"', "c": "null", "d": '[1, null, "mail"]', "e": '{"a": 1}'}
    table = tm.database.tables.server
    with tm.database.engine.begin() as connection:
        for name, text in odd.items():
            values = {"Id": name, "Data": f'{{"Queues": {text}}}', "LastHeartbeat": tm.database.clock.now()}
            connection.execute(table.insert().values(**values))
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", tm.database.engine.url.render_as_string(hide_password=False))
    for command in (["servers"], ["queues", "list"], ["doctor"]):
        answer = CliRunner().invoke(main, [*command, "--json"])
        assert isinstance(json.loads(answer.stdout), list), answer.output
    found = {one.id: one.queues for one in tm.database.read(servers.all_servers)}
    assert found == {"a": (), "b": (), "c": (), "d": ("1", "None", "mail"), "e": ()}


def test_odd_outcomes_that_wait_for_rows_of_c_job_hold_up_no_row(
    tm: TaskManager, caplog: pytest.LogCaptureFixture
) -> None:
    assert tm.legacy_jobs is not None
    odd = {"²": "{broken", "x": "[]", "7": "5", "8": '{"id": "x", "ran_at": "now"}', "9": "[" * 5000}
    for key in (legacy.OWED, legacy.WAITING):
        tm.database.run(lambda tx, k=key: structures.set_fields(tx, k, odd))  # type: ignore[misc]
    table = tm.database.tables.legacy.job
    with tm.database.engine.begin() as connection:
        values = {"JobName": "report", "CronExpression": "0 2 * * *", "StoredProcName": "SP_Report", "IsActive": True}
        connection.execute(table.insert().values(**values))
    tm.legacy_jobs.fire_due()
    with tm.database.engine.connect() as connection:
        assert connection.execute(table.select()).one()._mapping["NextRun"] is not None
    assert "hash c_job:outcomes: field 'x' cannot be read and is dropped" in caplog.text
    assert tm.database.read(lambda tx: structures.fields(tx, legacy.OWED)) == {}

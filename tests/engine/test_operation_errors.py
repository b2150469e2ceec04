"""A bulk operation in which something fails again and again: it is tried, counted with the reason, and passed by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from taskmanager import TaskManager
from taskmanager.domain.errors import InvalidArgument, StorageError
from taskmanager.engine import operations
from taskmanager.engine.client import new_key
from taskmanager.engine.recurring_operations import Wish
from taskmanager.engine.transitions import Change
from tests.engine.test_operations import ANN, failing, start, states, to_the_end
from tests.webui.conftest import USERS, Browser
from webui import create_app


def refusing(tm: TaskManager, patched: pytest.MonkeyPatch, bad: Sequence[int]) -> list[int]:
    """No change of these jobs goes through; how many each try meant to change."""
    real, tries = tm.transitions.apply, list[int]()

    def apply(tx: Any, changes: Sequence[Change], *args: Any, **more: Any) -> Any:
        tries.append(len(changes))
        answers = real(tx, changes, *args, **more)
        wrong = [one.job_id for one in changes if one.job_id in bad]
        if wrong:
            raise RuntimeError(f"a filter refuses {wrong[0]}")
        return answers

    patched.setattr(tm.transitions, "apply", apply)
    return tries


def test_what_fails_by_itself_is_counted_and_the_operation_goes_on(
    tm: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    tm.operations.part = 4
    ids = failing(tm, 12)
    job_id = start(tm)
    bad = [ids[5], ids[10]]
    tries = refusing(tm, monkeypatch, bad)
    now = to_the_end(tm, job_id)
    assert (now.changed, now.skipped, now.errors, now.share) == (10, 0, 2, 1.0)
    assert now.failed == [[one, f"RuntimeError: a filter refuses {one}"] for one in reversed(bad)]
    assert (states(tm, bad), states(tm, [i for i in ids if i not in bad])) == ({"Failed"}, {"Enqueued"})
    assert tries == [4] * 4 + [1] * 4 + [4] * 4 + [1] * 4 + [4], "tried three times more, then one by one"
    assert operations.result(now)["errors"] == 2


def test_it_goes_on_being_careful_where_it_was(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = failing(tm, 5)
    job_id = start(tm, "delete")
    with monkeypatch.context() as patched:
        refusing(tm, patched, [ids[3]])
        for _ in range(6):
            tm.operations.step(job_id)
    found = tm.database.read(lambda tx: operations.load(tx, job_id))
    assert found is not None
    assert (found.changed, found.errors, found.is_careful) == (1, 1, True)
    now = to_the_end(tm, job_id)
    assert (now.changed, now.errors) == (4, 1)


def test_a_database_that_is_away_is_no_error_of_the_jobs(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(tm, 3)
    job_id = start(tm)

    def away(*args: Any, **more: Any) -> Any:
        raise StorageError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(tm.transitions, "apply", away)
        with pytest.raises(StorageError):
            tm.operations.step(job_id)
    now = to_the_end(tm, job_id)
    assert (now.changed, now.errors) == (3, 0)


def test_a_part_of_recurring_jobs_that_fails_is_counted_too(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"job-{n:02}" for n in range(53)]
    for name in names:
        tm.recurring(name, len, args=("x",), cron="0 2 * * *")
    job_id = tm.operations.start_recurring(Wish(action="pause"), names, state="", text="", actor=ANN, key=new_key())
    real = tm.recurring_jobs.pause_in

    def pause_in(tx: Any, recurring_id: str, *args: Any) -> Any:
        if recurring_id == "job-07":
            raise RuntimeError("no")
        return real(tx, recurring_id, *args)

    monkeypatch.setattr(tm.recurring_jobs, "pause_in", pause_in)
    now = to_the_end(tm, job_id)
    assert (now.changed, now.errors, now.below) == (3, 50, None)
    assert now.failed[0] == ["job-00", "RuntimeError: no"]


def test_a_part_that_failed_when_another_worker_had_ended_the_operation_changes_nothing(tm: TaskManager) -> None:
    failing(tm, 3)
    job_id = start(tm)
    now = to_the_end(tm, job_id)
    for _ in range(operations.TRIES + 2):
        late = tm.database.run(lambda tx: tm.operations._step_failed(tx, job_id, "too late"))
        assert late == now
    assert tm.database.read(lambda tx: operations.load(tx, job_id)) == now


def test_an_action_of_a_newer_release_changes_nothing(tm: TaskManager) -> None:
    ids = failing(tm, 2)
    job_id = start(tm, "delete")
    with tm.database.engine.begin() as connection:
        c = tm.database.tables.parameter.c
        mine = (c.JobId == job_id, c.Name == operations.STATE)
        text = connection.execute(select(c.Value).where(*mine)).scalar_one()
        newer = text.replace('"action": "delete"', '"action": "archive"')
        connection.execute(tm.database.tables.parameter.update().where(*mine).values(Value=newer))
    for _ in range(operations.TRIES + 2):
        with pytest.raises(InvalidArgument, match="'archive'"):
            tm.operations.step(job_id)
    assert states(tm, ids) == {"Failed"}


@pytest.mark.one_server
def test_page_and_api_tell_the_errors(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = failing(tm, 2)
    job_id = start(tm)
    refusing(tm, monkeypatch, [ids[0]])
    ann = Browser(create_app(tm, users=USERS))
    tm.operations.step(job_id)
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert "The last part failed" in page
    assert "It is tried again." in page
    to_the_end(tm, job_id)
    page = ann.get(f"/hangfire/operations/{job_id}").text
    assert f"a filter refuses {ids[0]}" in page
    assert "1 error" in ann.get("/hangfire/operations").text
    assert ann.get(f"/api/v1/operations/{job_id}").json["errors"] == 1

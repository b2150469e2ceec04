"""What a caller gives beside a job's arguments: what cannot be is refused with the value in the text, at the call."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

import taskmanager
from taskmanager import (
    ArgumentError,
    InvalidArgument,
    InvalidCron,
    Retry,
    StorageError,
    TaskManager,
    TaskManagerError,
    WaitTimeout,
)

EAST, WEST = timezone(timedelta(hours=5)), timezone(timedelta(hours=-5))


def add(a: int, b: int = 1) -> int:
    return a + b


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"delay": 1e300}, "delay=1e+300: it is at most 365000 days"),
        ({"delay": math.nan}, "delay=nan: it is at most"),
        ({"delay": math.inf}, "delay=inf: it is at most"),
        ({"delay": timedelta.max}, "it is at most 365000 days"),
        ({"delay": "60"}, "delay is a number of seconds or a timedelta, not '60'"),
        ({"delay": True}, "delay is a number of seconds or a timedelta, not True"),
        ({"at": "2030-01-01"}, "at is a datetime, not '2030-01-01'"),
        ({"at": date(2030, 1, 1)}, "at is a datetime, not datetime.date"),
        ({"at": datetime.min.replace(tzinfo=EAST)}, "in UTC that is no year from 1 to 9999"),
        ({"at": datetime.max.replace(tzinfo=WEST)}, "in UTC that is no year from 1 to 9999"),
        ({"at": datetime(2030, 1, 1), "delay": 5}, "give either delay or at, not both"),
        ({"priority": 2**31}, "priority 2147483648 is not from -2147483648 to 2147483647"),
        ({"priority": "high"}, "priority is a whole number, smaller runs first; not 'high'"),
        ({"priority": 1.5}, "not 1.5"),
        ({"queue": ""}, "queue '': a queue name has"),
        ({"session": "a session"}, "session is a SQLAlchemy Session or Connection, not str"),
    ],
)  # fmt: skip
@pytest.mark.one_server
def test_an_option_that_cannot_be_is_refused_and_nothing_is_written(
    tm: TaskManager, given: dict[str, Any], words: str
) -> None:
    job = tm.job(add)
    for call in (lambda: job.options(**given).enqueue(1), lambda: tm.enqueue(add, 1, **given)):
        with pytest.raises(InvalidArgument, match=re.escape(words)):
            call()
    with pytest.raises(taskmanager.JobNotFound):
        tm.get(1)


def test_the_first_and_the_last_moment_and_priority_are_stored(tm: TaskManager) -> None:
    job = tm.job(add)
    for moment in (datetime.min, datetime.max):
        assert tm.get(job.schedule(1, at=moment)).state == "Scheduled"
    for priority in (-(2**31), 2**31 - 1):
        assert tm.get(job.options(priority=priority).enqueue(1)).priority == priority
    assert tm.get(job.schedule(1, delay=-5)).state == "Scheduled", "what is past is due"


@pytest.mark.one_server
def test_a_continuation_takes_no_moment(tm: TaskManager) -> None:
    job = tm.job(add)
    parent = job.enqueue(1)
    with pytest.raises(InvalidArgument, match="starts when its parent ends, and takes no 'delay'"):
        job.options(delay=60).continue_after(parent, 1)


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        (["ab"], {}, "row 1 of enqueue_many: a row is a tuple of positional or a dict of keyword arguments, not 'ab'"),
        ([(1,), 2], {}, "row 2 of enqueue_many: a row is a tuple"),
        ([(1,), (1, 2, 3)], {}, "row 2 of enqueue_many: add() takes 2 arguments, 3 were given"),
        ([(1,)], {"quue": "mail"}, "there is no option 'quue'; options are at, delay, priority, queue, session"),
        ([(1,)], {"batch": 0}, "batch is a whole number from 1, not 0"),
    ],
)  # fmt: skip
@pytest.mark.one_server
def test_a_row_of_many_that_does_not_fit_is_named_by_its_number(
    tm: TaskManager, rows: list[Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises((ArgumentError, InvalidArgument), match=re.escape(words)):
        tm.enqueue_many(tm.job(add), rows, **options)


@pytest.mark.parametrize("job_id", ["1", 1.0, True, None])
@pytest.mark.one_server
def test_what_is_no_id_of_a_job_is_refused_as_such(tm: TaskManager, job_id: Any) -> None:
    stored = tm.job(add).enqueue(1)
    calls: list[Callable[[], Any]] = [
        lambda: tm.get(job_id), lambda: tm.delete(job_id), lambda: tm.requeue(job_id), lambda: tm.wait(job_id, 0),
        lambda: tm.reschedule(job_id, delay=1), lambda: tm.job(add).continue_after(job_id, 1),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(InvalidArgument, match="a job's id is an int, not"):
            call()
    assert tm.get(stored).state == "Enqueued"


@pytest.mark.one_server
def test_wait_takes_seconds_or_a_timedelta(tm: TaskManager) -> None:
    job_id = tm.job(add).enqueue(1)
    with pytest.raises(WaitTimeout, match=r"still Enqueued after 0\.05 s"):
        tm.wait(job_id, timeout=timedelta(milliseconds=50))
    with pytest.raises(InvalidArgument, match="timeout is a number of seconds or a timedelta, not 'x'"):
        tm.wait(job_id, timeout="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cron": None}, "a cron expression is a text such as '0 2 * * *', not None"),
        ({"time_zone": 3}, "a time zone is an IANA name such as 'Europe/Prague', not 3"),
        ({"args": "ab"}, "args is a tuple and kwargs a dict of arguments"),
        ({"kwargs": [1]}, "args is a tuple and kwargs a dict of arguments"),
        ({"recurring_id": 5}, "a recurring job's id is a text, not 5"),
    ],
)  # fmt: skip
@pytest.mark.one_server
def test_a_recurring_job_that_cannot_be_is_refused(tm: TaskManager, given: dict[str, Any], words: str) -> None:
    whole: dict[str, Any] = {"recurring_id": "r", "target": tm.job(add), "cron": "@daily", "args": (1,)} | given
    with pytest.raises((InvalidCron, InvalidArgument, ArgumentError), match=re.escape(words)):
        tm.recurring(**whole)


@pytest.mark.one_server
def test_only_what_a_worker_can_find_by_name_is_enqueued(tm: TaskManager) -> None:
    for target in (None, 5, "x".upper):
        with pytest.raises(InvalidArgument, match="what is enqueued is a function, a job class or a name, not"):
            tm.enqueue(target)
    with pytest.raises(InvalidArgument, match="is bound to an object, which cannot be stored"):
        tm.enqueue(Path("x").exists)
    with pytest.raises(taskmanager.UnknownJob, match="no job is named 'nosuch'"):
        tm.enqueue("nosuch")


def test_a_session_of_another_product_is_refused(tm: TaskManager, engine_name: str) -> None:
    if engine_name == "sqlite":
        other = create_engine("sqlite://")
        with other.connect() as connection, pytest.raises(StorageError, match="no such table"):
            tm.job(add).options(session=connection).enqueue(1)
        return
    refused = pytest.raises(InvalidArgument, match="session is of another database, on sqlite: the tables of taskman")
    with create_engine("sqlite://").connect() as connection, refused:
        tm.job(add).options(session=connection).enqueue(1)


@pytest.mark.parametrize("delay", ["x", math.nan, 1e300])
def test_a_retry_after_an_impossible_pause_is_refused_where_it_is_raised(delay: Any) -> None:
    with pytest.raises(InvalidArgument, match="the delay of Retry"):
        Retry(delay=delay)


def test_every_error_that_the_guide_names_can_be_imported_from_the_package() -> None:
    pages = (Path(__file__).parent.parent.parent / "docs" / "guide").glob("*.md")
    named = {name for page in pages for name in re.findall(r"`(?:\w+\.)*([A-Z]\w+)\b", page.read_text("utf-8"))}
    errors = {e.__name__ for e in _all(TaskManagerError)}
    assert sorted(named & errors - set(taskmanager.__all__)) == []


def _all(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*(_all(sub) for sub in kind.__subclasses__()))

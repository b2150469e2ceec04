"""Options of a job, checked where they are written, and honoured wherever the job comes from."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmanager import ArgumentError, ConfigurationError, Filter, Job, JobContext, Retry, TaskManager, job
from taskmanager.domain.errors import CreationCancelled
from tests.conftest import history


def work(name: str = "x") -> str:
    return name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"retrys": 3}, "no option 'retrys'; options are "),
        ({"retries": -1}, "a whole number from 0"),
        ({"delays": ["soon"]}, "a list of seconds or timedeltas"),
        ({"retry_on": ["OSError"]}, "an exception class"),
        ({"timeout": 0}, "more than 0"),
        ({"misfire": "sometimes"}, "relaxed, strict or ignorable"),
        ({"job_type": "Weekly"}, "Recurring, FireAndForget"),
        ({"priority": "high"}, "smaller runs first"),
    ],
)
def test_a_wrong_option_is_refused_where_it_is_written(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        job(**options)


@pytest.mark.one_server
def test_exception_lists_may_be_lists_and_spans_timedeltas(tm: TaskManager, hands: Any) -> None:
    def fails() -> None:
        raise OSError("disk")

    def again(ctx: JobContext) -> int:
        if ctx.attempt < 2:
            raise Retry(delay=timedelta(seconds=0))
        return ctx.attempt

    options = {"retries": 1, "delays": [timedelta(0)], "timeout": timedelta(minutes=1)}
    first = tm.job(retry_on=[OSError], **options)(fails).enqueue()
    second = tm.job(give_up_on=[OSError], **options)(fails)
    third = tm.job(**options)(again).enqueue()
    worker = hands()
    worker.work()
    worker.work()
    assert history(tm, first)[-3:] == ["Enqueued", "Processing", "Failed"]
    assert tm.get(third).result == 2
    given_up = second.enqueue()
    worker.work()
    assert history(tm, given_up) == ["Enqueued", "Processing", "Failed"]


@pytest.mark.one_server
def test_the_number_of_retries_nobody_named_is_that_of_the_settings(tm: TaskManager) -> None:
    five = TaskManager(tm.settings, database=tm.database, default_retries=5)
    assert five.registry.add(job(work).definition).retry.attempts == 5
    assert five.registry.add(job(delays=[1] * 7)(work).definition).retry.attempts == 7
    assert five.registry.add(job(retries=1)(work).definition).retry.attempts == 1


@pytest.mark.one_server
def test_a_recurring_run_has_the_priority_of_its_job(tm: TaskManager, hands: Any) -> None:
    urgent = tm.job(priority=-5)(work)
    tm.recurring("urgent", urgent, cron="0 * * * *")
    assert tm.get(tm.trigger("urgent")).priority == -5
    (claim,) = hands().claim()
    assert claim.priority == -5


class Refusing(Filter):
    def creating(self, context: Any) -> None:
        context.cancelled = True


@pytest.mark.one_server
def test_a_creation_that_a_filter_refuses_is_told_and_costs_a_schedule_only_that_slot(
    tm: TaskManager, hands: Any
) -> None:
    tm.recurring("r", work, cron="0 * * * *")
    tm.add_filter(Refusing())
    with pytest.raises(CreationCancelled, match="work"):
        tm.enqueue(work)
    assert tm.enqueue_many(work, [("a",)]) == []
    tm.database.clock.shift(timedelta(hours=1))
    hands().recurring.tick()
    record = tm.recurring_list()[0]
    assert (record.error, record.last_job_id) == (None, None)
    assert record.next_execution is not None
    assert record.next_execution > tm.database.clock.now()


@pytest.mark.one_server
def test_a_job_class_can_wait_for_another_job(tm: TaskManager, hands: Any) -> None:
    @tm.job
    class After(Job):
        def execute(self, ctx: JobContext) -> Any:
            return ctx.antecedent_result

    child = After.continue_after(tm.enqueue(work, "first"))
    worker = hands()
    worker.work()
    worker.work()
    assert tm.get(child).result == "first"


@pytest.mark.one_server
def test_a_job_class_is_scheduled_with_arguments_and_a_moment(tm: TaskManager, hands: Any) -> None:
    @tm.job
    class Later(Job):
        def execute(self, ctx: JobContext, word: str, *, times: int = 1) -> str:
            return word * times

    job_id = Later.schedule("x", times=2, delay=60)
    assert tm.get(job_id).state == "Scheduled"
    with pytest.raises(ArgumentError, match="takes either delay or at"):
        Later.schedule("x")
    tm.testing.move_time(61)
    tm.testing.drain()
    assert tm.get(job_id).result == "xx"


@pytest.mark.one_server
def test_the_kept_stack_begins_in_the_job_itself(tm: TaskManager, hands: Any) -> None:
    def fails() -> None:
        raise ValueError("here")

    job_id = tm.job(retries=0)(fails).enqueue()
    hands().work()
    current = tm.get(job_id).current
    assert current is not None
    lines = current.data["ExceptionDetails"].splitlines()
    assert lines[0].startswith("Traceback")
    assert "in fails" in lines[1]


def test_a_job_row_of_plain_sql_without_a_state_runs(tm: TaskManager, hands: Any) -> None:
    job_id = tm.enqueue(work, "x")
    table = tm.database.tables.job
    with tm.database.engine.begin() as connection:
        connection.execute(table.update().where(table.c.Id == job_id).values(StateName=None, StateId=None))
    hands().work()
    assert tm.get(job_id).result == "x"


PACKAGE = """
from taskmanager import job

@job("0 2 * * *", display_name="Report")
def good() -> None: ...

@job("nonsense")
def bad_cron() -> None: ...

@job("0 3 * * *")
def wants_arguments(who: str) -> None: ...

@job("0 4 * * *", display_name="Report")
def same_name() -> None: ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "__init__.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "schedules"
    sys.modules.pop("schedules", None)


@pytest.mark.one_server
def test_a_wrong_schedule_in_code_is_reported_by_name_and_stops_nothing(
    tm: TaskManager, package: str, caplog: pytest.LogCaptureFixture
) -> None:
    tm = TaskManager(tm.settings, database=tm.database, discover=package)
    tm.discover()
    with caplog.at_level(logging.ERROR):
        tm.register_recurring()
    assert [r.id for r in tm.recurring_list()] == ["Report", "schedules:same_name"]
    assert set(tm.discovered.problems) == {"schedules:bad_cron", "schedules:wants_arguments"}
    assert "nonsense" in tm.discovered.problems["schedules:bad_cron"]
    assert "two jobs with a cron are named 'Report'" in caplog.text


@pytest.mark.one_server
def test_a_definition_that_left_the_code_is_reported_and_those_of_other_services_are_not(
    tm: TaskManager, package: str
) -> None:
    tm.recurring("of another service", work, cron="0 * * * *", from_code=True)
    ours = TaskManager(tm.settings, database=tm.database, discover=package)
    ours.discover()
    ours.register_recurring()
    before = TaskManager(tm.settings, database=tm.database, discover=package)  # as the code was
    before.recurring("left", sys.modules[package].same_name.definition, cron="0 4 * * *", from_code=True)
    ours.register_recurring()
    assert {r.id: r.orphaned for r in tm.recurring_list()} == {
        "Report": False, "schedules:same_name": False, "left": True, "of another service": False,
    }  # fmt: skip


@pytest.mark.one_server
def test_random_moments_are_no_schedule(tm: TaskManager) -> None:
    with pytest.raises(ValueError, match="R, a random moment"):
        tm.recurring("r", work, cron="R * * * *")

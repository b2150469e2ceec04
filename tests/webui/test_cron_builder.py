"""Common schedules are built in the forms of recurring jobs, without scripts, and nothing is saved by it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain import cron as crons
from tests.walks.test_legacy import insert
from tests.webui.conftest import Browser
from tests.webui.test_recurring_list import clean
from webui import cron_builder
from webui.cron_builder import NotBuilt

BUILT: list[tuple[dict[str, str], str]] = [
    ({"every": "minutes", "every-minutes": "5"}, "*/5 * * * *"),
    ({"every": "minutes", "every-minutes": "1"}, "* * * * *"),
    ({"every": "hourly", "every-minute": "40"}, "40 * * * *"),
    ({"every": "hourly", "every-minute": "00015"}, "15 * * * *"),
    ({"every": "daily", "every-day-at": "02:05"}, "5 2 * * *"),
    ({"every": "weekdays", "every-workday-at": "9:30"}, "30 9 * * 1-5"),
    ({"every": "weekly", "every-weekday": "0", "every-week-at": "23:59"}, "59 23 * * 0"),
    ({"every": "monthly", "every-day": "15", "every-month-at": "06:00"}, "0 6 15 * *"),
    ({"every": "monthly", "every-day": "L", "every-month-at": "06:00:00"}, "0 6 L * *"),
]


@pytest.mark.parametrize(("given", "cron"), BUILT, ids=[cron for _, cron in BUILT])
def test_the_fields_come_to_a_cron_and_a_cron_to_the_fields(given: dict[str, str], cron: str) -> None:
    assert cron_builder.build(given) == cron
    crons.parse(cron)
    assert cron_builder.build(cron_builder.shown(cron, {})) == cron


def test_other_crons_leave_the_fields_as_usual() -> None:
    for cron in ("", "0 2 1 1 *", "*/7 1 * * *", "@daily", "0 0 31 2 *"):
        assert cron_builder.shown(cron, {})["every"] == "minutes"


@pytest.mark.parametrize("cron", ["*/7 * * * *", "*/0 * * * *", "*/59 * * * *"])
def test_steps_that_the_form_has_not_are_not_shown_as_another(cron: str) -> None:
    assert int(cron_builder.shown(cron, {})["every-minutes"]) in cron_builder.STEPS


@pytest.mark.parametrize(
    "given",
    [{"every": "yearly"}, {"every": "minutes", "every-minutes": "7"}, {"every": "hourly", "every-minute": "60"},
     {"every": "daily", "every-day-at": "24:00"}, {"every": "weekly", "every-weekday": "7"},
     {"every": "monthly", "every-day": "32"}, {"every": "hourly", "every-minute": "²"},
     {"every": "hourly", "every-minute": "9" * 5000}],
)  # fmt: skip
def test_what_no_schedule_has_is_refused(sam: Browser, given: dict[str, str]) -> None:
    with sam.app.test_request_context(), pytest.raises(NotBuilt):
        cron_builder.build(given)


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_a_press_fills_in_the_cron_and_saves_nothing(embedded: TaskManager, sam: Browser) -> None:
    embedded.job(clean)
    embedded.recurring("one", clean, cron="0 2 * * *")
    form = {
        "version": value(sam.get("/hangfire/recurring/one/edit").text, "version"), "time_zone": "Europe/Prague",
        "queue": "reports", "preview": "build", "every": "weekdays", "every-workday-at": "07:15",
    }  # fmt: skip
    answer = sam.post("/hangfire/recurring/one/edit", form)
    assert (answer.status_code, value(answer.text, "cron")) == (200, "15 7 * * 1-5")
    assert (value(answer.text, "time_zone"), value(answer.text, "queue")) == ("Europe/Prague", "reports")
    assert "Next runs" in answer.text
    assert embedded.recurring_jobs.get("one").cron == "0 2 * * *"
    wrong = sam.post("/hangfire/recurring/one/edit", form | {"every-workday-at": "late"})
    assert (wrong.status_code, value(wrong.text, "cron")) == (422, "0 2 * * *")
    assert "late is no time of day" in wrong.text
    assert sam.get("/hangfire/audit?kind=recurring&outcome=done").text.count("<tr id=") == 0


def test_a_new_job_and_a_row_of_c_job_have_it_too(tm: TaskManager, ann: Browser) -> None:
    definition: Any = tm.job(clean)
    name = definition.definition.name if hasattr(definition, "definition") else "tests.webui.test_recurring_list:clean"
    form = {"type": name, "preview": "build", "every": "monthly", "every-day": "L", "every-month-at": "00:30"}
    made = ann.post("/hangfire/recurring/new", form)
    assert (made.status_code, value(made.text, "cron")) == (200, "30 0 L * *")
    assert "Nothing was saved" not in made.text
    insert(tm, "30 1 * * *", "SP_Report")
    one = tm.recurring_jobs.rows()[0].id
    page = ann.get(f"/hangfire/recurring/{one}/edit").text
    assert 'value="daily" id="every-daily-kind" checked' in page
    form = {"version": value(page, "version"), "preview": "build", "every": "minutes", "every-minutes": "20"}
    assert value(ann.post(f"/hangfire/recurring/{one}/edit", form).text, "CronExpression") == "*/20 * * * *"
    assert tm.recurring_jobs.rows()[0].cron == "30 1 * * *"

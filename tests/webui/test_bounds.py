"""Days and numbers that no database holds, in an address or a form: an answer as any other, and no error."""

from __future__ import annotations

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import Browser

HUGE = 10**30


@pytest.mark.parametrize(
    "path",
    [
        "history?from=0001-01-01T00:00%2B05:00", "history?to=9999-12-31T23:00-05:00", "history?to=9999-12-31",
        "history/jobs?from=0001-01-01T00:00%2B05:00", "history/statistics?to=9999-12-31T23:00-05:00",
        "audit?to=9999-12-31", "jobs?date=9999-12-31", "jobs?q=created:9999-12-31", "jobs/failed?q=failed:9999-12-31",
    ],
)  # fmt: skip
def test_a_day_at_the_end_of_the_calendar_is_answered(sam: Browser, path: str) -> None:
    assert sam.get(f"/hangfire/{path}").status_code == 200


def test_a_moment_that_is_none_in_utc_is_told_as_wrong(sam: Browser) -> None:
    assert "A day is written as 2026-11-01." in sam.get("/hangfire/history?from=0001-01-01T00:00%2B05:00").text


@pytest.mark.each_engine
def test_a_log_is_read_behind_a_place_that_a_row_may_have(tm: TaskManager, ann: Browser) -> None:
    job = tm.enqueue(len, "a")
    for after in (HUGE, -HUGE, "x"):
        for form in ("", "&form=text"):
            answer = ann.get(f"/hangfire/jobs/details/{job}/log?after={after}{form}")
            assert answer.status_code == 200, (after, form)
    assert ann.get(f"/hangfire/jobs/details/{job}/log?after={HUGE}").json["after"] == 0
    for form in ("", "?form=text"):
        assert ann.get(f"/hangfire/jobs/details/{HUGE}/log{form}").status_code == 404


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5000, "2147483648", "²"])
def test_more_messages_than_a_column_holds_are_refused(sam: Browser, number: str) -> None:
    rules = (
        ("alerts/conditions", {"title": "a", "kind": "latency"}, "max_per_hour"),
        ("alerts/rules", {"name": "a", "on_failure": "1"}, "max_per_hour"),
        ("alerts/rules", {"name": "a", "on_failure": "1"}, "longer_than_ms"),
    )
    for path, form, field in rules:
        answer = sam.post(f"/hangfire/{path}", {**form, field: number})
        assert (answer.status_code, f"{field} is a whole number" in answer.text) == (422, True), (path, field)

"""Jobs that failed and will be tried again: their order, what is known of them, put off, given up."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.server.failure_keeper import FailureKeeper
from taskmanager.storage import monitoring_sets, retry_rows, structures
from tests.webui.apiclient import Program
from tests.webui.conftest import Browser
from webui.views import retries as views


def soon(name: str) -> None:
    raise ValueError(f"{name} is not there")


def late(name: str) -> None:
    raise OSError("the feed is away")


@pytest.fixture
def three(tm: TaskManager, hands: Callable[..., Any]) -> list[int]:
    """The first is tried again in an hour, the second in a minute, as is the third, which has failed twice."""
    tm.job(retries=5, delays=[60, 120, 600])(soon)
    tm.job(retries=3, delays=[3600])(late)
    ids = [tm.enqueue(late, "a"), tm.enqueue(soon, "b"), tm.enqueue(soon, "c")]
    worker = hands()
    while worker.work():
        pass
    tm.requeue(ids[2])
    while worker.work():
        pass
    return ids


def shown(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'name="jobs\[\]" value="(\d+)" aria', page)]


@pytest.mark.each_engine
def test_those_that_come_next_are_first_or_those_that_failed_most_often(three: list[int], ann: Browser) -> None:
    first, second, third = three
    page = ann.get("/hangfire/retries").text
    assert shown(page) == [second, third, first]
    assert "Failed first" in page
    assert page.count("later tries") == 3
    assert "then after about 2 m" in page
    assert shown(ann.get("/hangfire/retries?sort=attempt").text)[0] == third
    assert shown(ann.get("/hangfire/retries?from=1&count=20").text) == [third, first]


@pytest.mark.each_engine
def test_they_are_found_by_a_text(three: list[int], ann: Browser) -> None:
    assert shown(ann.get("/hangfire/retries?q=FEED").text) == [three[0]]
    assert shown(ann.get(f"/hangfire/retries?q=%23{three[1]}").text) == [three[1]]
    page = ann.get("/hangfire/retries?q=nobody").text
    assert "No retry matches" in page
    assert "all is well" not in page


@pytest.mark.each_engine
def test_a_try_that_is_put_off_stays_a_retry_with_its_reason(tm: TaskManager, three: list[int], ann: Browser) -> None:
    other = tm.enqueue_definition(tm.definition(late), ("d",), {}, {"delay": 18_000})
    sent = {"jobs[]": [three[1], other], "minutes": "180", "back": "/hangfire/retries"}
    assert ann.post("/hangfire/retries/postpone", sent, Accept="text/html").status_code == 303
    page = ann.get("/hangfire/retries").text
    assert "1 try was put off." in page
    assert "1 job was left" in page
    assert shown(page) == [three[2], three[0], three[1]]
    job = tm.get(three[1])
    assert job.state == "Scheduled"
    assert (job.history[-1].reason or "").startswith("Retry attempt 1 of 5")
    for minutes in ("", "x", "0", "999999"):
        assert ann.post("/hangfire/retries/postpone", {"jobs[]": three[1], "minutes": minutes}).status_code == 422
    program = Program(tm)
    told = program.post("/api/v1/retries/postpone", {"ids": [three[0], other], "seconds": 5}, 200)
    assert (told["changed"], list(told["refused"])) == (1, [str(other)])
    assert shown(ann.get("/hangfire/retries").text)[0] == three[0]
    assert program.refused("POST", "/api/v1/retries/postpone", {"ids": [1], "seconds": 0})[2] == ["seconds"]


def test_what_is_given_up_is_failed_with_what_it_last_said(tm: TaskManager, three: list[int], ann: Browser) -> None:
    waiting = tm.enqueue_definition(tm.definition(late), ("d",), {}, {"delay": 18_000})
    assert ann.post("/hangfire/retries/give-up", {"jobs[]": [three[1], waiting]}).status_code == 204
    job = tm.get(three[1])
    assert (job.state, job.history[-1].reason) == ("Failed", "Given up by ann")
    assert job.history[-1].data["ExceptionMessage"] == "b is not there"
    assert "soon" in job.history[-1].data["ExceptionDetails"]
    assert tm.get(waiting).state == "Scheduled"
    assert Program(tm).post("/api/v1/retries/give-up", {"ids": [three[0]]}, 200) == {"changed": 1, "refused": {}}
    found = tm.database.read(lambda tx: monitoring_sets.page(tx, "retries", limit=9))
    assert [row.id for row in found.rows] == [three[2]]


def test_who_may_only_look_puts_nothing_off(three: list[int], eve: Browser) -> None:
    assert "Postpone" not in eve.get("/hangfire/retries").text
    for path in ("postpone", "give-up"):
        sent = {"jobs[]": three[0], "minutes": "1"}
        assert eve.post(f"/hangfire/retries/{path}", sent).status_code == 403


def wordy(name: str) -> None:
    raise KeyError("the parcel with the number that stands on the label is not in any of the depots of " + name)


def test_the_last_error_is_told_with_its_class_and_whole_and_is_found_by_its_end(
    tm: TaskManager, hands: Callable[..., Any], ann: Browser
) -> None:
    tm.job(retries=3, delays=[60])(wordy)
    job_id = tm.enqueue(wordy, "Brno")
    hands().work()
    page = ann.get("/hangfire/retries").text
    assert "<b>KeyError</b>" in page
    assert "of the depots of Brno" in page
    assert shown(ann.get("/hangfire/retries?q=depots of brno").text) == [job_id]
    (told,) = Program(tm).get("/api/v1/retries?q=depots")["items"]
    assert (told["id"], told["error"], "depots of Brno" in told["message"]) == (job_id, "KeyError", True)


@pytest.mark.each_engine
def test_a_text_and_the_order_by_attempts_go_on_beyond_those_that_come_next(
    three: list[int], ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "SEARCHED", 2)
    first, second, third = three
    page = ann.get("/hangfire/retries?q=feed").text
    assert (shown(page), "more wait behind them" in page) == ([], True)
    assert shown(ann.get(further(page)).text) == [first]
    page = ann.get("/hangfire/retries?sort=attempt").text
    assert shown(page) == [third, second]
    assert shown(ann.get(further(page)).text) == [first]
    monkeypatch.setattr(views, "size", lambda: 1)
    seen, page = list[int](), ann.get("/hangfire/retries?sort=attempt").text
    for _ in range(3):
        seen += shown(page)
        page = ann.get(further(page)).text if 'rel="next"' in page else ""
    assert (seen, page) == ([third, second, first], "")
    page = ann.get("/hangfire/retries?q=is+not+there").text
    assert shown(page) == [second]
    assert shown(ann.get(further(page)).text) == [third]


def further(page: str) -> str:
    found = re.search(r'rel="next" data-hotkey="]" href="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.each_engine
def test_retries_without_a_time_are_put_in_the_order_in_which_they_are_due(
    tm: TaskManager, three: list[int], ann: Browser
) -> None:
    first, second, third = three
    gone, sets = tm.enqueue(late, "d"), tm.database.tables.set
    tm.delete(gone)
    with tm.database.engine.begin() as connection:  # as .NET and older versions write them
        connection.execute(sets.update().where(sets.c.Key == "retries").values(Score=0))
        plain = (sets.c.Key == "schedule", sets.c.Value == f"default:{first}")
        connection.execute(sets.update().where(*plain).values(Value=str(first)))
    tm.database.run(lambda tx: structures.put(tx, "retries", {str(gone): 0.0, "99999": 0.0}))
    keeper = FailureKeeper(tm.database)
    while keeper.tick() < 60:
        pass
    assert shown(ann.get("/hangfire/retries").text) == [second, third, first]
    left = tm.database.read(lambda tx: structures.due(tx, "retries", 1.0, 9))
    assert left == []
    assert tm.database.run(lambda tx: retry_rows.date(tx, "retries", "schedule", 9)) == 0

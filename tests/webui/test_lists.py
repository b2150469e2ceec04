"""Lists of jobs: where one is in them, the way to a date, to the end, and to all that match."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from taskmanager import TaskManager
from taskmanager.storage import monitoring_dates
from tests.webui.conftest import Browser


def make(tm: TaskManager) -> list[int]:
    """Forty-five deleted jobs, one created each day up to the 14th of November; fifteen between them are gone."""
    ids = tm.enqueue_many(len, [("x",)] * 60)
    tm.client.delete(ids)
    job = tm.database.tables.job
    kept = ids[:10] + ids[25:]
    with tm.database.engine.begin() as connection:
        connection.execute(job.delete().where(job.c.Id.in_(ids[10:25])))
        for number, one in enumerate(kept):
            connection.execute(job.update().where(job.c.Id == one).values(CreatedAt=noon(number)))
    return kept


def noon(number: int) -> datetime:
    """The middle of a day after the first of October."""
    return datetime(2026, 10, 1, 12) + timedelta(days=number)


def shown(page: str) -> list[int]:
    """The jobs of a page."""
    return [int(one) for one in re.findall(r'<tr id="job-(\d+)"', page)]


def link(page: str, text: str) -> str:
    """The address of the link that says so."""
    found = re.search(rf'href="([^"]+)">(?:<svg.*?</svg>)?{text}', page)
    assert found is not None, text
    return html.unescape(found[1])


def test_a_day_is_jumped_to_in_one_statement_whatever_ids_are_gone(
    tm: TaskManager, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    dated = make(tm)
    statements()
    answer = ann.get("/hangfire/jobs/deleted?count=20&date=2026-11-01")
    assert statements().count("place_of_date") == 1
    assert (answer.status_code, "count=20" in answer.headers["Location"]) == (302, True)
    assert shown(ann.get(answer.headers["Location"]).text)[0] == dated[31], "the one of the first of November"
    for number in (-100, 0, 9, 10, 30, 44, 1000):
        edge = tm.database.read(lambda tx, n=number: monitoring_dates.edge_at(tx, noon(n)))
        assert [one for one in dated if one < edge] == dated[: max(0, number)], number
    assert ann.get("/hangfire/jobs/deleted?date=nonsense").status_code == 200


def test_each_page_tells_where_it_is_and_the_way_to_the_end(embedded: TaskManager, sam: Browser) -> None:
    dated = make(embedded)
    page = sam.get("/hangfire/jobs/deleted").text
    assert "1–20 of 60" in page, "so many were deleted, and some of them have expired"
    second = sam.get(link(page, "Older")).text
    assert "21–40 of 60" in second
    assert "1–20 of" in sam.get(link(second, "Newer")).text
    oldest = sam.get(link(page, "Oldest")).text
    assert shown(oldest) == dated[:20][::-1]
    assert 'rel="next"' not in oldest, "it is the end"
    assert "21–40 of 60" in sam.get("/hangfire/jobs/deleted?from=20").text


def test_buttons_for_all_that_match_carry_their_number(embedded: TaskManager, sam: Browser) -> None:
    embedded.enqueue_many(len, [("x",)] * 25, delay=3600)
    page = sam.get("/hangfire/jobs/scheduled").text
    assert "Delete all 25…" in page
    assert "All 20 jobs on this page are chosen." in page

"""Lists of jobs: where one is in them, the way to a date, to the end, and to all that match."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_dates
from tests.webui.conftest import Browser
from tests.webui.sample import fill
from webui import exports, filtering


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


@pytest.mark.each_engine
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


def test_a_list_is_had_as_a_file_with_secrets_masked_and_no_formulas(embedded: TaskManager, sam: Browser) -> None:
    fill(embedded)
    evil = embedded.enqueue(len, "x")
    embedded.client.fail(evil, ValueError(), "=cmd|' /C calc'!A0")
    answer = sam.get("/hangfire/jobs/failed?export=csv&count=20")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jobs-failed.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 10
    assert rows[0] == rows[0] | {"id": str(evil), "state": "Failed", "message": "'=cmd|' /C calc'!A0"}
    assert rows[1]["job"] == "Send invoice"
    assert rows[1]["attempts"] == "2"
    assert "s3cr3t" not in answer.text
    found = sam.get("/hangfire/jobs/failed?export=json&q=error:smtp").json
    assert [row["id"] for row in found] == [int(row["id"]) for row in rows[1:]]
    assert sam.get("/hangfire/jobs/failed?export=json&q=error:nothing").json == []
    assert sam.get("/hangfire/jobs/failed?export=csv&q=nokey:x").status_code == 422
    refused = Browser(sam.app, "eve").get("/hangfire/jobs/failed?export=csv")
    assert (refused.status_code, "history.export" in refused.text) == (403, True)


def test_a_file_is_read_page_by_page_up_to_its_bound(
    embedded: TaskManager, sam: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = embedded.enqueue_many(len, [("x",)] * 25, delay=60)
    monkeypatch.setattr(exports, "_BATCH", 10)
    assert [row["id"] for row in sam.get("/hangfire/jobs/scheduled?export=json").json] == ids[::-1]
    monkeypatch.setattr(exports, "MOST", 15)
    assert len(sam.get("/hangfire/jobs/scheduled?export=json").json) == 15


@pytest.mark.parametrize(
    ("form", "typed"),
    [
        ("f_type=send_invoice&f_queue=mail", "type:send_invoice queue:mail"),
        ("q=error:smtp&f_error=timed+out&f_type=", 'error:smtp error:"timed out"'),
        ("f_error=a%22b%5Cc", r'error:"a\"b\\c"'),
        ("f_from=2026-11-01&f_to=2026-11-03", "created:2026-11-01..2026-11-03"),
        ("f_from=2026-11-01&f_to=", "created:>2026-11-01"),
        ("f_to=2026-11-03", "created:<2026-11-03"),
    ],
)
def test_a_form_becomes_a_filter_that_stands_in_the_address(sam: Browser, form: str, typed: str) -> None:
    address = sam.get(f"/hangfire/jobs/failed?count=50&{form}").headers["Location"]
    query = parse_qs(urlsplit(address).query)
    assert query == {"count": ["50"], "q": [typed]}
    assert 'id="filter-error"' not in sam.get(address).text


@pytest.mark.parametrize(
    ("given", "since"),
    [
        ("2026-11-01", datetime(2026, 11, 1)),
        ("2026-11-01T10:00", datetime(2026, 11, 1, 10)),
        ("2026-11-01T10:00Z", datetime(2026, 11, 1, 10)),
        ("2026-11-01T10:00:00+05:00", datetime(2026, 11, 1, 5)),
        ("2026-11-01T22:30-03:30", datetime(2026, 11, 2, 2)),
    ],
)
def test_a_moment_of_a_filter_may_name_its_zone_and_is_utc_without(given: str, since: datetime) -> None:
    for key, kind in (("created", "since"), ("failed", "entered_since")):
        found = filtering.parse(f"{key}:>{given}", now=datetime(2026, 12, 1))
        assert [term.values for term in found.wanted.terms if term.kind == kind] == [(since,)]

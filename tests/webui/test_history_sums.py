"""The history by days, what its runs come to, job by job, two runs beside each other, and a search in their texts."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.storage import logged, monitoring_logged_searches, monitoring_logged_statistics, windows
from tests.webui.conftest import Browser
from tests.webui.sample import fill
from tests.webui.test_history import shown

pytestmark = pytest.mark.each_engine


def write(tm: TaskManager, runs: list[tuple[str, float, int | None, bool, str]]) -> None:
    """Runs: name, age in days, duration in milliseconds, result, message."""

    def work(tx: Any) -> None:
        for name, days, took, good, text in runs:
            row = dict.fromkeys(
                ("JobId", "CompletedAt", "StackTrace", "ServerName", "TriggeredBy", "MemoryUsedMB", "CpuTimeMs")
            )
            row |= {
                "ResultMessage" if good else "ErrorMessage": text,
                "ErrorMessage" if good else "ResultMessage": None,
            }
            at = tx.now() - timedelta(days=days)
            logged.add(
                tx,
                [
                    row
                    | {
                        "JobName": name,
                        "JobType": "Recurring",
                        "StartedAt": at,
                        "DurationMs": took,
                        "Success": int(good),
                    }
                ],
            )

    tm.database.run(work)


RUNS = [
    ("Alpha", 1.0, 100, True, "3 rows"), ("Alpha", 2.0, 300, False, "disk is full"), ("Beta", 3.0, None, True, "ok"),
    ("Alpha", 20.0, 500, True, "old"), ("Gone", 40.0, 900, False, "Disk again"),
]  # fmt: skip


@pytest.mark.one_engine
def test_seven_days_are_shown_and_all_others_are_a_link_away(tm: TaskManager, ann: Browser) -> None:
    write(tm, RUNS)
    page = ann.get("/hangfire/history")
    assert len(shown(page.text)) == 3
    ways = {one[1]: html.unescape(one[0]) for one in re.findall(r'href="([^"]+)"[^>]*>(30 days|All runs)<', page.text)}
    assert len(shown(ann.get(ways["30 days"]).text)) == 4
    assert len(shown(ann.get(ways["All runs"]).text)) == 5
    assert len(shown(ann.get("/hangfire/history?job=Gone&to=2100-01-01").text)) == 1, "days by name are no period"
    found = ann.get("/hangfire/history?job=Gone").text
    assert "No run matches" in found
    assert "Look at all runs, however old" in found


def test_what_a_filter_finds_is_summed_up(tm: TaskManager, ann: Browser) -> None:
    write(tm, RUNS)
    page = ann.get("/hangfire/history?result=ok&period=30").text
    assert "100.0 %" in page
    assert "mean 300 ms, from 100 ms to 500 ms" in page
    assert page.count('<rect class="s-succeeded"') == 3
    week = ann.get("/hangfire/history").text
    assert "66.7 %" in week
    assert "half within 100 ms, 95 % within 300 ms" in week


def test_more_than_are_counted_beside_the_list_are_counted_by_themselves(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_logged_statistics, "MEASURED", 2)
    write(tm, RUNS)
    page = ann.get("/hangfire/history?period=all").text
    assert "the newest 2" in page
    exact = re.search(r'href="(/hangfire/history/statistics[^"]*)"', page)
    assert exact is not None
    whole = ann.get(html.unescape(exact[1])).text
    assert "<dd>5</dd>" in whole
    assert "60.0 %" in whole
    monkeypatch.setattr(monitoring_logged_statistics, "MOST", 4)
    assert "the newest 4" in ann.get("/hangfire/history/statistics?period=all").text


def test_a_text_is_looked_for_in_names_errors_and_results_by_who_may_see_them(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tm, RUNS)
    page = ann.get("/hangfire/history?period=all&q=DISK").text
    assert len(shown(page)) == 2
    assert "<mark>disk</mark> is full" in page
    assert 'href="/hangfire/history/statistics?q=DISK&amp;period=all"' in page
    assert "0.0 %" in ann.get("/hangfire/history/statistics?q=DISK&period=all").text
    assert len(shown(ann.get("/hangfire/history?period=all&q=alph").text)) == 3
    assert len(shown(ann.get("/hangfire/history?period=all&q=rows").text)) == 1
    assert "disk is full" in ann.get("/hangfire/history?q=disk&export=csv").text
    assert [one["jobName"] for one in ann.get("/api/v1/history?q=disk").json["items"]] == ["Alpha", "Gone"]
    monkeypatch.setattr("webui.access.may", lambda action, resource="": action != "args.view")
    for path in ("/hangfire/history?q=disk", "/api/v1/history?q=disk", "/api/v1/history/statistics?q=disk"):
        assert ann.get(path).status_code == 403, path
    assert 'name="q"' in ann.get("/hangfire/history").text, "the search of everything"
    assert "Text of name" not in ann.get("/hangfire/history").text


def test_a_search_tells_how_far_it_looked_and_goes_on_from_there(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_logged_searches, "FIRST", 4)
    monkeypatch.setattr(windows, "clock", itertools.count().__next__)  # a second for each window: there is no other one
    write(tm, [("Alpha", 1 + n / 10, 100 + n, True, "even" if n % 2 else "odd") for n in range(10)])
    page = ann.get("/hangfire/history?q=even&period=all&count=20").text
    assert "2 match" in page
    assert "Searched the newest 4 runs." in page
    seen, on = shown(page), re.search(r'href="([^"]+)">Search older ones', page)
    while on is not None:
        page = ann.get(html.unescape(on[1])).text
        seen += shown(page)
        assert "match</span>" not in page, "what a page behind the first one searched is not all"
        on = re.search(r'href="([^"]+)">Search older ones', page)
    assert len(seen) == len(set(seen)) == 5
    assert len(ann.get("/hangfire/history?q=even&period=all&export=json").json) == 5
    found, place = list[int](), ""
    while place is not None:
        told = ann.get(f"/api/v1/history?q=even&after={place}").json
        found += [one["id"] for one in told["items"]]
        assert (told["searched"], told["searchedSince"] is None) in ((4, False), (None, True))
        place = told["next"]
    assert len(found) == len(set(found)) == 5


def test_what_runs_come_to_tells_of_how_many_it_is(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_logged_statistics, "FIRST", 4)
    monkeypatch.setattr(windows, "clock", itertools.count().__next__)
    write(tm, [("Alpha", 1 + n / 10, 100 + n, True, "even" if n % 2 else "odd") for n in range(70)])
    page = ann.get("/hangfire/history/statistics?period=all").text
    assert "<dd>the newest 4</dd>" in page
    assert "They go back to" in page
    page = ann.get("/hangfire/history/statistics?period=all&q=even").text
    assert "<dd>the newest 2</dd>" in page
    assert "Searched the newest 4 runs." in page
    told = ann.get("/api/v1/history/statistics").json
    assert (told["runs"], told["longestMs"], told["isCapped"], told["searched"]) == (4, 103, True, 4)
    monkeypatch.setattr(windows, "clock", lambda: 0.0)
    told = ann.get("/api/v1/history/statistics").json
    assert (told["runs"], told["longestMs"], told["isCapped"], told["searched"]) == (70, 169, False, None)
    assert "<dd>70</dd>" in ann.get("/hangfire/history/statistics?period=all").text


def test_each_name_has_a_row_with_its_rate_last_result_and_trend(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    write(tm, RUNS)
    page = ann.get("/hangfire/history/jobs").text
    rows = {name: row for row in page.split("<tr data-row>")[1:] for name in re.findall(r"job=([^&\"]+)", row)[:1]}
    assert {"Alpha", "Beta", "Gone", "Nightly+totals"} <= set(rows)
    assert "50.0 %" in rows["Alpha"]
    assert "mean 200 ms, 95 % within 300 ms" in rows["Alpha"]
    assert rows["Alpha"].count('<circle class="s-succeeded"') == 2
    assert (">0</td>" in rows["Gone"], "s-failed" in rows["Gone"]) == (True, True)
    assert "87.5 %" in rows["Nightly+totals"]
    assert "66.7 %" in ann.get("/hangfire/history/jobs?period=30&job=ALPH").text
    told = ann.get("/api/v1/history/jobs?job=alph&since=2000-01-01").json
    (one,) = told["items"]
    assert (one["jobName"], one["runs"], one["succeeded"], one["meanMs"], told["hasMore"]) == (
        "Alpha",
        3,
        2,
        300,
        False,
    )
    assert [run["durationMs"] for run in one["last"]] == [500, 300, 100]


def test_names_are_listed_twenty_at_a_time_in_few_statements(
    tm: TaskManager, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    write(tm, [(f"Job {n:02}", 1.0, n, True, "") for n in range(25)])
    statements()
    page = ann.get("/hangfire/history/jobs").text
    assert len(statements()) <= 8
    assert (page.count("<tr data-row>"), 'start=20"' in page) == (20, True)
    assert ann.get("/hangfire/history/jobs?start=20").text.count("<tr data-row>") == 5


@pytest.mark.one_engine
def test_two_runs_are_compared_and_where_they_differ_is_marked(tm: TaskManager, ann: Browser) -> None:
    write(tm, RUNS)
    ids = shown(ann.get("/hangfire/history?job=Alpha&period=all").text)
    page = ann.get(f"/hangfire/history/compare?a={ids[0]}&b={ids[1]}").text
    assert "The second took 3.00 times as long." in page
    marked = re.findall(r'<th scope="row" class="first">([^<]+) <span class="tag">differs', page)
    assert [one.strip() for one in marked] == ["Result", "Started", "Duration", "Error", "Result"]
    same = ann.get(f"/hangfire/history/compare?a={ids[0]}&b={ids[0]}").text
    assert "The runs are the same" in same
    assert "There is no run 99" in ann.get(f"/hangfire/history/compare?a={ids[0]}&b=999999999").text
    assert ann.get("/hangfire/history/compare").status_code == 200
    told = ann.get(f"/api/v1/history/compare?a={ids[0]}&b={ids[1]}").json
    assert (told["a"]["durationMs"], told["b"]["durationMs"]) == (100, 300)
    assert "DurationMs" in told["differing"]
    assert ann.get("/api/v1/history/compare?a=1&b=999999999").status_code == 404


@pytest.mark.one_engine
def test_a_run_leads_to_the_one_before_it_and_to_any_other(tm: TaskManager, ann: Browser) -> None:
    write(tm, RUNS)
    ids = shown(ann.get("/hangfire/history?job=Alpha&period=all").text)
    page = ann.get(f"/hangfire/history/{ids[0]}").text
    assert f"compare?a={ids[1]}&amp;b={ids[0]}" in page
    choose = re.search(r'href="([^"]+compare=[^"]+)"', page)
    assert choose is not None
    listed = ann.get(html.unescape(choose[1])).text
    assert re.findall(r"compare\?a=(\d+)&amp;b=(\d+)", listed) == [(ids[0], ids[1]), (ids[0], ids[2])]

"""The front page: what it tells at a look, and how little it asks for it."""

from __future__ import annotations

import re

import pytest

from taskmanager import TaskManager
from taskmanager.storage import monitoring_failures, structures
from tests.webui.conftest import Browser
from tests.webui.sample import fill


def test_failures_are_told_by_cause_with_their_number_and_a_way_to_the_group(
    embedded: TaskManager, sam: Browser
) -> None:
    fill(embedded)
    page = sam.get("/hangfire/").text
    panel = page.partition("Latest failures")[2].partition("</section>")[0]
    group = embedded.database.read(monitoring_failures.groups)[0][0]
    assert f"/jobs/failed/groups/{group.key}" in panel
    assert (panel.count("MailNotSent"), ">9<" in panel) == (1, True)


def test_this_hours_failures_are_set_against_the_hour_before(embedded: TaskManager, sam: Browser) -> None:
    now = embedded.database.read(lambda tx: tx.now())
    for back, count in ((0, 14), (1, 5)):
        key = f"stats:failed:{now.replace(hour=(now.hour - back) % 24):%Y-%m-%d-%H}"
        if back and now.hour == 0:
            pytest.skip("the hour before is of another day")
        embedded.database.run(lambda tx, k=key, n=count: structures.add_counts(tx, {(k, None): n}))
    page = sam.get("/hangfire/").text
    assert re.search(r"5 in the hour before.*failed this hour 14 <span[^>]*>▲ 9", page, re.DOTALL)
    assert 'aria-label="19 in the last 24 hours"' in page
    assert "▲ 9" in sam.get("/hangfire/?period=month").text, "whatever the chart below shows"


def test_who_has_no_job_yet_is_shown_the_first(embedded: TaskManager, sam: Browser) -> None:
    assert "send_mail.enqueue" in sam.get("/hangfire/").text
    embedded.enqueue(len, "x")
    sam.app.config["SNAPSHOTS"]._tried = -1e9
    page = sam.get("/hangfire/").text
    assert "send_mail.enqueue" not in page
    assert re.search(r'oldest waiting job <span data-lasting="\d+">', page)

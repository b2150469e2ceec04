"""A filter that is typed, kept in the address and shared; names and arguments that would break a page, and do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.webui.browser.conftest import Site, wait_until
from tests.webui.browser.test_journeys import Windows

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

EVIL = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
QUEUE = "a/b c#ž"


def test_a_filter_by_an_argument_stands_in_the_address_and_shows_others_the_same(site: Site, window: Windows) -> None:
    here = window()
    page = here.open("jobs/failed")
    page.get_by_role("searchbox", name="Filter").fill("arg.order_id:1003")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**q=arg.order_id*")
    shown = page.locator("tbody tr[id]").evaluate_all("rows => rows.map(row => row.id)")
    arguments = [json.loads(site.tm.get(int(one.rpartition("-")[2])).arguments) for one in shown]
    assert shown
    assert all("1003" in map(str, one) for one in arguments)
    page.reload()
    other = window().page
    other.goto(page.url, wait_until="load")
    for one in (page, other):
        assert one.locator("tbody tr[id]").evaluate_all("rows => rows.map(row => row.id)") == shown
    assert here.complaints == []


def test_hostile_names_and_megabytes_of_arguments_leave_pages_light_and_run_nothing(
    site: Site, window: Windows
) -> None:
    job_id = site.tm.enqueue(len, "y" * 5_000_000)
    tables = site.tm.database.tables

    def rename(tx: Any) -> None:
        call = json.dumps({"Type": EVIL, "Method": EVIL, "ParameterTypes": "[]", "Arguments": None})
        of_job, of_queue = tables.job.c.Id == job_id, tables.queue.c.JobId == job_id
        tx.connection.execute(tables.job.update().where(of_job).values(InvocationData=call, Queue=QUEUE))
        tx.connection.execute(tables.queue.update().where(of_queue).values(Queue=QUEUE))

    site.tm.database.run(rename)
    here = window()
    page = here.open("jobs/enqueued")
    page.get_by_role("link", name=QUEUE, exact=True).first.click()
    assert page.locator("h1").inner_text() == f"Queue {QUEUE}"
    page.locator(f"main a[href$='/details/{job_id}']").first.click()
    page.wait_for_url(f"**/jobs/details/{job_id}")
    assert "<script>" in page.locator("main").inner_text(), "it is shown as text"
    sizes = []
    for path in ("jobs", "jobs/enqueued", f"jobs/details/{job_id}"):
        page = here.open(path)
        sizes.append(len(page.content()))
        assert page.evaluate("window.hit") is None, path
    assert max(sizes) < 300_000
    assert here.complaints == []


def test_a_filter_is_completed_while_it_is_typed(site: Site, window: Windows) -> None:
    here = window()
    page = here.open("jobs/failed")
    box = page.get_by_label("Filter", exact=True)
    offered = page.locator(".filter-box datalist option")
    box.press_sequentially("state:failed sta")
    wait_until(here, "document.querySelector('.filter-box datalist option')?.value === 'state:failed state:'")
    assert page.get_by_role("combobox", name="Filter", exact=True).count() == 1
    box.press_sequentially("te:fail")
    wait_until(here, "document.querySelector('.filter-box datalist option')?.value === 'state:failed state:failed'")
    assert offered.count() == 1
    assert here.violations() == []
    box.press("Enter")
    page.wait_for_url("**q=state*")
    assert here.complaints == []

"""What people do with the dashboard, done in a browser; nothing may go wrong in its console meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from taskmanager import JobContext, TaskManager
from taskmanager.storage import job_log
from tests.webui.browser.conftest import Site, Window, wait_until
from tests.webui.conftest import ROLES, USERS
from tests.webui.prefix import PREFIX, StrippingProxy
from webui import Page, create_app

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Windows = Callable[..., Window]


def test_who_is_not_signed_in_sees_nothing(site: Site, window: Windows) -> None:
    here = window(user="")
    answer = here.page.request.get(site.url + "/")
    assert answer.status == 401
    assert "Enqueued" not in answer.text()
    page = window(cached=False).open()
    assert page.locator(".tile").count() == 7


def test_a_failed_job_is_looked_at_and_requeued(site: Site, window: Windows) -> None:
    here = window(cached=False)
    page = here.open("jobs/failed")
    page.locator(f"#job-{site.ids['failed']} a").first.click()
    assert page.locator(".error-head").first.inner_text().startswith("shop.mails.MailNotSent")
    names = page.locator(".timeline .t-head strong").all_inner_texts()
    assert names[::-1][:3] == ["Created", "Enqueued", "Processing"]
    page.get_by_role("button", name="Requeue").click()
    page.get_by_text("The job was enqueued.").wait_for()
    assert site.tm.get(site.ids["failed"]).state == "Enqueued"
    assert here.complaints == []


def test_deleting_asks_first(site: Site, window: Windows) -> None:
    here = window()
    page = here.open(f"jobs/details/{site.ids['failed']}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    assert site.tm.get(site.ids["failed"]).state == "Failed"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Yes, do it").click()
    page.get_by_text("The job was deleted.").wait_for()
    assert site.tm.get(site.ids["failed"]).state == "Deleted"
    assert here.complaints == []


def test_counts_and_lists_change_without_reloading(site: Site, window: Windows) -> None:
    here = window(cached=False)
    here.open()
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    page = here.open("jobs/failed")
    page.evaluate("document.body.dataset.same = '1'")
    site.tm.requeue(site.ids["failed"])
    wait_until(here, "document.querySelector('.side [data-count=failed]').textContent === '8'")
    page.locator(f"#job-{site.ids['failed']}").wait_for(state="detached")
    assert page.evaluate("document.body.dataset.same") == "1"
    page.locator("tbody input[type=checkbox]").first.check()
    site.tm.client.requeue([int(page.locator("tbody input[type=checkbox]").last.input_value())])
    wait_until(here, "document.querySelector('.side [data-count=failed]').textContent === '7'")
    assert page.locator("tbody tr[data-row]").count() == 8, "rows stay under the hand of who chooses among them"
    assert here.complaints == []


def test_a_list_looks_again_only_when_its_own_jobs_change_and_tells_how_many_are_newer(
    site: Site, window: Windows
) -> None:
    here = window()
    here.open()
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    page = here.open("jobs/failed")
    looks = "performance.getEntriesByType('resource').filter(e => /failed/.test(e.name)).length"
    site.tm.enqueue(len, "x", delay=600)
    counted = page.evaluate("Number(document.querySelector('.side [data-count=scheduled]').textContent)")
    wait_until(here, f"document.querySelector('.side [data-count=scheduled]').textContent !== '{counted}'")
    assert page.evaluate(looks) == 0
    page.locator("tbody input[type=checkbox]").first.check()
    site.tm.client.fail(site.tm.enqueue(len, "y"), ValueError(), "one more")
    page.get_by_role("button", name="1 newer – show").click()
    page.locator("tbody tr", has_text="one more").wait_for()
    assert page.evaluate(looks) == 1
    assert here.complaints == []


def test_a_row_is_opened_where_it_stands_and_fades_when_it_leaves(site: Site, window: Windows) -> None:
    here = window()
    here.open()
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    page = here.open("jobs/failed")
    row = page.locator("tbody tr").nth(1)
    number = row.get_attribute("id")
    row.get_by_label("More about job").click()
    row.get_by_role("button", name="Copy").wait_for()
    row.get_by_role("button", name="Requeue").click()
    page.get_by_text("The job was enqueued.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("1 job is as it was before.").wait_for()
    page.locator(f"#{number}").wait_for()
    site.tm.requeue(int(str(number).removeprefix("job-")))
    page.locator("tr.moved", has_text="moved").wait_for()
    page.locator("tr.moved").wait_for(state="detached")
    page.keyboard.press("c")
    page.get_by_role("checkbox", name="Created").check()
    page.locator("form.columns button").click()
    page.get_by_role("columnheader", name="Created").wait_for()
    assert here.complaints == []


def test_the_front_page_follows_what_happens_with_one_question_a_tick(site: Site, window: Windows) -> None:
    here = window()
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    page = here.open()
    page.evaluate("document.body.dataset.same = '1'")
    drawn = "document.querySelector('#realtime canvas').toDataURL()"
    before, failed = page.evaluate(drawn), "document.querySelector('.tile [data-count=failed]').textContent"
    ids = [site.tm.enqueue(len, "x") for _ in range(3)]
    site.tm.client.fail(ids[0], ValueError(), "no")
    wait_until(here, f"{failed} === '10'")
    page.evaluate(f"window.before = '{before}'")
    wait_until(here, f"{drawn} !== window.before")
    asked = "performance.getEntriesByType('resource').filter(e => /[/]stats[?]/.test(e.name)).map(e => e.startTime)"
    wait_until(here, f"{asked}.length > 2")
    moments = page.evaluate(asked)
    assert min(later - sooner for sooner, later in itertools.pairwise(moments)) > 1000
    assert page.evaluate("document.body.dataset.same") == "1"
    assert here.complaints == []


def test_live_updates_work_on_whatever_page_is_opened_first(site: Site, window: Windows) -> None:
    """A browser sends the password by itself only below the address where it was asked for it."""
    here = window(cached=False)
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    here.open("jobs/failed")
    site.tm.requeue(site.ids["failed"])
    wait_until(here, "document.querySelector('.side [data-count=failed]').textContent === '8'")
    assert here.complaints == []


def test_the_log_of_a_running_job_goes_on(site: Site, window: Windows) -> None:
    here = window()
    page = here.open(f"jobs/details/{site.ids['processing']}")
    line = json.dumps({"at": None, "level": "INFO", "message": "sending 128 of <b>200</b>"})

    def work(tx: Any) -> None:
        row = {"JobId": site.ids["processing"], "Attempt": 1, "CreatedAt": tx.bind_moment(tx.now()), "Lines": line}
        job_log.add(tx, [row])

    site.tm.database.run(work)
    page.locator("#log").get_by_text("sending 128 of <b>200</b>").wait_for()
    assert here.complaints == []


def test_times_are_told_by_the_clock_of_the_zone_that_was_chosen(site: Site, window: Windows) -> None:
    here = window(timezone_id="Asia/Tokyo")
    page = here.open(f"jobs/details/{site.ids['deleted']}")
    moment = page.locator("relative-time").first
    moment.hover()
    assert re.fullmatch(r"\d+ \w+ \d{4}, [\d:]{8} GMT\+9 · [\d-]{10} [\d:]{8} UTC", moment.get_attribute("title"))
    page.locator("#settings summary").click()
    page.get_by_label("Time zone").fill("Nowhere/Land")
    page.get_by_label("Time zone").press("Enter")
    page.get_by_text("is no time zone").wait_for()
    page.locator("#settings summary").click()
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_label("Time zone").press("Enter")
    wait_until(here, "document.body.dataset.zone === 'America/New_York'")
    page.wait_for_load_state()
    page.keyboard.press("z")
    wait_until(here, "document.body.dataset.times === 'local' && document.querySelector('main time').textContent")
    moment = page.locator("main time").first
    at = datetime.fromisoformat(moment.get_attribute("datetime")).astimezone(ZoneInfo("America/New_York"))
    assert moment.inner_text() == f"{at.day} {at:%b %Y, %H:%M:%S}"
    assert here.complaints == []


def test_theme_and_language_are_chosen_and_kept(window: Windows) -> None:
    here = window(color_scheme="light")
    page = here.open("servers")
    page.locator("#settings summary").click()
    page.get_by_role("button", name="Dark").click()
    wait_until(here, "document.documentElement.dataset.bsTheme === 'dark'")
    page.locator("#settings summary").click()
    page.get_by_role("button", name="Čeština").click()
    wait_until(here, "document.documentElement.lang === 'cs'")
    assert page.locator("h1").inner_text() == "Servery"
    assert "/servers" in page.url
    assert here.violations() == []
    assert here.complaints == []


def test_what_a_running_job_says_appears_while_it_runs(site: Site, window: Windows) -> None:
    go, end = threading.Event(), threading.Event()
    stage = TaskManager(database_url=site.tm.settings.database_url, queues="stage")

    @stage.job(queue="stage")
    def talks(ctx: JobContext) -> None:
        ctx.log.info("first words")
        ctx.progress(0.25)
        go.wait(60)
        ctx.log.info("last words")
        ctx.progress(0.75)
        end.wait(60)

    server = stage.server()
    server.start()
    try:
        job_id = talks.enqueue()
        here = window()
        while site.tm.get(job_id).state != "Processing":
            here.page.wait_for_timeout(50)
        page = here.open(f"jobs/details/{job_id}")
        wait_until(here, "document.querySelector('#log').innerText.includes('first words')")
        page.evaluate("window.kept = true")
        go.set()
        wait_until(here, "document.querySelector('#log').innerText.includes('last words')")
        wait_until(here, "document.querySelector('#progress progress').value === 75")
        end.set()
        wait_until(here, "document.querySelector('#job').dataset.state !== 'processing'")
        assert page.evaluate("window.kept") is True, "the page was not loaded anew"
        assert page.locator(".console").first.inner_text().count("words") == 2
        assert page.locator(".page-head .pill").inner_text() == "Succeeded"
        assert " · Succeeded · " in page.title()
        page.get_by_label("Find in the log").fill("LAST")
        assert page.locator(".console p:visible").all_inner_texts()[0].endswith("last words")
        assert page.locator(".console p:visible").count() == 1
        page.get_by_label("Find in the log").fill("")
        page.get_by_label("Lines of the log from this level on").select_option("≥ WARNING")
        assert page.locator(".console p:visible").count() == 0
        assert here.complaints == []
    finally:
        go.set()
        end.set()
        server.stop()
        stage.close()


def test_without_scripts_lists_filters_pages_and_buttons_work(site: Site, window: Windows) -> None:
    site.tm.client.delete(site.tm.enqueue_many(len, [("x",)] * 25))
    here = window(java_script_enabled=False)
    page = here.open("jobs/deleted")
    page.get_by_role("link", name="Older").click()
    assert page.get_by_role("link", name="Newer").count() == 1
    page = here.open("jobs/failed")
    page.get_by_role("searchbox", name="Filter").fill(f"id:{site.ids['failed']}")
    page.get_by_role("button", name="Filter").click()
    assert page.locator("tbody tr").count() == 1
    page.locator("tbody input[type=checkbox]").check()
    page.get_by_role("button", name="Requeue").click()
    assert "1 job was enqueued." in page.content()
    assert site.tm.get(site.ids["failed"]).state == "Enqueued"


def test_who_may_only_look_has_nothing_to_press(window: Windows) -> None:
    here = window(user="eve")
    for path in ("jobs/failed", "recurring", "jobs/enqueued"):
        page = here.open(path)
        assert page.get_by_role("button", name=re.compile("Requeue|Delete|Pause|Remove|Trigger")).count() == 0
    assert here.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_all_jobs_that_match_are_requeued_in_the_background(site: Site, window: Windows, scripts: bool) -> None:
    here = window(java_script_enabled=scripts)
    page = here.open("jobs/failed?q=error:smtp")
    if scripts:
        page.get_by_label("All on this page").check()
        page.get_by_text("All 9 jobs on this page are chosen.").wait_for()
    else:
        page.get_by_text("All matching", exact=True).click()
    page.get_by_role("link", name="Requeue all 9…").click()
    page.get_by_role("button", name="Requeue 9 jobs").click()
    page.get_by_text("It waits for a server.").wait_for()
    job_id = int(page.url.rpartition("/")[2])
    while not site.tm.operations.step(job_id).ended:
        pass
    page.get_by_text("finished").wait_for() if scripts else page.reload()
    assert page.locator("dd strong").first.inner_text() == "9"
    assert here.complaints == []


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_everything_is_searched_by_one_box(site: Site, window: Windows, key: str) -> None:
    here = window()
    page = here.open()
    page.keyboard.press(key)
    page.keyboard.type("report")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=report")
    titles = page.locator("main h2").all_inner_texts()
    assert titles == ["Recurring jobs", "Queues", "Jobs"]
    assert here.complaints == []


def test_below_a_path_of_a_proxy_everything_is_found_and_pressed(site: Site, window: Windows) -> None:
    settings = {"database_url": site.tm.settings.database_url, "web_proxies": 1}
    with contextlib.ExitStack() as ends:
        behind = TaskManager(**settings)
        ends.callback(behind.close)
        page = Page(create_app(behind, users=USERS, roles=ROLES), "127.0.0.1", 0, proxies=1)
        ends.callback(page.close)
        proxy = StrippingProxy(page.url)
        ends.callback(proxy.close)
        here = window(cached=False)
        here.url = f"{proxy.origin}{PREFIX}/hangfire"
        here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": here.url}])
        opened = here.open("jobs/failed")
        opened.get_by_role("link", name="Overview").click()
        opened.wait_for_url(f"{here.url}/")
        opened.locator("#history canvas").wait_for()
        opened.locator(".tile", has_text="Failed").click()
        opened.wait_for_url(f"{here.url}/jobs/failed")
        opened.wait_for_load_state("load")
        opened.evaluate("document.body.dataset.same = '1'")
        site.tm.requeue(site.ids["failed"])
        wait_until(here, "document.querySelector('.side [data-count=failed]').textContent === '8'")
        opened.locator(f"#job-{site.ids['failed']}").wait_for(state="detached")
        assert opened.evaluate("document.body.dataset.same") == "1"
        for key in "jxe":
            opened.keyboard.press(key)
        opened.get_by_text("1 job was enqueued.").wait_for()
        assert opened.url == f"{here.url}/jobs/failed"
        opened.goto("about:blank")  # it listens no more
    assert [one.url for one in here.asked if PREFIX not in one.url and one.url.startswith("http")] == []
    assert here.complaints == []

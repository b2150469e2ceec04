"""What runs while somebody looks: the log of a job, and a queue that is paused meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from taskmanager import JobContext, TaskManager
from tests.webui.browser.conftest import Site, Window, wait_until
from webui.feed import Slots

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Windows = Callable[..., Window]
_IS_AT_END = "(log => log.scrollTop + log.clientHeight >= log.scrollHeight - 8)(document.querySelector('#log'))"


@contextmanager
def working(stage: TaskManager, go_on: list[threading.Event]) -> Iterator[None]:
    """A server of its own; whatever happens, its job does not wait for ever."""
    server = stage.server()
    server.start()
    try:
        yield
    finally:
        for event in go_on:
            event.set()
        server.stop()
        stage.close()


def test_the_log_and_the_bar_of_a_running_job_are_followed_and_stay_after_its_failure(
    site: Site, window: Windows
) -> None:
    stage = TaskManager(database_url=site.tm.settings.database_url, queues="stage")
    steps = [threading.Event() for _ in range(3)]

    @stage.job(queue="stage", retries=0)
    def talks(ctx: JobContext) -> None:
        for number in range(1, 501):
            ctx.log.info("line %s of 500", number)
            ctx.progress(number / 500)
            if number in (250, 400):
                steps[0 if number == 250 else 1].wait(60)
        steps[2].wait(60)
        raise ValueError("nothing left to say")

    def last_seen(number: int) -> str:
        return f"document.querySelector('#log p:last-child')?.innerText.includes('line {number} of 500')"

    with working(stage, steps):
        job_id = talks.enqueue()
        here = window()
        while site.tm.get(job_id).state != "Processing":
            here.page.wait_for_timeout(50)
        page = here.open(f"jobs/details/{job_id}")
        page.evaluate("window.kept = true")
        log, follow, bar = page.locator("#log"), page.get_by_label("Follow the log"), "#progress progress"
        wait_until(here, last_seen(250))
        wait_until(here, f"document.querySelector('{bar}').value === 50")
        assert page.evaluate(_IS_AT_END)
        follow.uncheck()
        log.evaluate("log => { log.scrollTop = 40; }")
        steps[0].set()
        wait_until(here, last_seen(400))
        wait_until(here, f"document.querySelector('{bar}').value === 80")
        assert log.evaluate("log => log.scrollTop") == 40
        assert not follow.is_checked()
        follow.check()
        assert page.evaluate(_IS_AT_END)
        steps[1].set()
        wait_until(here, last_seen(500))
        wait_until(here, f"document.querySelector('{bar}').value === 100")
        assert page.evaluate(_IS_AT_END)
        log.hover()
        page.mouse.wheel(0, -2000)
        wait_until(here, "!document.querySelector('#follow').checked")
        steps[2].set()
        wait_until(here, "document.querySelector('#job').dataset.state !== 'processing'")
        assert page.evaluate("window.kept") is True, "the page was not loaded anew"
    assert page.locator(".error-head").first.inner_text() == "ValueError\nnothing left to say"
    for _ in ("as it was", "loaded anew"):
        assert page.locator(".console p").count() == 500
        page.reload()
    assert here.complaints == []


def test_in_a_paused_queue_a_job_waits_longer_and_longer_and_then_runs(site: Site, window: Windows) -> None:
    stage = TaskManager(database_url=site.tm.settings.database_url, queues="stage,reports2")
    ran = threading.Event()

    @stage.job(queue="reports2")
    def report() -> None:
        ran.set()

    site.tm.enqueue(len, "kept", queue="reports2")  # a queue is shown from its first job on
    here = window()
    page = here.open("jobs/enqueued")
    card = page.locator("section", has=page.get_by_role("link", name="reports2", exact=True)).last
    card.get_by_role("button", name="Pause").click()
    card.get_by_text("paused").wait_for()
    with working(stage, []):
        job_id = report.enqueue()
        latency = card.locator("[data-lasting]")
        latency.wait_for()
        first = latency.inner_text()
        wait_until(here, f"![...document.querySelectorAll('[data-lasting]')].some(e => e.textContent === '{first}')")
        page.evaluate("window.kept = true")
        served = float(latency.get_attribute("data-lasting") or 0)
        page.reload()
        assert float(latency.get_attribute("data-lasting") or 0) > served
        assert site.tm.get(job_id).state == "Enqueued"
        assert not ran.is_set(), "a server listens to the queue, and takes nothing from it"
        card.get_by_role("button", name="Resume").click()
        assert ran.wait(30)
        page.goto(f"{site.url}/jobs/details/{job_id}")
        wait_until(here, "document.querySelector('.pill.s-succeeded') !== null")
    assert here.complaints == []


def test_a_tag_is_paused_by_the_form_and_its_jobs_wait_until_it_is_resumed(site: Site, window: Windows) -> None:
    stage = TaskManager(database_url=site.tm.settings.database_url, queues="stage,reports4")
    ran = threading.Event()

    @stage.job(queue="reports4", tags=["Spring"])
    def tagged() -> None:
        ran.set()

    here = window()
    page = here.open("jobs/enqueued")
    page.get_by_text("Pause a type of job or a tag…").click()
    form = page.locator("#pause-jobs")
    form.get_by_label("What").select_option("tag")
    form.get_by_label("Name").fill("spring")
    form.get_by_label("Note").fill("stocktaking")
    assert here.violations() == []
    form.get_by_role("button", name="Pause").click()
    section = page.locator("section", has=page.get_by_role("heading", name="Paused types and tags"))
    section.get_by_text("stocktaking").wait_for()
    assert here.violations() == []
    assert here.misplaced() == []
    with working(stage, []):
        job_id = tagged.enqueue()
        page.goto(f"{site.url}/jobs/details/{job_id}")
        page.get_by_text("Held: jobs with tag spring are paused").wait_for()
        page.goto(f"{site.url}/jobs/enqueued")
        wait_until(here, "document.querySelector('a[href$=\"/jobs/enqueued/held/reports4\"]') !== null")
        page.locator('a[href$="/jobs/enqueued/held/reports4"]').click()
        page.get_by_text(f"#{job_id}").first.wait_for()
        assert here.violations() == []
        assert not ran.is_set()
        page.goto(f"{site.url}/jobs/enqueued")
        section.get_by_role("button", name="Resume").click()
        assert ran.wait(30)
    assert here.complaints == []


def test_what_somebody_changes_appears_in_the_open_log_and_on_the_page_of_the_thing(
    site: Site, window: Windows
) -> None:
    site.tm.enqueue(len, "kept", queue="reports3")
    here, there = window(), window()
    page = here.open("audit")
    page.evaluate("window.kept = true")
    other = there.open("queues/reports3")
    other.get_by_role("button", name="Pause", exact=True).first.click()
    page.locator("#rows").get_by_text("reports3").first.wait_for()
    assert page.evaluate("window.kept") is True, "the page was not loaded anew"
    changes = other.locator("section", has=other.get_by_role("heading", name="Changes"))
    changes.scroll_into_view_if_needed()
    changes.locator("td", has_text="queues.pause").wait_for()
    assert here.complaints == there.complaints == []


def test_a_page_with_a_stream_asks_no_more_and_another_polls(site: Site, window: Windows) -> None:
    site.app.config["LIVE_STREAMS"] = slots = Slots(1)
    asks = "/[/]stats[?]/.test(one.name) && one.initiatorType === 'fetch'"
    polls = f"performance.getEntriesByType('resource').filter(one => {asks}).length"
    failed = "document.querySelector('.side [data-count=failed]').textContent"
    first, second = window(), window()
    for here in (first, second):
        here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url}])
    first.open("jobs/failed")
    wait_until(first, f"{polls} >= 1")
    first.page.wait_for_timeout(500)
    assert not slots.is_free
    asked = first.page.evaluate(polls)
    second.open("jobs/failed")
    site.tm.requeue(site.ids["failed"])
    for here in (first, second):
        wait_until(here, f"{failed} === '8'")
        here.page.locator(f"#job-{site.ids['failed']}").wait_for(state="detached")
    wait_until(second, f"{polls} >= 3")
    assert first.page.evaluate(polls) == asked
    first.page.keyboard.press(".")
    wait_until(second, f"{polls} >= 4")
    assert first.complaints == second.complaints == []


def test_a_page_opens_one_stream_though_it_asks_several_times_at_once(site: Site, window: Windows) -> None:
    slots = site.app.config["LIVE_STREAMS"] = Slots(4)
    here = window()
    page = here.open("jobs")
    # Whoever comes back to a page makes it ask at once, also while an answer is under way.
    page.evaluate("for (let n = 0; n < 4; n++) document.dispatchEvent(new Event('visibilitychange'))")
    while slots._free == 4:
        page.wait_for_timeout(50)
    for _ in range(3):  # what was asked meanwhile is answered, too
        page.evaluate("fetch(document.body.dataset.stats)")
    assert slots._free == 3

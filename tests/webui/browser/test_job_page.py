"""A job is put elsewhere from its page, and panels of the host stand on it: accessible, and nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.webui.browser.conftest import Site, Window
from tests.webui.test_panels import broken, order, plain

pytestmark = pytest.mark.slow


@pytest.mark.timeout(180)
@pytest.mark.parametrize("locale", ["en-GB", "cs-CZ"])
def test_what_a_jobs_page_offers_fits_every_window(site: Site, window: Callable[..., Window], locale: str) -> None:
    site.app.config["PANELS"] = [order, plain, broken]
    here = window(locale=locale, color_scheme="dark" if locale == "cs-CZ" else "light")
    page = here.open(f"jobs/details/{site.ids['failed']}")
    assert page.locator(".panel").count() == 3
    page.locator("#place > summary").click()
    assert page.locator("#place-at").is_visible()
    assert here.violations() == []
    for size in ((1440, 900), (768, 900), (390, 844), (320, 640)):
        here.resize(size)
        here.picture(f"place-{size[0]}-{locale}")
        width, inner = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner, size
        assert here.misplaced() == [], size
    assert here.complaints == []


def test_a_job_goes_to_another_queue_and_is_run_again_as_a_copy(site: Site, window: Callable[..., Window]) -> None:
    here, job_id = window(), site.ids["failed"]
    page = here.open(f"jobs/details/{job_id}")
    page.locator("#place > summary").click()
    page.locator("#place-to").fill("slow")
    page.get_by_role("button", name="Requeue to this queue").click()
    page.get_by_text("The job was enqueued.").wait_for()
    assert (site.tm.get(job_id).state, site.tm.get(job_id).queue) == ("Enqueued", "slow")
    page.locator("#place > summary").click()
    page.locator("#place-at").fill("2090-07-01T08:00:00")
    page.get_by_role("button", name="Reschedule").click()
    page.get_by_text("The job was rescheduled.").wait_for()
    assert site.tm.get(job_id).state == "Scheduled"
    page.locator("#place > summary").click()
    page.get_by_role("button", name="Run again as a copy").click()
    page.get_by_text(re.compile(r"Job #\d+ was created")).wait_for()
    assert f"details/{job_id}" not in page.url
    assert here.complaints == []

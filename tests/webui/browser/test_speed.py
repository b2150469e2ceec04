"""How soon pages are there and how still they stand: largest paint, layout shifts, long tasks, by the browser itself.

A machine that runs tests is loaded, so that times have loose bounds; that nothing moves does not hang on its speed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.webui.browser.conftest import Site, Window, wait_until

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.timeout(300)
Windows = Callable[..., Window]

#: What docs/performance.md promises, and what a loaded machine may take for it: milliseconds.
_MOST_SHIFTED, _LONGEST_PAINT, _LONGEST_TASK = 0.02, 2_500, 300
_OBSERVE = """
window.seen = {paint: 0, shifts: [], tasks: []};
const look = (type, take) =>
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({type, buffered: true});
const nameOf = ({node}) => node?.id || node?.className || node?.nodeName;
look("largest-contentful-paint", (entry) => { seen.paint = Math.max(seen.paint, entry.startTime); });
look("layout-shift", (entry) => {
  if (!entry.hadRecentInput) seen.shifts.push([entry.value, entry.sources.map(nameOf)]);
});
look("longtask", (entry) => { seen.tasks.push([Math.round(entry.startTime), Math.round(entry.duration)]); });
"""
_STILL = "new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(window.seen)), 700))"


def measured(here: Window, path: str) -> Any:
    """Load a page and wait until its scripts and fonts have done what they do."""
    here.open(path)
    return here.page.evaluate(_STILL)


def moved(seen: Any) -> float:
    return sum(value for value, _ in seen["shifts"])


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_main_pages_are_there_soon_and_nothing_in_them_moves(site: Site, window: Windows, phone: bool) -> None:
    here = window(phone=phone)
    here.page.add_init_script(_OBSERVE)
    here.open("")  # the cold one fills the browser's cache
    for path in (
        "", "jobs/failed", "jobs/succeeded", "jobs/enqueued", f"jobs/details/{site.ids['failed']}", "recurring",
        "recurring/daily-report", "retries", "servers", "servers/web-2:4711:0123456789abcdef0123456789abcdef",
        "history", "alerts", "audit", "search?q=report", "settings", "settings/system",
    ):  # fmt: skip
        seen = measured(here, path)
        assert moved(seen) <= _MOST_SHIFTED, (path, seen["shifts"])
        assert 0 < seen["paint"] <= _LONGEST_PAINT, (path, seen)
        assert here.complaints == [], path


def test_a_live_page_that_takes_up_news_moves_nothing_and_holds_nobody_up(site: Site, window: Windows) -> None:
    here = window()
    here.page.add_init_script(_OBSERVE)
    here.page.context.add_cookies([{"name": "tm_live", "value": "2", "url": site.url.partition("/hangfire")[0]}])
    measured(here, "jobs/failed")
    here.page.evaluate("window.seen.tasks = []; window.seen.shifts = []; 0")
    shown = "document.querySelector('[data-count=enqueued]').textContent"
    before = here.page.evaluate(shown)
    site.tm.enqueue(len, "x")
    wait_until(here, f"{shown} !== {before!r}")
    seen = here.page.evaluate(_STILL)
    assert moved(seen) <= _MOST_SHIFTED, seen["shifts"]
    assert all(length <= _LONGEST_TASK for _, length in seen["tasks"]), seen["tasks"]

"""The dashboard without a mouse: by the keyboard alone, and on a phone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.webui.browser.conftest import Site, Window, wait_until

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Windows = Callable[..., Window]
_FOCUS = """(() => { const at = document.activeElement, css = getComputedStyle(at);
return { text: (at.getAttribute('aria-label') || at.innerText || at.name || '').trim(), tag: at.tagName,
  seen: css.outlineStyle !== 'none' && parseFloat(css.outlineWidth) >= 2 && at.getClientRects().length > 0 } })()"""


def tab_to(page: Any, text: str) -> None:
    """Press Tab until something of this name has the focus; wherever it is meanwhile, it is seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at["tag"] != "BODY":
            assert at["seen"], at
        if at["text"] == text and at["tag"] != "BODY":
            return
    raise AssertionError(f"Tab never came to {text}")


def test_jobs_are_chosen_and_requeued_with_the_keyboard_alone(site: Site, window: Windows) -> None:
    here = window()
    page = here.open()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_url("**/jobs/failed")
    wanted = page.locator("tr[data-row]").nth(1).get_attribute("id").removeprefix("job-")
    for key in "jjx":
        page.keyboard.press(key)
    assert page.locator("tr.at").get_attribute("id") == f"job-{wanted}"
    page.keyboard.press("e")
    page.get_by_text("1 job was enqueued.").wait_for()
    assert site.tm.get(int(wanted)).state == "Enqueued"
    assert site.tm.get(site.ids["failed"]).state == "Failed"
    page.wait_for_load_state("load")
    for key in "jjkx":
        page.keyboard.press(key)
    assert page.locator("tbody input:checked").count() == 1
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/jobs/details/{site.ids['failed']}")
    assert here.complaints == []


def test_dialogs_are_used_with_the_keyboard_and_give_the_focus_back(site: Site, window: Windows) -> None:
    here = window()
    page = here.open(f"jobs/details/{site.ids['failed']}")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.locator("#confirm").wait_for(state="visible")
    assert page.evaluate("document.querySelector('#confirm').contains(document.activeElement)")
    page.keyboard.press("e")
    page.keyboard.press("Escape")
    page.locator("#confirm").wait_for(state="hidden")
    assert page.evaluate(_FOCUS)["text"] == "Delete"
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert page.locator("#keys-help").is_hidden()
    assert page.evaluate(_FOCUS)["text"] == "Delete"
    assert site.tm.get(site.ids["failed"]).state == "Failed"
    page.keyboard.press("d")
    page.locator("#confirm").wait_for(state="visible")
    tab_to(page, "Yes, do it")
    page.keyboard.press("Enter")
    page.get_by_text("The job was deleted.").wait_for()
    assert site.tm.get(site.ids["failed"]).state == "Deleted"
    assert here.complaints == []


def test_keys_do_nothing_in_a_field_or_once_they_are_switched_off(window: Windows) -> None:
    here = window()
    page = here.open("jobs/failed")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("jxe?gj")
    assert page.evaluate("document.activeElement.value") == "jxe?gj"
    assert page.locator("tr.at, tbody input:checked, dialog[open]").count() == 0
    tab_to(page, "Settings")
    page.keyboard.press("Enter")
    page.locator("#settings > div").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.locator("#settings > div").wait_for(state="hidden")
    assert page.evaluate(_FOCUS)["text"] == "Settings"
    page.keyboard.press("Enter")
    off = page.locator("button[name=keys][value=off]")
    while not off.evaluate("button => button === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_until(here, "document.body.dataset.keys === 'off'")
    page.wait_for_load_state("load")
    theme = page.evaluate("document.documentElement.dataset.bsTheme")
    for key in ("j", "x", "?", "t", "/", "g", "r"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert page.url.endswith("/jobs/failed")
    assert page.locator("tr.at, tbody input:checked, dialog[open]").count() == 0
    assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
    assert page.evaluate("document.activeElement.name") != "q"
    assert here.complaints == []


def test_on_a_phone_a_failed_job_is_requeued_by_three_taps(site: Site, window: Windows) -> None:
    here = window(phone=True, has_touch=True, is_mobile=True, color_scheme="dark")
    page = here.open()
    page.locator(".tile", has_text="Failed").tap()
    page.wait_for_url("**/jobs/failed")
    card = page.locator(f"#job-{site.ids['failed']}")
    places = card.locator("td[data-label]").all()
    assert {place.get_attribute("data-label") for place in places} == {"Error", "Attempts", "Queue", "Since"}
    tops = [place.bounding_box() for place in places]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in tops)
    assert all(after["y"] >= before["y"] + before["height"] - 1 for before, after in itertools.pairwise(tops))
    letters = "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility()).map(e => getComputedStyle(e))"
    assert page.evaluate(f"Math.min(...{letters}.map(css => parseFloat(css.fontSize)))") >= 11
    card.get_by_role("link").first.tap()
    page.wait_for_url("**/jobs/details/*")
    page.evaluate("scrollTo(400, 0)")
    assert page.evaluate("[scrollX, innerWidth]") == [0, 390]
    requeue = page.get_by_role("button", name="Requeue", exact=True)
    box = requeue.bounding_box()
    assert box["y"] + box["height"] < 844, "it is seen without scrolling"
    assert min(box["height"], box["width"]) >= 24
    requeue.tap()
    page.get_by_text("The job was enqueued.").wait_for()
    assert site.tm.get(site.ids["failed"]).state == "Enqueued"
    assert here.complaints == []


def test_on_a_phone_chosen_jobs_are_acted_on_from_the_bottom_of_the_window(site: Site, window: Windows) -> None:
    here = window(phone=True, has_touch=True, is_mobile=True)
    page = here.open("jobs/failed")
    page.locator("tbody input[type=checkbox]").nth(2).tap()
    button = page.get_by_role("button", name="Requeue")
    assert 0 <= button.bounding_box()["y"] < 844, "the bar of actions stays in the window"
    button.tap()
    page.get_by_text("1 job was enqueued.").wait_for()
    assert here.complaints == []


def test_on_a_phone_one_sees_where_one_is_and_acts_on_all_that_match(window: Windows) -> None:
    here = window(phone=True, has_touch=True, is_mobile=True, locale="cs-CZ")
    page = here.open("audit")
    for current in page.locator(".nav-main [aria-current]").all():
        box = current.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    page = here.open("jobs/failed?q=error:smtp")
    page.get_by_text("Všechny vyhovující", exact=True).tap()
    choice = page.get_by_role("link", name="Zařadit znovu všechny (9)")
    box = choice.bounding_box()
    assert 0 <= box["y"] < box["y"] + box["height"] <= 844
    choice.tap()
    page.wait_for_url("**/operations/new**")
    assert here.complaints == []

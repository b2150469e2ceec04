"""What a user is told appears on his open pages, wherever he is, and however the server comes and goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.webui.browser.conftest import Site, Window, wait_until
from tests.webui.conftest import ROLES, USERS
from webui import Page, create_app

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Windows = Callable[..., Window]

TOASTS = (
    "[...document.querySelectorAll('.tm-toast')]"
    ".map((one) => [one.dataset.type, one.querySelector('span').textContent])"
)


def hears(window: Window, how: str) -> None:
    """Wait until a page is connected: `eventsource` for a stream, `fetch` for a poll."""
    ends = 300
    while not any(r.resource_type == how and "/hangfire/notifications" in r.url for r in window.asked):
        window.page.wait_for_timeout(50)
        ends -= 1
        assert ends, f"no {how}"


def test_a_message_appears_on_all_pages_of_its_user_by_stream_or_poll(site: Site, window: Windows) -> None:
    mine = [window(cached=False) for _ in range(3)]
    hers = window(user="eve")
    for here, how in zip(mine, ("eventsource", "eventsource", "fetch"), strict=True):
        here.open("servers")
        hears(here, how)
    hers.open()
    hears(hers, "fetch")
    site.tm.notify("ann", "Success", "Tenant <b>acme</b> is ready.")
    for here in mine:
        wait_until(here, f"JSON.stringify({TOASTS}) === JSON.stringify([['Success', 'Tenant <b>acme</b> is ready.']])")
    site.tm.notify("eve", "Info", "hers")
    wait_until(hers, f"JSON.stringify({TOASTS}) === JSON.stringify([['Info', 'hers']])")
    assert [here for here in mine if ["Info", "hers"] in here.page.evaluate(TOASTS)] == []
    assert [r for r in mine[2].asked if r.resource_type == "eventsource"] == []
    assert [here.complaints for here in (*mine, hers)] == [[]] * 4


@pytest.mark.parametrize(
    "look", [{"color_scheme": "light"}, {"color_scheme": "dark", "phone": True, "locale": "cs-CZ"}]
)
def test_toasts_are_accessible_and_an_error_stays_until_it_is_closed(
    site: Site, window: Windows, look: dict[str, str]
) -> None:
    here = window(**look)
    page = here.open("jobs/failed")
    hears(here, "eventsource")
    for kind in ("Error", "Success", "Info", "Warning"):
        site.tm.notify("ann", kind, f"{kind}: " + "a long word after another " * 6)
    wait_until(here, f"{TOASTS}.length === 4")
    assert here.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wait_until(here, f"{TOASTS}.length === 1")
    assert page.locator(".tm-toast strong").inner_text() == ("Chyba" if "locale" in look else "Error")
    page.locator(".tm-toast button").click()
    assert page.evaluate(TOASTS) == []
    assert here.complaints == []


def test_what_is_told_between_two_pages_appears_on_the_second(site: Site, window: Windows) -> None:
    here = window()
    here.open("servers")
    hears(here, "eventsource")
    here.page.goto("about:blank")
    site.tm.notify("ann", "Success", "meanwhile")
    here.open("recurring")
    wait_until(here, f"JSON.stringify({TOASTS}) === JSON.stringify([['Success', 'meanwhile']])")
    here.asked.clear()
    here.open("queues")
    hears(here, "eventsource")
    assert here.page.evaluate(TOASTS) == [], "once is enough"
    assert here.complaints == []


def test_a_page_comes_back_to_a_server_that_was_away(site: Site, window: Windows) -> None:
    here = window(cached=False)
    here.open("servers")
    hears(here, "eventsource")
    site.tm.notify("ann", "Info", "it streams")
    wait_until(here, f"{TOASTS}.length === 1")
    site.page.close()
    here.asked.clear()
    site.tm.notify("ann", "Success", "while it was away")
    port = int(site.url.rsplit(":", 1)[1].partition("/")[0])
    here.page.wait_for_timeout(1500)
    again = Page(create_app(site.tm, users=USERS, roles=ROLES), "127.0.0.1", port)
    try:
        wait_until(here, f"{TOASTS}.some(([, text]) => text === 'while it was away')")
        hears(here, "eventsource")
    finally:
        again.close()


def test_who_switched_live_updates_off_is_left_in_peace(site: Site, window: Windows) -> None:
    here = window()
    here.page.context.add_cookies([{"name": "tm_live", "value": "off", "url": site.url}])
    here.open("servers")
    here.page.wait_for_timeout(500)
    assert [r for r in here.asked if "/hangfire/notifications" in r.url] == []


def streams(window: Window) -> int:
    """How many streams a page has asked for."""
    return sum(r.resource_type == "eventsource" for r in window.asked)


def wait_for(window: Window, what: Callable[[], bool]) -> None:
    """Wait until something outside the page is so."""
    for _ in range(400):
        if what():
            return
        window.page.wait_for_timeout(50)
    raise AssertionError("it never came to be")


def test_a_stream_is_renewed_when_its_time_is_over_and_nothing_is_told_twice(site: Site, window: Windows) -> None:
    site.tm.settings = site.tm.settings.with_changes(web_stream_seconds=1)
    here = window()
    here.open("servers")
    wait_for(here, lambda: streams(here) >= 3)
    for number in range(3):
        site.tm.notify("ann", "Error", str(number))
        here.page.wait_for_timeout(700)
    wait_until(here, f"{TOASTS}.length >= 3")
    assert [text for _, text in here.page.evaluate(TOASTS)] == ["0", "1", "2"]
    assert here.complaints == []


def test_a_page_in_the_background_gives_its_stream_back(site: Site, window: Windows) -> None:
    slots = site.app.config["STREAMS"]
    here = window()
    page = here.open("servers")
    hears(here, "eventsource")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.behind ?? true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    wait_for(here, lambda: slots._free == 2)
    site.tm.notify("ann", "Error", "while nobody looked")
    asked = streams(here)
    page.evaluate("window.behind = false; document.dispatchEvent(new Event('visibilitychange'))")
    wait_until(here, f"{TOASTS}.length === 1")
    wait_for(here, lambda: streams(here) > asked)
    assert here.complaints == []


def test_a_token_that_is_refused_is_asked_for_again_a_few_times_and_then_no_more(site: Site, window: Windows) -> None:
    here = window(cached=False)
    page = here.open("servers")
    page.evaluate(
        "import('/hangfire/static/notifications.js').then(({ NotificationHub }) => {"
        "  window.asked = 0;"
        "  const accessTokenFactory = async () => `wrong${++window.asked}`;"
        "  const hub = new NotificationHub('/hubs/notifications', { accessTokenFactory });"
        "  hub.on('closed', (status) => { window.closed_by = status; window.left = hub.transport; }).start();"
        "})"
    )
    wait_until(here, "window.closed_by === 401")
    assert page.evaluate("[window.asked, window.left]") == [3, "stopped"]
    refused = [r for r in here.asked if "/hubs/notifications" in r.url]
    assert len(refused) == 3
    assert not any("access_token" in r.url for r in refused), "a poll sends it in a header"

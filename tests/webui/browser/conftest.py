"""A real browser before a real server. Skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import ROLES, USERS, signed
from tests.webui.sample import fill
from webui import Page, create_app

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text("utf-8")
RULES = "['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']"
RULES_OF_COLOURS = "{type: 'rule', values: ['color-contrast', 'link-in-text-block']}"
RULES_OF_WIDTH = (
    "{type: 'rule', values: ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable']}"
)
# Only what is wrong: the long lists of what is right take two thirds of the time, most of it to leave the browser.
_FOUND = """axe.run({runOnly: %s, resultTypes: ['violations'], preload: false})
.then(all => all.violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.target)]))"""
_LAYOUT = (Path(__file__).parent / "layout.js").read_text("utf-8")
# The window learns of its size a little later, and what observes sizes draws after that: three pictures of that width.
_DRAWN = """new Promise(done => {
  const later = (wanted, most) =>
    requestAnimationFrame(() => wanted && most ? later(wanted - (innerWidth === width), most - 1) : done());
  later(3, 100);
})"""
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PICTURES = os.environ.get("TASKMANAGER_TEST_SCREENSHOTS")
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Site:
    """A running dashboard on a filled database."""

    tm: TaskManager
    url: str
    ids: dict[str, int]
    page: Page
    app: Any


class Window:
    """A page of a browser that remembers what went wrong in it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        #: What it asked the server for.
        self.asked: list[Any] = []
        #: Addresses that answered a form with 422: that is told in the page, and Chromium takes it for a failed load.
        self.refused: list[str] = []
        page.on("console", self._says)
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        page.on("request", self._asks)

    def _says(self, message: Any) -> None:
        if message.type not in ("error", "warning"):
            return
        address, forms = message.location.get("url", ""), ("POST", True)
        sent = any((r.method, r.is_navigation_request()) == forms and r.url == address for r in self.asked)
        if sent and message.text.startswith("Failed to load resource") and "status of 422" in message.text:
            self.refused.append(address)
        else:
            self.complaints.append(message.text)

    def _asks(self, request: Any) -> None:
        self.asked.append(request)
        if not request.url.startswith((self.url.partition("/hangfire")[0], "data:")):
            self.complaints.append(f"a request to another host: {request.url}")

    def open(self, path: str = "") -> Any:
        """Go to a page of the dashboard."""
        self.page.goto(f"{self.url}/{path}", wait_until="load")
        return self.page

    def picture(self, look: str) -> None:
        """Keep a picture of the whole page, where TASKMANAGER_TEST_SCREENSHOTS names a directory for them."""
        if _PICTURES:
            address = self.page.url.partition("//")[2].partition("/")[2].removeprefix("hangfire").strip("/")
            name = re.sub(r"[^A-Za-z0-9]+", "-", address) or "overview"
            self.page.screenshot(path=Path(_PICTURES) / look / f"{name}.png", full_page=True)

    def violations(self, *, rules: str = RULES) -> list[str]:
        """What axe finds: WCAG 2.0 to 2.2, A and AA, or only what another theme or another width can change."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(f"{AXE};0")
        found = self.page.evaluate(_FOUND % rules)
        return [f"{rule}: {targets}" for rule, targets in found]

    def misplaced(self) -> list[str]:
        """Texts that overlap, are cut off or stick out of their boxes. Looking for them changes the page a little."""
        return list(self.page.evaluate(_LAYOUT))

    def resize(self, size: tuple[int, int]) -> None:
        """Give the window another width and height, in pixels; charts follow with the next pictures that are drawn."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.evaluate(f"(width) => {_DRAWN}", size[0])


def wait_until(window: Window, what: str) -> None:
    """Wait for a condition in the page; Playwright's own way of waiting needs `eval`, which the policy forbids."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    for _ in range(150):
        # While one page gives way to the next there is no document to ask, or none that answers.
        with contextlib.suppress(sync_api.Error):
            if window.page.evaluate(what):
                return
        window.page.wait_for_timeout(100)
    raise AssertionError(f"it never came to be: {what}")


# Not for the whole session: while Playwright is open, no other test of the process can run an event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("TASKMANAGER_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium, or set TASKMANAGER_TEST_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The dashboard of a lively installation."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/web.db", doorbell=False)
    tm.database.create_tables()
    ids = fill(tm)
    app = create_app(tm, users=USERS, roles=ROLES)
    page = Page(app, "127.0.0.1", 0)
    yield Site(tm, page.url.replace("localhost", "127.0.0.1"), ids, page, app)
    page.close()
    tm.close()


@pytest.fixture
def window(chromium: Any, site: Site) -> Iterator[Callable[..., Window]]:
    """Opens windows: user, phone, and what a browser context takes.

    It sends the password with each request. With `cached=False` the browser is asked for it, as people's are, and
    Playwright answers for it, for which it switches the browser's cache off: a page's files are then loaded anew, which
    takes half as long again. It is for tests of what a browser sends by itself, and where.
    """
    contexts: list[Any] = []

    def make(user: str = "ann", *, phone: bool = False, cached: bool = True, **options: Any) -> Window:
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        options = {"viewport": size, "locale": "en-GB"} | options
        if user and cached:
            options["extra_http_headers"] = signed(user)
        elif user:
            options["http_credentials"] = {"username": user, "password": "secret"}
        contexts.append(chromium.new_context(**options))
        return Window(contexts[-1].new_page(), site.url)

    yield make
    for context in contexts:
        context.close()

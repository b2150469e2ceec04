"""A real browser before a real server. Skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import ROLES, USERS
from tests.webui.sample import fill
from webui import Page, create_app

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text("utf-8")
_RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']}"
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
            name = re.sub(r"[^A-Za-z0-9]+", "-", self.page.url.partition("/hangfire")[2].strip("/")) or "overview"
            self.page.screenshot(path=Path(_PICTURES) / look / f"{name}.png", full_page=True)

    def violations(self) -> list[str]:
        """What axe finds: WCAG 2.0 to 2.2, A and AA."""
        found = self.page.evaluate(f"{AXE};axe.run({_RULES})")
        return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in found["violations"]]


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
    """Opens windows: user, phone, and what a browser context takes."""
    contexts: list[Any] = []

    def make(user: str = "ann", *, phone: bool = False, **options: Any) -> Window:
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        options = {"viewport": size, "locale": "en-GB"} | options
        if user:
            options["http_credentials"] = {"username": user, "password": "secret"}
        contexts.append(chromium.new_context(**options))
        return Window(contexts[-1].new_page(), site.url)

    yield make
    for context in contexts:
        context.close()

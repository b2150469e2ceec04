"""The other half of all pages, those of single jobs among them: two workers of a test run share whole files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.webui.browser.conftest import Site, Window
from tests.webui.browser.sweep import alarm, in_czech, in_english, paths_of_others, right_to_left
from webui import languages

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.timeout(600)
Windows = Callable[..., Window]


def test_all_other_pages_are_accessible_quiet_and_fit_their_window(site: Site, window: Windows) -> None:
    in_english(window, ["alerts"])
    alarm(site)
    in_english(window, paths_of_others(site))


def test_all_other_pages_fit_a_phone_in_czech_and_nothing_is_cut(site: Site, window: Windows) -> None:
    alarm(site)
    in_czech(window, paths_of_others(site))


def test_pages_that_are_read_from_right_to_left_fit_their_window_and_nothing_is_cut(
    site: Site, window: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "direction", lambda: "rtl")
    failed = f"jobs/details/{site.ids['failed']}"
    right_to_left(window, ["", "jobs/failed", failed, "recurring", "recurring/daily-report", "history", "alerts"])

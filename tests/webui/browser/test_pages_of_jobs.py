"""One half of all pages, the lists of jobs: two workers of a test run share whole files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.webui.browser.conftest import Site, Window
from tests.webui.browser.sweep import in_czech, in_english, paths_of_jobs

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.timeout(600)
Windows = Callable[..., Window]


def test_lists_of_jobs_are_accessible_quiet_and_fit_their_window(site: Site, window: Windows) -> None:
    in_english(window, paths_of_jobs(site))


def test_lists_of_jobs_fit_a_phone_in_czech_and_nothing_is_cut(site: Site, window: Windows) -> None:
    in_czech(window, paths_of_jobs(site))

"""Every link of every page leads to a page, whoever looks: nobody is sent where he is refused."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from taskmanager import TaskManager
from tests.webui.conftest import ROLES, USERS, Browser
from tests.webui.sample import fill
from tests.webui.test_restricting_pages import before
from webui import create_app

_LINK = re.compile(r'\b(?:href|hx-get|src|data-suggest|data-stats)="([^"#][^"]*)"')
#: What a form of GET asks for.
_ASKED = re.compile(r'<form\b(?![^>]*method="post")[^>]*\baction="([^"#][^"]*)"')


def kind(app: object, path: str) -> tuple[str, ...] | None:
    """What kind of address it is, of which one is followed; None where the map has none such."""
    parts = urlsplit(path)
    try:
        endpoint, given = app.url_map.bind("localhost").match(parts.path)  # type: ignore[attr-defined]
    except HTTPException:
        return None
    state = str(given.get("state") or given.get("action") or "")
    return (endpoint, state, *sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}))


def refused(browser: Browser) -> dict[str, tuple[str, int]]:
    """Of what is reached from the overview: the links that lead nowhere, the page that each stands on, and why."""
    waiting, seen, found = [("/hangfire/", "")], set[tuple[str, ...] | None](), dict[str, tuple[str, int]]()
    known = set[str]()
    while waiting:
        path, source = waiting.pop(0)
        answer = browser.get(path)
        if answer.status_code not in (200, 302, 304):
            found[path] = (source, answer.status_code)
        if answer.mimetype != "text/html":
            continue
        for link in _LINK.findall(answer.text) + _ASKED.findall(answer.text):
            address = urljoin(path, html.unescape(link))
            if urlsplit(address).netloc or not address.startswith("/") or address in known:
                continue
            known.add(address)
            of = kind(browser.app, address)
            if of is None or of not in seen:
                waiting.append((address, path))
            seen.add(of)
    assert len(seen) > 40, "the walk went on from page to page"
    return found


@pytest.mark.parametrize("name", ["ann", "eve"])
def test_every_link_leads_somewhere_for_who_may_do_all_and_for_who_may_only_look(tm: TaskManager, name: str) -> None:
    fill(tm)
    made = create_app(tm, users=USERS, roles=ROLES)
    assert refused(Browser(made, name)) == {}


def test_every_link_of_a_dashboard_of_some_queues_leads_somewhere(tm: TaskManager) -> None:
    fill(tm)
    assert refused(before(tm, "mail,default")) == {}

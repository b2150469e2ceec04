"""Below a path of a proxy that strips it: every link, file and form leads back below that path."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from taskmanager import TaskManager
from tests.webui.conftest import HTML, ROLES, USERS, signed
from tests.webui.prefix import PREFIX, StrippingProxy
from tests.webui.sample import fill
from webui import Page, create_app

_LINKS = re.compile(r'(?:href|src|hx-get|data-stats|data-log)="([^"]+)"')
_FORMS = re.compile(r'action="([^"]+)"')
_IMPORTS = re.compile(r'\bfrom ?"(\./[^"]+)"')


class _Stays(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *asked: object) -> None:
        return None


class Visitor:
    """Asks the proxy, and keeps the cookies of the session."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._opener = urllib.request.build_opener(_Stays(), urllib.request.HTTPCookieProcessor())

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, where it leads and what it says."""
        body = urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.origin + path, body, signed() | HTML | {"Origin": self.origin})
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, "", answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers.get("Location", ""), answer.read().decode("utf-8", "replace")


@pytest.fixture
def served(tm: TaskManager) -> Iterator[tuple[TaskManager, dict[str, int], Visitor]]:
    """The dashboard behind the proxy, on a lively installation."""
    ids = fill(tm)
    behind = TaskManager(database_url=tm.settings.database_url, doorbell=False, web_proxies=1)
    for known in tm.registry:
        behind.registry.add(known)
    page = Page(create_app(behind, users=USERS, roles=ROLES), "127.0.0.1", 0, proxies=1)
    proxy = StrippingProxy(page.url)
    yield tm, ids, Visitor(proxy.origin)
    proxy.close()
    page.close()
    behind.close()


@pytest.mark.timeout(300)
def test_every_link_and_file_of_every_page_leads_below_the_prefix(
    served: tuple[TaskManager, dict[str, int], Visitor],
) -> None:
    _, _, visitor = served
    wanted, seen = [f"{PREFIX}/hangfire/"], set()
    while wanted:
        path = wanted.pop()
        status, leads_to, text = visitor.ask(path)
        assert status == 200 or (status, PREFIX in leads_to) == (302, True), path
        assert [one for one in _FORMS.findall(text) if not one.startswith(f"{PREFIX}/hangfire/")] == [], path
        found = [html.unescape(link) for link in _LINKS.findall(text)] if "<html" in text[:500] else []
        found += _IMPORTS.findall(text) if path.partition("?")[0].endswith(".js") else []
        for link in (urljoin(path, one) for one in found):
            assert link.startswith((f"{PREFIX}/hangfire/", f"{PREFIX}/api/")), (path, link)
            place = re.sub(r"\d+", "1", urlsplit(link).path)  # one page of each kind
            if place not in seen:
                seen.add(place)
                wanted.append(link.partition("#")[0])
    kinds = {place.removeprefix(f"{PREFIX}/hangfire/") for place in seen}
    assert {"jobs/details/1", "recurring/daily-report/edit", "history/1", "static/dashboard.js"} <= kinds
    assert "static/vendor/hotkey-1.1.1.js" in kinds, "what scripts import"
    assert visitor.ask("/hangfire/")[0] == 404, "the proxy serves nothing else"


def test_a_form_below_the_prefix_changes_a_job_and_comes_back(
    served: tuple[TaskManager, dict[str, int], Visitor],
) -> None:
    tm, ids, visitor = served
    page = f"{PREFIX}/hangfire/jobs/details/{ids['failed']}"
    text = visitor.ask(page)[2]
    action = next(one for one in _FORMS.findall(text) if "requeue" in one)
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    back = re.search(r'name="back" value="([^"]+)"', text)
    assert token
    assert back
    status, leads_to, _ = visitor.ask(action, {"csrf_token": token[1], "back": html.unescape(back[1])})
    assert (status, urlsplit(leads_to).path) == (303, page)
    assert tm.get(ids["failed"]).state == "Enqueued"
    assert "The job was enqueued." in visitor.ask(page)[2]

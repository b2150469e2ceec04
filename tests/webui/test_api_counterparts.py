"""The API does what the pages do: the guide's table names every address of both, and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from webui import create_app

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "api.md").read_text("utf-8")
ROWS = [line.split(" | ") for line in GUIDE.partition("## Page by page")[2].splitlines() if line.startswith("| ")][1:]
NAMED = re.compile(r"(GET|POST|PUT|DELETE) `(/[^`]*)`")


def column(number: int) -> list[tuple[str, str]]:
    """The addresses of a column, with their methods."""
    return [named for row in ROWS for named in NAMED.findall(row[number])]


def addresses(app: Any, prefixes: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """Those of a URL map below some paths, and what each needs."""
    found: dict[tuple[str, str], set[str]] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", rule.rule)
        if path.startswith(tuple(prefixes)):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                view = app.view_functions[rule.endpoint]
                found.setdefault((method, path.removeprefix("/hangfire")), set()).add(getattr(view, "needs", ""))
    return found


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Any]:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/map.db", doorbell=False)
    yield create_app(tm, users={})
    tm.close()


def test_every_address_of_the_dashboard_is_in_the_table_once_with_its_counterpart(app: Any) -> None:
    listed = column(0)
    assert len(listed) == len(set(listed))
    assert set(listed) == set(addresses(app, ["/hangfire"]))


def test_every_address_of_the_api_is_in_the_table_and_none_that_is_not_there(app: Any) -> None:
    assert set(column(1)) == set(addresses(app, ["/api/", "/hubs/"]))


def test_what_the_pages_ask_for_a_change_the_api_asks_for_too(app: Any) -> None:
    of_pages, of_api = addresses(app, ["/hangfire"]), addresses(app, ["/api/", "/hubs/"])
    for page, api in (row[:2] for row in ROWS):
        wanted = {one for named in NAMED.findall(page) if named[0] != "GET" for one in of_pages[named]} - {"jobs.view"}
        asked = {one for named in NAMED.findall(api) if named[0] != "GET" for one in of_api[named]}
        assert not wanted or asked == wanted, (page, api)

"""Saved searches at /api/v1/searches: one's own, and those of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from webui import access
from webui.api import lookschemas
from webui.api.problems import refuse, told
from webui.api.routing import group, operation
from webui.blueprint import manager, read
from webui.views.searches import must_be_writable

searches = group("searches", "Saved searches")


@operation(searches, "GET", "/api/v1/searches", gives=lambda: lookschemas.SavedSearch(many=True))
def list_searches() -> Any:
    """One's own and those of all, by name."""
    known = read(lambda tx: manager().searches.known_to(tx, g.user.name))
    return [{"name": one.name, "q": one.q, "by": one.by, "shared": one.is_shared} for one in known]


@operation(searches, "POST", "/api/v1/searches/own", needs="jobs.view", body=lookschemas.NewSearch)
def save_search(body: Mapping[str, Any]) -> None:
    """Keep a search for oneself, in place of the one of this name."""
    _save(body, shared=False)


@operation(searches, "POST", "/api/v1/searches/shared", needs="jobs.manage", body=lookschemas.NewSearch)
def share_search(body: Mapping[str, Any]) -> None:
    """Keep a search for all, in place of the one of this name."""
    access.about("search", body["name"], after={"q": body["q"]})
    _save(body, shared=True)


@operation(searches, "DELETE", "/api/v1/searches/own/<path:name>", needs="jobs.view")
def remove_search(name: str) -> None:
    """Forget a search of one's own."""
    _remove(name, shared=False)


@operation(searches, "DELETE", "/api/v1/searches/shared/<path:name>", needs="jobs.manage")
def unshare_search(name: str) -> None:
    """Forget a search of all."""
    access.about("search", name[:100])
    _remove(name, shared=True)


def _save(body: Mapping[str, Any], *, shared: bool) -> None:
    must_be_writable()
    with told(field="name"):
        manager().searches.save(g.user.name, body["name"], body["q"], shared=shared)


def _remove(name: str, *, shared: bool) -> None:
    must_be_writable()
    if not manager().searches.remove(g.user.name, name[:100], shared=shared):
        refuse(404, "Searches.Unknown", "no search is saved under this name")

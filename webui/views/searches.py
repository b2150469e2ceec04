"""Saved searches: kept under a name for oneself, or for all."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.errors import InvalidArgument
from webui import access
from webui.access import needs
from webui.blueprint import manager, pages


@pages.post("/search/own")
@needs("jobs.view")
def search_save() -> Any:
    """Keep a search for oneself."""
    return _save(shared=False)


@pages.post("/search/shared")
@needs("jobs.manage")
def search_share() -> Any:
    """Keep a search for all."""
    access.about("search", request.form.get("name", "").strip()[:100], after={"q": request.form.get("q", "")[:500]})
    return _save(shared=True)


@pages.post("/search/own/remove")
@needs("jobs.view")
def search_remove() -> Any:
    """Forget a search of one's own."""
    return _remove(shared=False)


@pages.post("/search/shared/remove")
@needs("jobs.manage")
def search_unshare() -> Any:
    """Forget a search of all."""
    access.about("search", request.form.get("name", "").strip()[:100])
    return _remove(shared=True)


def must_be_writable() -> None:
    """Aborts with 403 where setting `web_read_only` lets nobody change anything: one's own takes no further permission
    than to look."""
    if manager().settings.web_read_only:
        abort(403, "web_read_only")


def _save(*, shared: bool) -> Any:
    must_be_writable()
    name, q = request.form.get("name", ""), request.form.get("q", "")
    try:
        manager().searches.save(g.user.name, name, q, shared=shared)
    except InvalidArgument as error:
        flash(str(error), "warn")
        return redirect(url_for("pages.search", q=q[:500]), 303)
    flash(_("The search “%(name)s” is saved.", name=name.strip()), "done")
    return redirect(url_for("pages.search", q=q.strip()), 303)


def _remove(*, shared: bool) -> Any:
    must_be_writable()
    name = request.form.get("name", "")[:100]
    if manager().searches.remove(g.user.name, name, shared=shared):
        flash(_("The search “%(name)s” is removed.", name=name), "done")
    return redirect(url_for("pages.search"), 303)

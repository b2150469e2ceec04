"""What surrounds every page: navigation with counts, footer, and the helpers templates use."""

from __future__ import annotations

import functools
import hashlib
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from markupsafe import Markup, escape

import taskmanager
from taskmanager.domain import times
from webui import (
    access,
    compiled,
    cron_builder,
    crons,
    cursors,
    formats,
    highlight,
    jobviews,
    languages,
    redaction,
    restricting,
    runviews,
)
from webui.addresses import IN_QUERIES
from webui.blueprint import manager
from webui.snapshots import Seen, Snapshots

#: States in the order of the side menu: address, name in the tables, label.
STATES: dict[str, tuple[str, Any]] = {
    "enqueued": ("Enqueued", _l("Enqueued")),
    "scheduled": ("Scheduled", _l("Scheduled")),
    "processing": ("Processing", _l("Processing")),
    "succeeded": ("Succeeded", _l("Succeeded")),
    "failed": ("Failed", _l("Failed")),
    "deleted": ("Deleted", _l("Deleted")),
    "awaiting": ("Awaiting", _l("Awaiting")),
}
ICONS = {
    "enqueued": "list", "scheduled": "clock", "processing": "loader", "succeeded": "check", "failed": "circle-x",
    "deleted": "trash-2", "awaiting": "link",
}  # fmt: skip
PRODUCTS = {"mysql": "MySQL", "mariadb": "MariaDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}
#: Clocks of the web host and the database further apart than this are worth a warning.
_SKEW_SECONDS = 30


def dress(app: Flask) -> None:
    """Give templates what they use."""

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.context_processor
    def surroundings() -> dict[str, Any]:
        return {"seen": seen(), "taste": languages.taste(), "lang": languages.language(), "may": access.may}

    @app.after_request
    def told(response: Any) -> Any:
        if "started" in g:
            response.headers["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - g.started):.1f}"
        return response

    app.jinja_env.globals.update(
        formats=formats, jobviews=jobviews, crons=crons, cron_builder=cron_builder, languages=languages,
        runviews=runviews,
        STATES=STATES, ICONS=ICONS, asset=asset, drawing=icon, state_label=state_label, count=count,
        count_text=count_text, restricted=restricting.queues, settings=_settings, skew=skew, utcnow=times.utcnow,
        version=taskmanager.__version__, product=lambda: PRODUCTS[manager().database.product.name], elapsed=elapsed,
        user=lambda: g.get("user"), ngettext=ngettext, nav=nav, shell_here=here, with_args=with_args,
        code=highlight.code, highlight_trace=highlight.trace, redact=redaction.message, cursor=cursors.write,
    )  # fmt: skip
    app.jinja_env.filters["unix"] = formats.unix
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.bytecode_cache = compiled.SHARED


def seen(*, rows: bool = False) -> Seen | None:
    """The counts, one set for the whole answer; after an error what was known before. rows: as of Snapshots.get."""
    if "seen" not in g:
        snapshots: Snapshots = current_app.config["SNAPSHOTS"]
        g.seen = snapshots.last() if g.get("shell_from_memory") else snapshots.get(rows=rows)
    found: Seen | None = g.seen
    return found


def count(name: str) -> int | None:
    """A count; None when it is not known, as in a dashboard of some queues that of what is of all of them."""
    found = seen()
    return None if found is None else found.counts.get(name)


def is_capped(name: str) -> bool:
    """Whether there are more than were counted."""
    found = seen()
    return found is not None and found.is_capped(name)


def count_text(name: str) -> str:
    """A count for people: `1,234`, `10,000+`, `–`."""
    found = seen()
    number = None if found is None else found.counts.get(name)
    if found is None or number is None:
        return "–"
    if not found.is_capped(name):
        return formats.number(number)
    return formats.number(number if found.narrowed else number - 1) + "+"


def skew() -> float | None:
    """Seconds by which the database's clock is ahead of this host's, when that is worth telling."""
    found = seen()
    if found is None or found.stale:
        return None
    ahead = (found.snapshot.at - times.utcnow()).total_seconds() + found.age
    return ahead if abs(ahead) > _SKEW_SECONDS else None


def elapsed() -> str:
    """How long making this page took so far."""
    return formats.duration(1000 * (time.perf_counter() - g.started)) if "started" in g else ""


def state_label(name: str | None) -> str:
    """A state in the reader's language; foreign states as they are."""
    known = STATES.get((name or "").lower())
    return str(known[1]) if known else name or "–"


def nav() -> list[tuple[str, str, Any, str, str, str]]:
    """Top menu: key, address, label, icon, name of its count, keys."""
    if "nav" not in g:
        g.nav = _nav()
    found: list[tuple[str, str, Any, str, str, str]] = g.nav
    return found


def _nav() -> list[tuple[str, str, Any, str, str, str]]:
    listed: list[tuple[str, str, Any, str, str, str]] = [
        ("overview", url_for("pages.overview"), _l("Overview"), "layout-dashboard", "", "g o"),
        ("jobs", url_for("pages.job_list", state="failed"), _l("Jobs"), "list-checks", "failed", "g j,g f"),
        ("retries", url_for("pages.retries"), _l("Retries"), "rotate-ccw", "retries", "g e"),
        ("recurring", url_for("pages.recurring"), _l("Recurring jobs"), "repeat", "recurring", "g r"),
        ("queues", url_for("pages.queues"), _l("Queues"), "layers", "queues", "g q"),
        ("servers", url_for("pages.servers"), _l("Servers"), "server", "servers", "g s"),
        ("history", url_for("pages.history"), _l("History"), "clock", "", "g h"),
        ("alerts", url_for("pages.alert_list"), _l("Alerts"), "bell", "alerts", "g a"),
    ]
    if access.may("audit.view"):
        listed.append(("audit", url_for("pages.audit"), _l("Audit log"), "clipboard-list", "", "g l"))
    if restricting.queues():
        listed = [one for one in listed if one[0] in ("overview", "jobs", "retries", "recurring", "queues")]
    return listed + [("", address, title, "link", "", "") for title, address in _settings().web_menu.items()]


def here() -> str:
    """The address of this page, to come back to."""
    query = request.query_string.decode("utf-8", "replace")
    return request.script_root + request.path + (f"?{query}" if query else "")


def with_args(**changes: Any) -> str:
    """The address of this page with other arguments; None takes one away."""
    kept = {name: request.args.getlist(name) for name in request.args} | {
        name: [] if value is None else [str(value)] for name, value in changes.items()
    }
    # By hand: an argument in the address may be called as one of url_for is, or as a part of the path.
    address = url_for(request.endpoint or "pages.overview", **(request.view_args or {}))
    query = urlencode(kept, doseq=True, safe=IN_QUERIES)
    return f"{address}?{query}" if query else address


def wants_page() -> bool:
    """Whether a browser's window asks, which is to be shown a page, and not a program."""
    accepted = request.accept_mimetypes
    return accepted.accept_html and accepted.best_match(["application/json", "text/html"]) == "text/html"


@functools.cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file, with its fingerprint, so that it may be kept for ever."""
    if "assets" not in g:
        g.assets = url_for("pages.static", filename="_").removesuffix("_")
    return f"{g.assets}{name}?v={_fingerprint(name)}"


def icon(name: str, kind: str = "icon") -> Markup:
    """A drawing of `icons.svg`, made once for an answer. kind: a class of it beside `icon`."""
    try:
        drawn: dict[tuple[str, str], Markup] = g.icons
    except AttributeError:
        drawn = g.icons = {}
    found = drawn.get((name, kind))
    if found is None:
        classes, address = kind if kind == "icon" else f"icon {kind}", escape(asset("icons.svg"))
        found = Markup(f'<svg class="{classes}" aria-hidden="true"><use href="{address}#{name}"></use></svg>')
        drawn[name, kind] = found
    return found


def _settings() -> Any:
    return manager().settings

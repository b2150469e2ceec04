"""The web pages: Flask at /hangfire, served by waitress. Views ask storage's reads and the app's verbs; no SQL here."""

from __future__ import annotations

import errno
import select
import threading
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import waitress.server
import waitress.wasyncore
from flask import Flask, redirect, url_for
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from taskmanager import TaskManager
from taskmanager.server.process import Loop
from taskmanager.server.watching import ConditionJudge
from webui import (
    access,
    addresses,
    api,
    bearer,
    drawings,
    errors,
    examining,
    headers,
    languages,
    memory,
    recurringrows,
    requests,
    shell,
)
from webui.blueprint import pages
from webui.counting import Counting
from webui.feed import Feed, Slots
from webui.hosting import Can, Host, Who
from webui.hub import hubs
from webui.panels import MakesPanel, Panel
from webui.panels import load as load_panels
from webui.routes import LateRule
from webui.snapshots import Snapshots
from webui.users import ROLES, User
from webui.views import ALL

__all__ = ["ROLES", "Page", "Panel", "User", "create_app", "serve"]

#: The modules whose import puts their pages on the blueprint.
VIEWS = ALL


def create_app(
    tm: TaskManager, *, users: Mapping[str, str] | None = None, roles: Mapping[str, str] | None = None,
    path: str = "/hangfire", who: Who | None = None, can: Can | None = None, panels: Iterable[MakesPanel] = (),
) -> Flask:  # fmt: skip
    """The WSGI application of one TaskManager.

    users: name → password hash; roles: name → `view` or `manage`; else the settings `web_users` and `web_roles`.
    Closed by default: without users nobody gets in. who: instead of users and passwords, who of a host application
    sends a request; can: whether a user may do an action to a resource, beyond what the role says.
    panels: what makes panels of a job's page, besides setting `web_panels`.
    path: where the pages stand; a host application that mounts this one elsewhere gives SCRIPT_NAME, and all links
    follow it.
    """
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = LateRule
    _configure(app, tm, Host(who, can, tm.settings.web_read_only), panels)
    settings = tm.settings
    requests.install(app)
    headers.protect(app)
    languages.speak(app, settings.web_language)
    bearer.install(app, settings)
    access.guard(
        app,
        users=dict(users if users is not None else settings.web_users),
        roles=dict(roles if roles is not None else settings.web_roles),
        read_only=settings.web_read_only,
    )
    errors.explain(app)
    shell.dress(app)
    drawings.install(app)
    recurringrows.install(app)
    examining.install(app)
    addresses.install(app)
    app.register_blueprint(pages, url_prefix=path)
    app.register_blueprint(hubs)
    api.install(app)
    Compress(app)
    if settings.web_proxies:
        n = settings.web_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=n)  # type: ignore[method-assign]

    @app.get("/")
    def root() -> Any:
        return redirect(url_for("pages.overview"))

    return app


def _configure(app: Flask, tm: TaskManager, host: Host, panels: Iterable[MakesPanel]) -> None:
    """What pages find in the application, and Flask's own bounds."""
    app.config.update(
        TASKMANAGER=tm,
        SNAPSHOTS=Snapshots(tm),
        HOST=host,
        FEED=Feed(tm),
        PANELS=[*load_panels(tm.settings.web_panels), *panels],
        STREAMS=Slots(tm.settings.web_streams),
        COUNTING=Counting(tm),
        LIVE_STREAMS=Slots(tm.settings.live_streams),
        SESSION_COOKIE_NAME="taskmanager",
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        COMPRESS_MIMETYPES=["text/html", "text/css", "application/json", "text/javascript", "image/svg+xml"],
    )


#: An open page keeps its connection; beyond so many nobody gets one.
_CONNECTIONS = 1000


class Page:
    """A web server running in a thread of its own."""

    def __init__(self, app: Flask, host: str, port: int, *, proxies: int = 0) -> None:
        # Without proxies waitress drops what they would say; with them ProxyFix believes the nearest ones only.
        options = {"threads": app.config["TASKMANAGER"].settings.web_threads, "ident": None}
        options |= {"clear_untrusted_proxy_headers": proxies == 0}
        options["channel_request_lookahead"] = 1  # so that it is noticed when who listens to a stream is gone
        options["connection_limit"] = _CONNECTIONS
        memory.share_heap()
        memory.set_lasting_aside()
        options["asyncore_use_poll"] = hasattr(select, "poll")  # select() takes no more than 1,024 files
        try:
            self._server: Any = waitress.server.create_server(app, host=host, port=port, **options)
        except ValueError as error:  # what waitress says of a name that nobody knows
            raise OSError(errno.EADDRNOTAVAIL, "there is no such address") from error
        self._feed: Feed = app.config["FEED"]
        shown = "localhost" if host in ("0.0.0.0", "::") else host
        self.url = f"http://{shown}:{self._server.effective_port}/hangfire"
        self._closing = False
        tm: TaskManager = app.config["TASKMANAGER"]
        #: Where no worker lives, nobody else can tell of it.
        self._judge = Loop(ConditionJudge(tm.conditions, tm.stand_in.send_waiting if tm.stand_in else None))
        self._judge.start()
        self._thread = threading.Thread(target=self._run, name="taskmanager-web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._closing = True
        self._judge.stop()
        self._feed.closing.set()
        self._server.task_dispatcher.shutdown(timeout=2.0)  # who is in the middle of an answer ends it
        waitress.wasyncore.close_all(self._server._map)  # open connections too, which nobody would answer any more
        self._judge.join(2.0)
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            self._server.run()
        except OSError:
            if not self._closing:  # else its sockets were closed under it, which is how waitress ends
                raise


def serve(tm: TaskManager, *, host: str, port: int, users: Mapping[str, str] | None = None) -> Page:
    """Serve the pages in the background; port 0 takes a free one."""
    return Page(create_app(tm, users=users), host, port, proxies=tm.settings.web_proxies)

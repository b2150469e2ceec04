"""The web pages: Flask at /hangfire, served by waitress. Views ask the app and storage's monitoring; no SQL here."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from typing import Any

import waitress.server
from flask import Flask, Response, redirect, url_for
from flask_httpauth import HTTPBasicAuth
from flask_wtf.csrf import CSRFProtect
from werkzeug.security import check_password_hash

from taskmanager import TaskManager
from webui import formats
from webui.views import pages

#: Checked against when a user is unknown, so that guessing names takes as long as guessing passwords.
_NOBODY = "scrypt:32768:8:1$x$" + "0" * 128

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(tm: TaskManager, *, users: Mapping[str, str] | None = None) -> Flask:
    """The WSGI application of one TaskManager. users: name → password hash; else the setting `web_users`.

    Closed by default: without users nobody gets in.
    """
    app = Flask(__name__)
    app.config["SECRET_KEY"] = tm.settings.web_secret_key or secrets.token_hex(32)
    app.config["TASKMANAGER"] = tm
    app.config["SESSION_COOKIE_SAMESITE"] = "Strict"
    CSRFProtect(app)
    auth = _authentication(dict(users if users is not None else tm.settings.web_users))
    app.register_blueprint(pages, url_prefix="/hangfire")
    app.before_request(auth.login_required(lambda: None))
    app.after_request(_headers)
    app.jinja_env.globals["formats"] = formats

    @app.get("/")
    def root() -> Any:
        return redirect(url_for("pages.overview"))

    return app


class Page:
    """A web server running in a thread of its own."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._server: Any = waitress.server.create_server(app, host=host, port=port, threads=8)
        shown = "localhost" if host in ("0.0.0.0", "::") else host
        self.url = f"http://{shown}:{self._server.effective_port}/hangfire"
        self._thread = threading.Thread(target=self._server.run, name="taskmanager-web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.close()


def serve(tm: TaskManager, *, host: str, port: int, users: Mapping[str, str] | None = None) -> Page:
    """Serve the pages in the background; port 0 takes a free one."""
    return Page(create_app(tm, users=users), host, port)


def _authentication(users: Mapping[str, str]) -> HTTPBasicAuth:
    auth = HTTPBasicAuth(realm="taskmanager")

    @auth.verify_password  # type: ignore[untyped-decorator,unused-ignore]
    def verify(name: str, password: str) -> str | None:
        good = check_password_hash(users.get(name, _NOBODY), password)
        return name if good and name in users else None

    @auth.error_handler  # type: ignore[untyped-decorator,unused-ignore]
    def refused(status: int) -> Response:
        hint = "" if users else " Nobody may sign in yet: set web_users (name and password hash)."
        return Response(f"Sign in to see this page.{hint}\n", status, mimetype="text/plain")

    return auth


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response

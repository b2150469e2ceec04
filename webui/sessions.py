"""Sessions in cookies, and the key that signs them."""

from __future__ import annotations

import secrets

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.storage.signing_key import signing_key


class SignedSessions(SecureCookieSessionInterface):
    """Sessions signed with a key that is kept with the jobs: restarts and several nodes cause no false refusals.

    Cookies are for TLS only where there is TLS; behind a proxy that is what it says.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if app.config.get("KEY_IS_PROVISIONAL", True):
            self._take_key(app)
        return super().open_session(app, request)

    def _take_key(self, app: Flask) -> None:
        """While the database is away a key of this process serves; the forms it signed expire when it is back."""
        tm: TaskManager = app.config["TASKMANAGER"]
        try:
            app.secret_key = tm.settings.web_secret_key or signing_key(tm.database, patience=1.0)
            app.config["KEY_IS_PROVISIONAL"] = False
        except StorageError:
            app.secret_key = app.secret_key or secrets.token_hex(32)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:
        return (request.root_path or "") + "/"

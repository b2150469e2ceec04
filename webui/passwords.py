"""Signing in with a name and a password: the check, what it costs, and how often it may be wrong."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from flask import Flask, Response, current_app, g, request
from flask_httpauth import HTTPBasicAuth
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.security import check_password_hash

from webui.users import ROLES, User

#: Checked against when a user is unknown, so that guessing names takes as long as guessing passwords.
_NOBODY = "scrypt:32768:8:1$x$" + "0" * 128
_WRONG_PASSWORDS = "10 per minute"
#: So long at most an address that guessed too often waits.
WAIT_SECONDS = 60


def authentication(users: Mapping[str, str], roles: Mapping[str, str], read_only: bool) -> HTTPBasicAuth:
    """Basic authentication of these users (name: hash of the password) with these roles (name: view or manage)."""
    auth = HTTPBasicAuth(realm="taskmanager")
    known = _Remembered()

    @auth.verify_password  # type: ignore[untyped-decorator,unused-ignore]
    def verify(name: str, password: str) -> User | None:
        if not (name or password):  # a browser that has not asked yet: there is nothing to guess, and nothing to hash
            return None
        stored = users.get(name, _NOBODY)
        if not known.has(name, password, stored):
            good = check_password_hash(stored, password)
            if not good or name not in users:
                view = current_app.view_functions.get(request.endpoint or "")
                current_app.config["WRONG_PASSWORDS"].note(
                    name if name in users else None, getattr(view, "door", "dashboard"), request.remote_addr
                )
                return None
            known.add(name, password, stored)
        role = roles.get(name, "manage")
        return User(name, ROLES["view" if read_only else role])

    @auth.error_handler  # type: ignore[untyped-decorator,unused-ignore]
    def refused(status: int) -> Response:
        if is_quiet():
            return Response('{"error": "signed out"}', 403, mimetype="application/json")
        return Response("Sign in to see this page.\n", status, mimetype="text/plain")

    return auth


class _Remembered:
    """Sign-ins that were right lately: checking a hash costs 50 ms of CPU, and every poll signs in again."""

    _MOST = 1000

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._seen: set[bytes] = set()

    def has(self, name: str, password: str, stored: str) -> bool:
        return self._digest(name, password, stored) in self._seen

    def add(self, name: str, password: str, stored: str) -> None:
        if len(self._seen) >= self._MOST:
            self._seen.clear()
        self._seen.add(self._digest(name, password, stored))

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\0".join(parts).encode(), hashlib.sha256)


def limit_guesses(app: Flask) -> None:
    """Ten wrong passwords or tokens a minute from one address."""
    Limiter(
        get_remote_address, app=app, storage_uri="memory://", headers_enabled=False,
        application_limits=[_WRONG_PASSWORDS],
        application_limits_deduct_when=_was_wrong,
        application_limits_exempt_when=lambda: request.endpoint == "pages.static",
    )  # fmt: skip


def _was_wrong(response: Response) -> bool:
    given = response.status_code == 401 and bool(request.authorization)
    return given or "wrong_credentials" in g


def is_quiet() -> bool:
    """Whether a browser that is refused would ask for a password in the middle of nothing.

    A browser sends a password by itself only below the address where it was asked for; elsewhere it must be asked, and
    then answers without its user. So a page's own poll is asked once, and not again when the password is wrong. The hub
    is asked by pages of other applications: never.
    """
    asked = request.headers
    is_poll = "HX-Request" in asked or "X-Requested-With" in asked or asked.get("Accept") == "text/event-stream"
    view = current_app.view_functions.get(request.endpoint or "")
    return is_poll and (request.authorization is not None or getattr(view, "takes_token_in_address", False))

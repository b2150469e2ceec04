"""Bearer credentials: API tokens, kept as hashes in the configuration, and JWTs that somebody else signs.

An API token is 32 random bytes, so one round of SHA-256 keeps it; passwords, which people choose, need more.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import TYPE_CHECKING

from flask import Flask, current_app, g, request

from taskmanager import TaskManager
from taskmanager.config import Settings
from taskmanager.engine.audit import Actor
from webui import requests
from webui.users import ROLES, Refused, User

if TYPE_CHECKING:
    from webui.jwts import Jwts

log = logging.getLogger("taskmanager.web")

#: Longer than any token of ours and any JWT that fits a header.
_LONGEST = 16_384


class Bearer:
    """Who a token stands for. Raises ConfigurationError when a JWT key does not fit the algorithms."""

    def __init__(self, settings: Settings) -> None:
        self._read_only = settings.web_read_only
        self._tokens = {name: value.rpartition(":") for name, value in settings.api_tokens.items()}
        self._jwt: Jwts | None = None
        if settings.jwt_key:
            from webui.jwts import Jwts

            self._jwt = Jwts(settings)

    def user_of(self, token: str) -> User:
        """The user of an API token or a JWT. Raises Refused."""
        if len(token) > _LONGEST:
            raise Refused("it is too long")
        mine = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        for name, (role, _, stored) in self._tokens.items():  # all of them, so that time tells nothing
            if hmac.compare_digest(mine.encode(), stored.encode()):
                found = User(name, self._actions({role.removesuffix(":sha256")}))
        if found is not None:
            return found
        if self._jwt is None:
            raise Refused("no API token is this one")
        name, roles = self._jwt.claims_of(token)
        return User(name, self._actions(roles))

    def _actions(self, roles: set[str]) -> frozenset[str]:
        granted = {"view"} if self._read_only and roles else roles
        return frozenset().union(*(ROLES[role] for role in granted))


def install(app: Flask, settings: Settings) -> None:
    """Let requests and views of this application ask `user_of`."""
    app.config["BEARER"] = Bearer(settings)


def presented(*, in_address: bool = False) -> str | None:
    """The token in the request's Authorization header; None when it has none.

    in_address: it may also be the argument `access_token`. Addresses are kept in many places: for few handlers only.
    """
    given = request.authorization
    if given is not None and given.type == "bearer":
        return given.token or ""
    return request.args.get("access_token") or None if in_address else None


def user_of(token: str) -> User | None:
    """Who a bearer token stands for, an API token or a JWT; None when it lets nobody in.

    A refusal is logged, written to the audit log, and counted against the address like a wrong password.
    """
    try:
        found: User = current_app.config["BEARER"].user_of(token)
    except Refused as refused:
        g.wrong_credentials = True
        log.warning("a bearer token from %s is refused: %s", request.remote_addr, refused)
        tm: TaskManager = current_app.config["TASKMANAGER"]
        actor = Actor("-", "api", request.remote_addr, requests.number())
        tm.audit.denied(actor, "sign-in", "page", request.path[:100], f"bearer token refused: {refused}")
        return None
    return found

"""Bearer credentials: API tokens, kept as hashes in the configuration, and JWTs that somebody else signs.

An API token is 32 random bytes, so one round of SHA-256 keeps it; passwords, which people choose, need more.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Flask, current_app, g, request

from taskmanager import TaskManager
from taskmanager.config import Settings
from taskmanager.domain.errors import ConfigurationError
from taskmanager.engine.audit import Actor
from webui import requests
from webui.users import ROLES, User

log = logging.getLogger("taskmanager.web")

#: Clocks of two hosts differ by so many seconds at most.
_LEEWAY_SECONDS = 30
#: Longer than any token of ours and any JWT that fits a header.
_LONGEST = 16_384
_LONGEST_NAME = 100
#: The least length of an RSA key, in bits (RFC 7518, 3.3).
_SHORTEST_RSA = 2048


class Refused(Exception):
    """A token that lets nobody in, and why, for the log; who sent it is told only that it did not."""


class Bearer:
    """Who a token stands for. Raises ConfigurationError when a JWT key does not fit the algorithms."""

    def __init__(self, settings: Settings) -> None:
        self._read_only = settings.web_read_only
        self._tokens = {name: value.rpartition(":") for name, value in settings.api_tokens.items()}
        self._jwt = _Jwt(settings) if settings.jwt_key else None

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


class _Jwt:
    """Checks signature, times, audience and issuer; the algorithms that are taken are of the key's own kind."""

    def __init__(self, settings: Settings) -> None:
        self._key = _key(settings.jwt_key or "", settings.jwt_algorithms)
        self._settings = settings

    def claims_of(self, token: str) -> tuple[str, set[str]]:
        """Name and roles. Raises Refused."""
        s = self._settings
        needed = ["exp", "sub", *(["aud"] if s.jwt_audience else []), *(["iss"] if s.jwt_issuer else [])]
        try:
            claims = jwt.decode(
                token, self._key, algorithms=list(s.jwt_algorithms), audience=s.jwt_audience, issuer=s.jwt_issuer,
                leeway=_LEEWAY_SECONDS, options={"require": needed, "verify_aud": s.jwt_audience is not None},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise Refused(f"as a JWT it is refused: {str(error)[:200]}") from None
        name = claims["sub"]
        if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
            raise Refused(f"its sub is no name of 1 to {_LONGEST_NAME} printable characters")
        return name, self._roles(claims.get(s.jwt_claim))

    def _roles(self, claim: Any) -> set[str]:
        values = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
        mapped = self._settings.jwt_roles
        return {mapped[value] for value in values if isinstance(value, str) and value in mapped}


def _key(text: str, algorithms: tuple[str, ...]) -> Any:
    """The key that algorithms of one family check with. Raises ConfigurationError."""
    family = algorithms[0][:2]
    if family == "HS":
        if "-----BEGIN" in text:
            raise ConfigurationError(
                f"jwt_key is a public key, but jwt_algorithms are {', '.join(algorithms)}, which need a shared secret: "
                "name algorithms such as RS256 or ES256"
            )
        least = max(int(name[2:]) for name in algorithms) // 8  # as long as the hash (RFC 7518, 3.2)
        if len(text.encode()) < least:
            raise ConfigurationError(f"jwt_key is too short: a secret for {algorithms[0]} has {least} bytes or more")
        return text
    try:
        key: Any = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    kinds: dict[str, Any] = {
        "RS": rsa.RSAPublicKey, "PS": rsa.RSAPublicKey, "ES": ec.EllipticCurvePublicKey,
        "Ed": (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey),
    }  # fmt: skip
    if not isinstance(key, kinds[family]):
        raise ConfigurationError(
            f"jwt_key does not fit jwt_algorithms {', '.join(algorithms)}: it must be the public key of that kind, as "
            "PEM text that begins with -----BEGIN PUBLIC KEY-----"
        )
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        raise ConfigurationError(f"jwt_key is too short: an RSA key has {_SHORTEST_RSA} bits or more")
    return key


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

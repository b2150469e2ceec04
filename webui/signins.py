"""Wrong passwords in the audit log: whose account, from where, how often; never what was typed."""

from __future__ import annotations

import threading
import time

from flask import has_request_context

from taskmanager.engine.audit import Actor, Audit
from webui import requests

#: A name typed wrong may be a password typed into the wrong field: only names that exist are written.
UNKNOWN = "(unknown user)"
_SECONDS = 60.0
#: Rows a minute for all accounts and addresses together, so that an attack does not fill the table.
_MOST = 30


class WrongPasswords:
    """Writes the first of an account and address at once, and the others of that minute as a number in the next row."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._lock = threading.Lock()
        self._since = -_SECONDS
        self._rows = 0
        self._told: dict[tuple[str, str | None], int] = {}
        self._untold: dict[tuple[str, str | None], int] = {}

    def note(self, name: str | None, door: str, address: str | None) -> None:
        """A password was wrong. name: of an account that exists, else None."""
        untold = self._due((name or UNKNOWN, address))
        if untold is None:
            return
        text = "wrong password" if name else "unknown user name"
        if untold:
            text += f"; {untold} more since the last row"
        actor = Actor(name or UNKNOWN, door, address, requests.number() if has_request_context() else None)
        self._audit.denied(actor, "sign-in", "user", name or UNKNOWN, text)

    def _due(self, key: tuple[str, str | None]) -> int | None:
        """How many were not told since the last row; None when this one is not told either."""
        with self._lock:
            now = time.monotonic()
            if now - self._since >= _SECONDS:
                # What no row will tell any more is forgotten, or a year of attacks would be kept.
                self._untold = {k: n for k, n in self._told.items() if n}
                self._since, self._rows, self._told = now, 0, {}
            if key in self._told or self._rows >= _MOST:
                if key in self._told or len(self._told) < 10 * _MOST:
                    self._told[key] = self._told.get(key, 0) + 1
                return None
            self._rows += 1
            self._told[key] = 0
            return self._untold.pop(key, 0)

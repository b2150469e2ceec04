"""Where a page of a list begins, as an opaque, signed text: an old or changed one leads to the first page."""

from __future__ import annotations

import json
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer


def write(*place: float) -> str:
    """A cursor for a place in a list."""
    return str(_serializer().dumps(list(place)))


def read(text: str | None, length: int) -> list[Any] | None:
    """The place; None when there is none, or it is not of ours."""
    if not text:
        return None
    try:
        place = _serializer().loads(text)
    except (BadData, json.JSONDecodeError, UnicodeError):
        return None
    right = isinstance(place, list) and len(place) == length and all(isinstance(p, (int, float)) for p in place)
    return place if right else None


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key or "none yet"), salt="taskmanager-cursor-1")

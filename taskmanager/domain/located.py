"""Errors about one place inside a value: each container that such an error passes adds where it was."""

from __future__ import annotations

import json
from typing import Any, Self

from taskmanager.domain.errors import ArgumentError, ArgumentsUnreadable


class Located(Exception):
    """Collects, on its way up through the containers, where in the value it arose."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path = ""

    def within(self, step: str) -> Self:
        """The same error, seen from one container further out."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        path = self.path.removeprefix(".")
        return f"argument '{path}': {self.args[0]}" if path else str(self.args[0])


class Unwritable(Located, ArgumentError):
    """A value, or something inside it, has no JSON form."""


class Unreadable(Located, ArgumentsUnreadable):
    """A JSON value, or something inside it, is not what the annotation asks for."""


def found(expected: str, value: Any) -> Unreadable:
    """The error for a JSON value of the wrong kind."""
    return Unreadable(f"expected {expected}, found {glimpse(value)}")


def glimpse(value: Any) -> str:
    """A few words on a JSON value; cheap, as a union asks for them on its way to the member that fits."""
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    if isinstance(value, dict):
        return f"an object with {len(value)} fields"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    shown = value[:40] + "…" if isinstance(value, str) and len(value) > 40 else value
    text = json.dumps(shown, ensure_ascii=False, default=repr)
    # A lone surrogate would make the message itself impossible to store.
    return text.encode(errors="backslashreplace").decode()


def step(key: str) -> str:
    """One step into an object, as it stands in the path of an error."""
    return f".{key}" if key.isidentifier() else f"[{key!r}]"

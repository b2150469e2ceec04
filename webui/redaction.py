"""Secrets are masked before anything is made of them: page, log, or JSON; by the words of setting `web_redact`."""

from __future__ import annotations

from typing import Any

from flask import g

from taskmanager.domain import masking
from taskmanager.domain.masking import MASK
from webui import access
from webui.blueprint import manager

__all__ = ["MASK", "is_secret", "message", "text", "values"]


def is_secret(name: object) -> bool:
    """Whether the value of this name is not to be shown."""
    return masking.is_secret(name, _words())


def values(value: Any) -> Any:
    """A parsed JSON value with the secrets in its objects masked."""
    return text(value) if isinstance(value, str) else masking.values(value, _words())


def text(value: str | None) -> str:
    """A text for people with what looks like an assigned secret masked."""
    return masking.text(value, _words()) if masking.may_tell(value) else value or ""


def message(value: str | None) -> str:
    """What a job or a person said, masked; hidden from who may not see arguments and messages."""
    return (text(value) if access.sees_arguments() else MASK) if value else ""


def _words() -> tuple[str, ...]:
    """What the names of secrets have in them, looked up once for an answer."""
    try:
        found: tuple[str, ...] = g.secret_words
    except AttributeError:
        found = g.secret_words = tuple(manager().settings.web_redact)
    return found

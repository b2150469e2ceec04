"""Texts that come from jobs: as every database takes them, and as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_LARGEST = 2**63 - 1
_raw_decode = json.JSONDecoder().raw_decode


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL refuses, and without lone surrogates, which are not UTF-8."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def loaded(text: str) -> Any:
    """`json.loads` at a third of its price for what is whole and stands alone, as most texts of rows do."""
    try:
        value, end = _raw_decode(text)
        if end == len(text):
            return value
    except ValueError:
        pass  # what else it may be, or what is wrong with it, is told below
    return json.loads(text)


def whole(text: str | None) -> int | None:
    """The number from 0 that a text of a row is; None for all else, also for digits of other scripts (`isdigit` takes
    "²", `int` does not) and for what no column of the database holds."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    number = int(text)
    return number if number <= _LARGEST else None


def wholes(texts: Iterable[str]) -> list[int]:
    """The numbers among texts; the others are left out."""
    return [number for number in map(whole, texts) if number is not None]

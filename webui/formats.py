"""How values are written for people: numbers, moments, durations."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from babel.numbers import format_decimal
from markupsafe import Markup, escape

from taskmanager.domain import times
from webui import languages


def number(value: int | float | None) -> str:
    """A number with the separators of the reader's language."""
    return "–" if value is None else _decimal(value, languages.spelling())


@functools.lru_cache(maxsize=4096)
def _decimal(value: int | float, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


def moment(value: datetime | None) -> str:
    """A moment in UTC, in full."""
    if value is None:
        return ""
    return f"{value.isoformat(' ', 'seconds')} UTC"


def iso(value: datetime) -> str:
    """A moment for machines."""
    return value.isoformat(timespec="milliseconds") + "Z"


def when(value: datetime | None, *, empty: str = "–") -> Markup:
    """A moment as the reader wants it: how long ago (kept up by the browser), by his clock, or in UTC."""
    if value is None:
        return Markup('<span class="muted">{}</span>').format(empty)
    return Markup(moments()(value))


def moments() -> Callable[[datetime | None], str]:
    """What writes moments as `when` does: rows of lists ask once for it, and not for each what who is looking chose."""
    element, more = languages.telling()

    def write(value: datetime | None) -> str:
        if value is None:
            return '<span class="muted">–</span>'
        digits = value.isoformat(" ", "milliseconds")
        told = f"{digits[:19]} UTC"  # of digits and our own letters: nothing to escape
        return f'<{element} datetime="{digits[:10]}T{digits[11:]}Z" title="{told}"{more}>{told}</{element}>'

    return write


def parsed(text: object) -> datetime | None:
    """A moment out of a state's data, in any spelling; None when it is none."""
    if not isinstance(text, (str, int, float)):
        return None
    try:
        return times.parse(text)
    except (ValueError, OverflowError):
        return None


def duration(milliseconds: float | None) -> str:
    """`340 ms`, `12.4 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`."""
    return "–" if milliseconds is None else _duration(milliseconds)


@functools.lru_cache(maxsize=4096)
def _duration(milliseconds: float) -> str:
    ms = max(0.0, float(milliseconds))
    if ms < 1000:
        return f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, below, rest in (("m", 60, 3600, "s"), ("h", 3600, 86400, "m"), ("d", 86400, 0, "h")):
        if not below or whole < below:
            inner = {"s": 1, "m": 60, "h": 3600}[rest]
            left = whole % size // inner
            return f"{whole // size} {unit}" + (f" {left} {rest}" if left else "")
    return f"{whole} s"


def lasting(milliseconds: float | None) -> Markup:
    """The same of what goes on: pages keep it up while they are live."""
    return Markup(f'<span data-lasting="{max(0.0, milliseconds or 0.0):.0f}">{duration(milliseconds)}</span>')


def span(start: datetime | None, end: datetime | None) -> float | None:
    """Milliseconds from one moment to another."""
    return None if start is None or end is None else (end - start).total_seconds() * 1000


def milliseconds(text: object) -> float | None:
    """A duration out of a state's data."""
    try:
        return float(str(text))
    except ValueError:
        return None


def pretty(text: str) -> str:
    """JSON with line breaks, its numbers as they were written; other text as it is."""
    try:
        return _laid_out(json.loads(text, parse_float=_Number, parse_int=_Number), "\n")
    except (ValueError, TypeError, RecursionError):
        return str(text)


def json_attribute(value: Any) -> str:
    """A value for a data attribute, read by scripts."""
    return json.dumps(value, separators=(",", ":"), default=lambda v: iso(v) if isinstance(v, datetime) else str(v))


def unix(value: datetime) -> int:
    """Seconds since 1970."""
    return int(value.replace(tzinfo=UTC).timestamp())


def cut(text: str, length: int) -> str:
    """A text up to the last word that ends within a length; a little longer than that it is left whole."""
    return text if len(text) <= length + 5 else text[: length - 3].rsplit(" ", 1)[0] + "..."


def marked(text: str, needle: str) -> Markup:
    """A text with the part that was looked for marked."""
    at = text.lower().find(needle.lower()) if needle else -1
    if at < 0:
        return escape(text)
    end = at + len(needle)
    return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at:end], text[end:])


class _Number(str):
    """A number as it was written: JavaScript and floats would round it."""

    __slots__ = ()


def _laid_out(value: Any, line: str) -> str:
    """A value of JSON, each part of it on a line of its own. line: the line end with the blanks before its parts."""
    if isinstance(value, _Number):
        return str(value)
    inner = line + "  "
    if isinstance(value, dict) and value:
        parts = [f"{json.dumps(k, ensure_ascii=False)}: {_laid_out(v, inner)}" for k, v in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    if isinstance(value, list) and value:
        return f"[{inner}{f',{inner}'.join(_laid_out(v, inner) for v in value)}{line}]"
    return json.dumps(value, ensure_ascii=False)

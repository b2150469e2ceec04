"""Time inside the house: naive UTC; and the three spellings of a moment in Hangfire's data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1)

#: Above this a number in Hangfire's data means milliseconds, below it seconds.
_LARGEST_UNIX_SECOND = 253_402_300_799
#: The moment whose text was made last, and that text: one value, so that no thread sees half of a new one.
_last_text: tuple[datetime, str] = (EPOCH, "1970-01-01 00:00:00.000000")
_LAST_DIGITS = frozenset(f"{digit}Z" for digit in range(10))


def utcnow() -> datetime:
    """The host's clock as naive UTC. Decisions about due-ness use the database's clock instead."""
    return datetime.now(UTC).replace(tzinfo=None)


def to_utc(moment: datetime) -> datetime:
    """Naive UTC from an aware moment; a naive one is taken to be UTC already."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def to_unix(moment: datetime) -> float:
    """Seconds since 1970 of a naive UTC moment."""
    return (moment - EPOCH).total_seconds()


def from_unix(seconds: float) -> datetime:
    """Naive UTC moment from seconds since 1970."""
    return EPOCH + timedelta(seconds=seconds)


def to_text(moment: datetime) -> str:
    """ISO 8601 of a fixed width, as SQLite keeps it: `2026-07-20 10:00:00.123456`.

    A row's moment is written once more in its JSON just after, and isoformat is slow: the last one's text is kept.
    """
    global _last_text
    known, text = _last_text
    if known is not moment:
        text = moment.isoformat(" ", "microseconds")
        _last_text = moment, text
    return text


def to_iso(moment: datetime) -> str:
    """The spelling every Hangfire version reads: `2026-07-20T10:00:00.1234560Z` (seven digits)."""
    return f"{to_text(moment).replace(' ', 'T')}0Z"


def parse(text: str | int | float | None) -> datetime | None:
    """Read a moment written by any Hangfire version: ISO 8601, unix seconds or unix milliseconds.

    Empty text means none. Raises ValueError when the text is none of these.
    """
    if type(text) is str and len(text) == 28 and text[26:] in _LAST_DIGITS and text[20:26].isdecimal():
        return datetime.fromisoformat(text[:26])  # as we write it: by far the most
    if text is None or text == "":
        return None
    if isinstance(text, (int, float)):
        return _from_number(float(text))
    stripped = text.strip().strip('"')
    if stripped.isascii() and stripped.lstrip("-").isdigit():
        return _from_number(float(stripped))
    return to_utc(datetime.fromisoformat(_six_digits(stripped)))


def _from_number(value: float) -> datetime:
    return from_unix(value / 1000 if abs(value) > _LARGEST_UNIX_SECOND else value)


def _six_digits(text: str) -> str:
    """Cut a fraction of a second to the six digits Python can hold."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"

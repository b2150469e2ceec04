"""What callers give beside a job's own arguments, checked where it is given: pauses, moments, priorities, ids."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.errors import ArgumentError, InvalidArgument

#: The longest pause: what it leads to is a moment that every database and calendar knows.
_LONGEST = timedelta(days=365_000)
#: What a column of four bytes holds.
_SMALLEST_PRIORITY, _LARGEST_PRIORITY = -(2**31), 2**31 - 1


def span(value: object, name: str = "delay") -> timedelta:
    """A pause given in seconds, or as a timedelta. Raises InvalidArgument, which says `name`."""
    if isinstance(value, bool) or not isinstance(value, (timedelta, int, float, Decimal)):
        raise InvalidArgument(f"{name} is a number of seconds or a timedelta, not {value!r}")
    try:
        found = value if isinstance(value, timedelta) else timedelta(seconds=float(value))
    except (OverflowError, ValueError):  # the latter of what is no number
        found = None
    if found is None or not -_LONGEST <= found <= _LONGEST:
        raise InvalidArgument(f"{name}={value!r}: it is at most {_LONGEST.days} days")
    return found


def moment(value: object, name: str = "at") -> datetime:
    """A moment as naive UTC; a naive one is taken to be UTC already. Raises InvalidArgument, which says `name`."""
    if not isinstance(value, datetime):
        raise InvalidArgument(f"{name} is a datetime, not {value!r}")
    try:
        return times.to_utc(value)
    except OverflowError:
        raise InvalidArgument(f"{name}={value!r}: in UTC that is no year from 1 to 9999") from None


def priority(value: object) -> int:
    """A priority. Raises InvalidArgument."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidArgument(f"priority is a whole number, smaller runs first; not {value!r}")
    if not _SMALLEST_PRIORITY <= value <= _LARGEST_PRIORITY:
        raise InvalidArgument(f"priority {value} is not from {_SMALLEST_PRIORITY} to {_LARGEST_PRIORITY}")
    return value


def job_id(value: object) -> int:
    """A job's id. Raises InvalidArgument for what is no whole number; whether there is such a job is another matter."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise InvalidArgument(f"a job's id is an int, not {value!r}")


def arguments(row: Any, number: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Row `number` of `enqueue_many` as positional and keyword arguments. Raises ArgumentError."""
    if isinstance(row, Mapping):
        return (), dict(row)
    if isinstance(row, (str, bytes)) or not isinstance(row, Sequence):
        what = "a row is a tuple of positional or a dict of keyword arguments"
        raise ArgumentError(f"row {number} of enqueue_many: {what}, not {row!r}")
    return tuple(row), {}

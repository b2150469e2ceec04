"""Who is told of what: the rules of alerts, whoever wrote them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from taskmanager.domain.errors import InvalidArgument


class Event(StrEnum):
    """What may be worth a message."""

    FAILURE = "failure"
    SUCCESS = "success"
    SLOW = "slow"
    MISSED = "missed"
    WARNING = "warning"
    ALARM = "alarm"
    SUMMARY = "summary"
    RECOVERY = "recovery"
    TEST = "test"


_CHOICES = (Event.FAILURE, Event.SUCCESS, Event.RECOVERY)
_KEYS = ("to", "slack", "teams", "urls", "on", "longer_than", "missed_by", "max_per_hour")
#: An address as it goes to a mail server. Blanks and line ends would be commands or headers of somebody else.
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")

#: An address with a name before it, as programs for mail show it.
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Of what, by which channels, and how often. Addresses of webhooks are secrets: they are in no repr.

    longer_than_ms: a run that took longer is told. missed_by: seconds by which a recurring job may be late.
    max_per_hour: None is no limit, 0 is silence.
    """

    on: frozenset[Event] = frozenset({Event.FAILURE, Event.RECOVERY})
    longer_than_ms: int | None = None
    missed_by: float | None = None
    to: tuple[str, ...] = ()
    slack: str | None = field(default=None, repr=False)
    teams: str | None = field(default=None, repr=False)
    urls: tuple[str, ...] = field(default=(), repr=False)
    max_per_hour: int | None = None

    def wants(self, event: Event, duration_ms: int | None = None, late_seconds: float | None = None) -> bool:
        """Whether this rule has something to say of an event. late_seconds: of a missed run, where it is known.

        A warning is a success of which items failed: one message for who hears of successes or of failures.
        """
        if event in (Event.TEST, Event.SUMMARY):
            return True
        if event is Event.SLOW:
            return self.longer_than_ms is not None and (duration_ms or 0) > self.longer_than_ms
        if event is Event.WARNING:
            return bool(self.on & {Event.FAILURE, Event.SUCCESS}) or self.wants(Event.SLOW, duration_ms)
        if event is Event.MISSED:
            return self.missed_by is not None and (late_seconds is None or late_seconds >= self.missed_by)
        return event in self.on

    @property
    def has_other_channels(self) -> bool:
        """Whether somebody is told even when nobody is mailed."""
        return bool(self.slack or self.teams or self.urls)


def parse(value: Any) -> AlertRule | None:
    """The option `alerts` of `@job`: True, addresses, or a dictionary. Raises InvalidArgument that says what is wrong.

    The values are in no message: they may be secrets.
    """
    if value is None or value is False or isinstance(value, AlertRule):
        return value or None
    if value is True:
        return AlertRule()
    if not isinstance(value, Mapping):
        return AlertRule(to=_addresses(value))
    unknown = [str(key) for key in value if key not in _KEYS]
    if unknown:
        raise InvalidArgument(f"there is no {unknown[0]!r} in it; it may hold {', '.join(_KEYS)}")
    longer, missed = _seconds(value, "longer_than"), _seconds(value, "missed_by")
    most = value.get("max_per_hour")
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 0):
        raise InvalidArgument("max_per_hour is a whole number from 0, or None")
    return AlertRule(
        on=_events(value.get("on")),
        longer_than_ms=None if longer is None else round(longer * 1000),
        missed_by=missed,
        to=_addresses(value.get("to") or ()),
        slack=_text(value, "slack"),
        teams=_text(value, "teams"),
        urls=_urls(value.get("urls") or ()),
        max_per_hour=most,
    )


def split_addresses(text: str | None) -> tuple[str, ...]:
    """The addresses of a column, by commas or semicolons, also as `Name <a@b.c>`; what is no address is left out."""
    return tuple(one for one in _parts(text) if is_address(one))


def left_out(text: str | None) -> tuple[str, ...]:
    """What stands among the addresses of a column, and is none."""
    return tuple(one for one in _parts(text) if not is_address(one))


def _parts(text: str | None) -> list[str]:
    found = [part.strip() for part in re.findall(r'(?:"[^"]*"|[^,;])+', text or "")]
    return [named[1].strip() if (named := _NAMED.fullmatch(part)) else part for part in found if part]


def is_address(text: str) -> bool:
    """Whether a text is one mail address, and nothing besides."""
    return _ADDRESS.fullmatch(text) is not None


def union(addresses: Iterable[str]) -> tuple[str, ...]:
    """Each address once, in any case of its letters."""
    return tuple({address.lower(): address for address in reversed(list(addresses))}.values())[::-1]


def key_of(name: str) -> str:
    """The key of a job name's rule: short, whatever the name, and the same on every server."""
    return "alerts:" + hashlib.sha256(name.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]


def _events(value: Any) -> frozenset[Event]:
    if value is None:
        return AlertRule().on
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple, set, frozenset)) or not all(n in _CHOICES for n in names):
        raise InvalidArgument(f"on is a list of {', '.join(_CHOICES)}")
    return frozenset(Event(name) for name in names)


def _addresses(value: Any) -> tuple[str, ...]:
    parts = re.split(r"[,;]", value) if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) and is_address(p.strip()) for p in parts):
        raise InvalidArgument("recipients are mail addresses: a list, or text with commas")
    return tuple(p.strip() for p in parts)


def _urls(value: Any) -> tuple[str, ...]:
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) and "://" in p for p in parts):
        raise InvalidArgument("urls is a list of Apprise URLs")
    return tuple(parts)


def _text(value: Mapping[str, Any], name: str) -> str | None:
    found = value.get(name)
    if found is not None and (not isinstance(found, str) or "://" not in found):
        raise InvalidArgument(f"{name} is the URL of a webhook")
    return found or None


def _seconds(value: Mapping[str, Any], name: str) -> float | None:
    found = value.get(name)
    seconds = found.total_seconds() if isinstance(found, timedelta) else found
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
        raise InvalidArgument(f"{name} is seconds or a timedelta")
    return float(seconds)

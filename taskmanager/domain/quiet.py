"""Hours of the day in which messages of a rule are held back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from taskmanager.domain.errors import InvalidArgument, InvalidCron
from taskmanager.domain.zones import resolve_zone

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From a time of day to another, over midnight where it is earlier, in a zone.

    drops: what is held back is not told afterwards, but counted; else it is one summary at the end.
    """

    start: time
    end: time
    zone: str = "UTC"
    drops: bool = False

    def until(self, now: datetime) -> datetime | None:
        """When the quiet that there is at a moment ends (both naive UTC); None when there is none."""
        zone = resolve_zone(self.zone)
        local = now.replace(tzinfo=UTC).astimezone(zone)
        for back in (1, 0):
            day = (local - timedelta(days=back)).date()
            last = day if self.end > self.start else day + timedelta(days=1)
            begins, ends = (
                datetime.combine(on, at, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
                for on, at in ((day, self.start), (last, self.end))
            )
            if begins <= now < ends:
                return ends
        return None

    def told(self) -> dict[str, Any]:
        """As it is stored."""
        return {"from": f"{self.start:%H:%M}", "to": f"{self.end:%H:%M}", "zone": self.zone, "drops": self.drops}


def parse(fields: Mapping[str, str]) -> Quiet | None:
    """The quiet hours that a form's fields describe: quiet_from, quiet_to, quiet_zone, quiet_drops; None without both
    times. Raises InvalidArgument."""
    start, end, zone = (fields.get(f"quiet_{name}", "").strip() for name in ("from", "to", "zone"))
    if not start and not end:
        return None
    found = Quiet(_time(start), _time(end), zone or "UTC", bool(fields.get("quiet_drops")))
    if found.start == found.end:
        raise InvalidArgument("quiet hours that end when they begin are none, or all: name two times")
    try:
        resolve_zone(found.zone)
    except InvalidCron as error:
        raise InvalidArgument(str(error)) from None
    return found


def read(told: Mapping[str, Any]) -> Quiet:
    """What was stored."""
    return Quiet(_time(told["from"]), _time(told["to"]), told["zone"], told["drops"])


def _time(text: str) -> time:
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidArgument("quiet hours are from a time to a time, such as 22:00 and 06:00")
    return time(int(found[1]), int(found[2]))

"""The wall clock of a database server, by which people write the times of c_Job, and the zone its crons mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from taskmanager.domain.errors import InvalidCron
from taskmanager.domain.zones import resolve_zone

#: A clock that was put back less than this ago shows times again that it has shown already.
_PUT_BACK = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class WallClock:
    """`schedule` is the zone of the crons, by name; `wall` the zone of the columns. Moments are naive UTC."""

    schedule: str
    wall: tzinfo
    #: Whether the rules of daylight saving are known, or only today's offset.
    knows_rules: bool = True

    def local(self, moment: datetime) -> datetime:
        """What the wall clock shows at a moment, in whole seconds."""
        return moment.replace(tzinfo=UTC).astimezone(self.wall).replace(tzinfo=None, microsecond=0, fold=0)

    def utc(self, shown: datetime) -> datetime:
        """The moment at which the wall clock shows a time; the first, where it shows it twice."""
        return shown.replace(tzinfo=self.wall).astimezone(UTC).replace(tzinfo=None)

    def latest(self, moment: datetime) -> datetime:
        """The latest time that the wall clock has shown lately: ahead of what it shows, when it was just put back."""
        return max(self.local(moment), self.local(moment - _PUT_BACK) + _PUT_BACK)


def wall_clock(setting: str | None, server: str, offset: timedelta, now: datetime) -> WallClock:
    """The wall clock of a server that names its zone `server`, and is now `offset` ahead of UTC.

    setting: the zone of the crons; else the server's own. A server on `SYSTEM <abbreviation>` names none: then it is
    the setting's, if that has the server's offset today, or nothing but the offset.
    """
    is_system = server.upper().startswith("SYSTEM")
    names = ["UTC"] if server.upper() in ("SYSTEM UTC", "SYSTEM ETC/UTC") else [] if is_system else [server]
    for name in [*names, *([setting] if setting and is_system else [])]:
        try:
            zone = resolve_zone(name)
        except InvalidCron:
            continue
        if not is_system or now.replace(tzinfo=UTC).astimezone(zone).utcoffset() == offset:
            return WallClock(setting or name, zone)
    fixed = name_of(offset)
    return WallClock(setting or fixed, resolve_zone(fixed), setting is not None or not is_system)


def name_of(offset: timedelta) -> str:
    """An offset as SQL names it: `+02:00`."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"

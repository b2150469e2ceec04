"""Common schedules out of a few fields, as a cron; and a cron that is such a schedule, as those fields again."""

from __future__ import annotations

import re
from collections.abc import Mapping

from babel.dates import get_day_names
from flask_babel import gettext as _

from taskmanager.domain.texts import whole
from webui import languages

#: The kinds, in the order of the form, with what their fields say where nothing is known.
KINDS = ("minutes", "hourly", "daily", "weekdays", "weekly", "monthly")
#: Steps after which an hour begins anew with the first: all others would make the last one shorter.
STEPS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_USUAL = {
    "every": "minutes", "every-minutes": "15", "every-minute": "0", "every-day-at": "02:00",
    "every-workday-at": "09:00", "every-weekday": "1", "every-week-at": "06:00", "every-day": "1",
    "every-month-at": "00:00",
}  # fmt: skip
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
_SHAPES = (
    ("minutes", re.compile(r"\*/(?P<step>\d{1,2}) \* \* \* \*"), ""),
    ("hourly", re.compile(r"(?P<m>\d{1,2}) \* \* \* \*"), ""),
    ("daily", re.compile(r"(?P<m>\d{1,2}) (?P<h>\d{1,2}) \* \* \*"), "every-day-at"),
    ("weekdays", re.compile(r"(?P<m>\d{1,2}) (?P<h>\d{1,2}) \* \* 1-5"), "every-workday-at"),
    ("weekly", re.compile(r"(?P<m>\d{1,2}) (?P<h>\d{1,2}) \* \* (?P<weekday>[0-6])"), "every-week-at"),
    ("monthly", re.compile(r"(?P<m>\d{1,2}) (?P<h>\d{1,2}) (?P<day>\d{1,2}|L) \* \*"), "every-month-at"),
)


class NotBuilt(ValueError):
    """A field says what no schedule has; the text is for people."""


def build(given: Mapping[str, str]) -> str:
    """The cron that the fields of the form say. Raises NotBuilt."""
    fields = _USUAL | {name: given[name].strip() for name in _USUAL if given.get(name)}
    kind = fields["every"]
    if kind == "minutes":
        step = _number(fields["every-minutes"], STEPS)
        return "* * * * *" if step == 1 else f"*/{step} * * * *"
    if kind == "hourly":
        return f"{_number(fields['every-minute'], range(60))} * * * *"
    if kind == "daily":
        return f"{_time(fields['every-day-at'])} * * *"
    if kind == "weekdays":
        return f"{_time(fields['every-workday-at'])} * * 1-5"
    if kind == "weekly":
        return f"{_time(fields['every-week-at'])} * * {_number(fields['every-weekday'], range(7))}"
    if kind == "monthly":
        day = "L" if fields["every-day"] == "L" else str(_number(fields["every-day"], range(1, 32)))
        return f"{_time(fields['every-month-at'])} {day} * *"
    raise NotBuilt(_("Choose one of the schedules."))


def shown(cron: str, given: Mapping[str, str]) -> dict[str, str]:
    """What the fields say: as they were sent, else as a cron is, else the usual."""
    if given.get("every"):
        return _USUAL | {name: given[name] for name in _USUAL if name in given}
    plain = " ".join(cron.split())
    if plain == "* * * * *":
        return _USUAL | {"every": "minutes", "every-minutes": "1"}
    for kind, shape, at in _SHAPES:
        if (found := shape.fullmatch(plain)) is not None and int(found.groupdict().get("step") or 1) in STEPS:
            return _USUAL | _fields(kind, at, found.groupdict())
    return _USUAL


def weekdays() -> list[tuple[str, str]]:
    """The days of a week as a cron numbers them, Monday first, with their names."""
    names = get_day_names("wide", locale=languages.language())
    return [(str((day + 1) % 7), names[day]) for day in range(7)]


def _fields(kind: str, at: str, parts: Mapping[str, str]) -> dict[str, str]:
    fields = {"every": kind}
    if at:
        fields[at] = f"{int(parts['h']):02}:{int(parts['m']):02}"
    elif "m" in parts:
        fields["every-minute"] = parts["m"]
    names = {"step": "every-minutes", "weekday": "every-weekday", "day": "every-day"}
    return fields | {names[part]: value for part, value in parts.items() if part in names}


def _number(text: str, among: range | tuple[int, ...]) -> int:
    found = whole(text)
    if found is not None and found in among:
        return found
    raise NotBuilt(_("%(text)s is not between %(a)s and %(b)s.", text=text[:20], a=among[0], b=among[-1]))


def _time(text: str) -> str:
    """Minute and hour of a time of day, as a cron has them."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise NotBuilt(_("%(text)s is no time of day like 06:30.", text=text[:20]))
    return f"{int(found[2])} {int(found[1])}"

"""Schedules in words, in the reader's language."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import available_timezones

from babel.dates import get_day_names, get_month_names
from cron_descriptor import ExpressionDescriptor, Options
from cron_descriptor.Exception import FormatException, MissingFieldException, WrongArgumentException
from flask_babel import gettext as _

from taskmanager.domain import cron as crons
from taskmanager.domain.errors import InvalidCron
from taskmanager.domain.times import utcnow
from webui import languages

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MACROS = {
    "@every_second": "* * * * * *", "@every_minute": "* * * * *", "@hourly": "0 * * * *", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}  # fmt: skip
#: The next fires of an expression in a zone, right until the first of them: a millisecond for each row of a list.
_ahead: dict[tuple[str, str, int, bool], list[datetime]] = {}
_MOST_AHEAD = 4096
_LOCALES = {"en": "en_US", "cs": "cs_CZ"}


def words(expression: str) -> str:
    """What an expression means; empty when it cannot be told, which is no error of the expression."""
    return _words(expression.strip(), languages.language())


@functools.lru_cache(maxsize=4096)
def _words(expression: str, language: str) -> str:
    try:
        crons.parse(expression)  # bounds are checked by the scheduler's own engine before anything is described
    except InvalidCron:
        return ""
    try:
        options = Options()
        options.use_24hour_time_format = True
        options.locale_code = _LOCALES.get(language, "en_US")
        plain = _MACROS.get(expression.lower(), expression).replace("?", "*")
        told = ExpressionDescriptor(plain, options).get_description()
    except (FormatException, MissingFieldException, WrongArgumentException, ValueError, IndexError, KeyError):
        return ""
    return told if language == "en" else _with_names(told, language)


def presets() -> list[tuple[str, str]]:
    """Common schedules with what they mean, to choose from; the last one never comes."""
    common = ("*/15 * * * *", "0 * * * *", "0 2 * * *", "0 9 * * 1-5", "0 6 * * 1", "0 0 1 * *")
    return [(one, words(one)) for one in common] + [(crons.never(), _("never, only by hand"))]


def upcoming(expression: str, time_zone: str, count: int = 5, *, days_and: bool = False) -> list[datetime]:
    """The next fires by the scheduler's own engine, naive UTC; none for what cannot be read."""
    now = utcnow()
    zone = "UTC" if time_zone == "server" else time_zone
    key = (expression, zone, count, days_and)
    if (kept := _ahead.get(key)) is not None and kept[0] > now:
        return kept
    try:
        found = crons.parse(expression.strip(), zone, days_and).upcoming(count, now)
    except (InvalidCron, OverflowError):
        return []
    if found:
        if len(_ahead) >= _MOST_AHEAD:
            _ahead.clear()
        _ahead[key] = found
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """A coming run. local: what the clock of its zone shows; remark: what daylight saving does to it."""

    at: datetime
    local: datetime
    offset: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule means. errors: by field, `cron` and `time_zone`."""

    words: str
    runs: tuple[Run, ...]
    errors: Mapping[str, str]


def preview(expression: str, time_zone: str, *, days_and: bool = False, count: int = 10) -> Preview:
    """A schedule in words, and when it fires next, by the scheduler's own engine."""
    errors = problems(expression, time_zone)
    if errors:
        return Preview("" if "cron" in errors else words(expression), (), errors)
    found = upcoming(expression, time_zone.strip(), count, days_and=days_and)
    zone, runs = crons.resolve_zone(time_zone.strip()), list[Run]()
    before = utcnow().replace(tzinfo=UTC).astimezone(zone).utcoffset()
    for at in found:
        local = at.replace(tzinfo=UTC).astimezone(zone)
        offset = local.utcoffset()
        remark = ""
        if offset is not None and before is not None and offset != before:
            remark = _("clocks go forward before it") if offset > before else _("clocks go back before it")
        runs.append(Run(at, local.replace(tzinfo=None), f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5], remark))
        before = offset
    return Preview(words(expression), tuple(runs), {})


def local(at: datetime, time_zone: str) -> str:
    """A moment (UTC) as the clock of a zone shows it, with its offset; empty where the zone is not known here."""
    try:
        shown = at.replace(tzinfo=UTC).astimezone(crons.resolve_zone(time_zone))
    except (InvalidCron, OverflowError):
        return ""
    told = shown.isoformat(" ", "minutes")  # at a fifth of what strftime takes; an offset of 1900 has seconds
    return f"{told[:16]} {'UTC' if time_zone == 'UTC' else told[16:22]}"


def problems(expression: str, time_zone: str) -> dict[str, str]:
    """What is wrong with a cron and a zone, by field."""
    errors = {}
    try:
        crons.parse(expression.strip())
    except InvalidCron as error:
        errors["cron"] = str(error)
    try:
        crons.resolve_zone(time_zone.strip())
    except InvalidCron as error:
        errors["time_zone"] = str(error)
    return errors


@functools.cache
def zones() -> tuple[str, ...]:
    """The names of all time zones, for a list to choose from; read from files, once."""
    return tuple(
        sorted(z for z in available_timezones() if "/" in z and not z.startswith(("Etc/", "posix/", "right/")))
    )


def _with_names(told: str, language: str) -> str:
    """The descriptor leaves the names of days and months in English."""
    days, months = get_day_names("wide", locale=language), get_month_names("wide", locale=language)
    for number, name in enumerate(_DAYS):
        told = told.replace(name, days[number])
    for number, name in enumerate(_MONTHS):
        told = told.replace(name, months[number + 1])
    return told

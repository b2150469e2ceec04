"""Schedules in words, in the reader's language."""

from __future__ import annotations

import functools
from datetime import datetime

from babel.dates import get_day_names, get_month_names
from cron_descriptor import ExpressionDescriptor, Options
from cron_descriptor.Exception import FormatException, MissingFieldException, WrongArgumentException

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


def upcoming(expression: str, time_zone: str, count: int = 5) -> list[datetime]:
    """The next fires by the scheduler's own engine, naive UTC; none for what cannot be read."""
    try:
        zone = "UTC" if time_zone == "server" else time_zone
        return crons.parse(expression.strip(), zone).upcoming(count, utcnow())
    except (InvalidCron, OverflowError):
        return []


def _with_names(told: str, language: str) -> str:
    """The descriptor leaves the names of days and months in English."""
    days, months = get_day_names("wide", locale=language), get_month_names("wide", locale=language)
    for number, name in enumerate(_DAYS):
        told = told.replace(name, days[number])
    for number, name in enumerate(_MONTHS):
        told = told.replace(name, months[number + 1])
    return told

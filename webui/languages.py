"""Which language, theme and way of telling time somebody wants: cookie, then what the browser asks for."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, fields
from zoneinfo import available_timezones

from babel.localedata import locale_identifiers
from flask import Flask, current_app, g, request
from flask_babel import Babel, get_locale

from webui import texts

LANGUAGES = {"en": "English", "cs": "Čeština"}
THEMES = ("system", "light", "dark")
#: How long ago; on the clock of the reader's zone; in UTC.
TIMES = ("relative", "local", "absolute")
INTERVALS = ("2", "5", "15", "60", "off")
#: What is kept of somebody's taste, with what it may be.
CHOICES: dict[str, tuple[str, ...]] = {
    "lang": tuple(LANGUAGES), "theme": THEMES, "times": TIMES, "live": INTERVALS, "keys": ("on", "off"),
    "rows": ("20", "50", "100", "200"), "density": ("roomy", "compact"), "args": ("shown", "hidden"),
}  # fmt: skip
_RTL = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True)
class Taste:
    """What somebody chose."""

    theme: str = "system"
    times: str = "relative"
    live: str = "5"
    keys: str = "on"
    #: Of a page of a list.
    rows: str = "20"
    density: str = "roomy"
    #: Whether lists show arguments of jobs.
    args: str = "shown"
    #: Whose spelling of numbers and dates, as en-GB; that of the browser, or of the language, when empty.
    locale: str = ""
    #: The zone in which moments are told; that of the browser when empty.
    zone: str = ""


_TASTES = tuple(f.name for f in fields(Taste))


def speak(app: Flask, default: str) -> None:
    """Set the languages up."""
    app.config["BABEL_DEFAULT_LOCALE"] = default
    app.config["BABEL_DEFAULT_TIMEZONE"] = "UTC"

    def select() -> str:
        chosen = request.args.get("lang") or request.cookies.get("tm_lang", "")
        return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, default) or default

    Babel(app, locale_selector=select)
    texts.install(app)

    @app.after_request
    def remember(response):  # type: ignore[no-untyped-def]
        if request.args.get("lang") in LANGUAGES and request.method == "GET":
            keep(response, "lang", request.args["lang"])
        return response


def keep(response, name: str, value: str) -> None:  # type: ignore[no-untyped-def]
    """Remember a choice for a year."""
    path = (request.root_path or "") + "/"
    response.set_cookie(f"tm_{name}", value, max_age=31_536_000, samesite="Strict", secure=request.is_secure, path=path)


def forget(response, name: str) -> None:  # type: ignore[no-untyped-def]
    """Take a choice back."""
    response.delete_cookie(f"tm_{name}", path=(request.root_path or "") + "/")


def may_be(name: str, value: str) -> bool:
    """Whether a choice may be that."""
    if name == "zone":
        return value in ("", "UTC") or value in _zones()
    if name == "locale":
        return value == "" or value.replace("-", "_") in _locales()
    return value in CHOICES[name]


@functools.cache
def _locales() -> frozenset[str]:
    """Those that browsers know by the same name: a language, perhaps a script and a territory."""
    return frozenset(
        one for one in locale_identifiers() if re.fullmatch("[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?", one)
    )


def spelling() -> str:
    """The locale in which the server writes numbers, as Babel calls it."""
    return taste().locale.replace("-", "_") or language()


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def taste() -> Taste:
    """What who is looking chose, of theme, times and live updates."""
    try:
        chosen: Taste = g.taste
    except AttributeError:
        found = {n: request.cookies.get(f"tm_{n}", "") for n in _TASTES}
        usual = {"live": current_app.config["TASKMANAGER"].settings.web_live}
        chosen = g.taste = Taste(**usual | {n: v for n, v in found.items() if may_be(n, v)})
    return chosen


def language() -> str:
    """The language of this answer."""
    try:
        found: str = g.language
    except AttributeError:
        found = g.language = str(get_locale() or "en").partition("_")[0]
    return found


def telling() -> tuple[str, str]:
    """The element in which who is looking reads moments, and what it is told besides: lists have hundreds.

    The browser writes the moments of `data-local` by the clock of its user's zone.
    """
    try:
        found: tuple[str, str] = g.telling
    except AttributeError:
        found = g.telling = _telling(taste().times, language())
    return found


def _telling(times: str, spoken: str) -> tuple[str, str]:
    if times != "relative":
        return "time", " data-local" if times == "local" else ""
    prefix = "" if spoken == "en" else ' prefix=""'  # else dates begin with "on"
    return "relative-time", f' lang="{spoken}" precision="second"{prefix}'


def direction() -> str:
    """Which way it is written."""
    return "rtl" if language() in _RTL else "ltr"

"""Panels that a host application adds to the page of a job, by setting `web_panels` or `create_app(panels=…)`.

def order(job):
    number = find_order(job.id)
    return None if number is None else Panel("Order", {"Number": number, "State": state_of(number)})
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, cast

from flask import current_app
from markupsafe import Markup

from taskmanager.domain.errors import ConfigurationError
from taskmanager.domain.records import JobRecord
from webui import redaction

log = logging.getLogger("taskmanager.web")
#: Rows of a panel's table, and characters of each value, that are shown.
_MOST_ROWS, _LONGEST = 100, 4_000


@dataclass(frozen=True, slots=True)
class Panel:
    """What a host shows of a job. body: text, markup that is safe (`markupsafe.Markup`), or names and values."""

    title: str
    body: str | Mapping[str, object]


#: Makes a panel of a job, with its parameters and the newest part of its history; None for none.
MakesPanel = Callable[[JobRecord], Panel | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel as it is shown: text, which is escaped unless it is markup, or rows, or the class of the error."""

    title: str
    text: str = ""
    rows: Sequence[tuple[str, str]] = field(default_factory=list)
    fault: str = ""


def load(paths: Iterable[str]) -> list[MakesPanel]:
    """The callables of paths such as `shop.pages:order_panel`. Raises ConfigurationError."""
    found = []
    for path in paths:
        module, _, name = path.partition(":")
        try:
            made = reduce(getattr, name.split("."), importlib.import_module(module))
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"web_panels names {path}, which cannot be imported: {error}") from error
        if not callable(made):
            raise ConfigurationError(f"web_panels names {path}, which is nothing to be called")
        found.append(cast(MakesPanel, made))
    return found


def of(job: JobRecord) -> list[Shown]:
    """The panels of a job. One that fails tells that it did, and takes nothing else with it."""
    shown = []
    for make in current_app.config["PANELS"]:
        try:
            made = make(job)
            if made is not None:
                shown.append(_shown(made))
        except Exception as error:
            log.exception("the panel %s of job %d failed", _name(make), job.id)
            shown.append(Shown(_name(make), fault=type(error).__name__))
    return shown


def _shown(made: Panel) -> Shown:
    if isinstance(made.body, Mapping):
        rows = list(made.body.items())[:_MOST_ROWS]
        return Shown(str(made.title), rows=[(str(name), _value(str(name), value)) for name, value in rows])
    if isinstance(made.body, Markup):
        return Shown(str(made.title), made.body)
    return Shown(str(made.title), redaction.text(str(made.body)))


def _value(name: str, value: object) -> str:
    if redaction.is_secret(name):
        return redaction.MASK
    return value if isinstance(value, Markup) else redaction.text(str(value)[:_LONGEST])


def _name(make: Any) -> str:
    return str(getattr(make, "__name__", type(make).__name__))

"""What rows of lists are made of: states, queues, jobs, moments. Written here, for a list has up to 200 rows.

What is the same in many rows is drawn once for an answer. As filters these are called at half the price of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, g, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from taskmanager.domain import tags
from taskmanager.storage.monitoring_lists import Row
from webui import formats, jobviews, redaction, shell
from webui.addresses import job_address, recurring_address

_PILL = Markup('<span class="pill s-{}">{}{}</span>')


def install(app: Flask) -> None:
    """Give them to templates."""
    app.jinja_env.globals.update(
        pill_of=pill, outcome_of=outcome, hidden_fields=hidden, small_button=icon_button, tags_of=tags_of,
        job_address=job_address, recurring_address=recurring_address,
    )  # fmt: skip
    app.jinja_env.filters.update(
        job_cell=job_cell, queue_tag=queue_tag, pill=pill, recurring_state=recurring_state, when=formats.when,
        moment=formats.moment, parsed=formats.parsed, duration=formats.duration, milliseconds=formats.milliseconds,
        marked=formats.marked, error_of=jobviews.error_of, plain=jobviews.plain, result=jobviews.result,
        redact=redaction.message,
    )  # fmt: skip


def job_cell(row: Row, needle: str = "") -> Markup:
    """The name of a job, which leads to it, its number and arguments. needle: what was looked for, to be marked."""
    return Markup(job_cells(needle)(row))


def job_cells(needle: str = "") -> Callable[[Row], str]:
    """What writes them, for rows of a list: what is the same in all is found once."""
    before, reading, marked = job_address(0).removesuffix("0"), jobviews.reading(), formats.marked

    def write(row: Row) -> str:
        tagged = row.parameters.get(tags.PARAMETER)
        return (
            f'<div class="job-name"><a href="{before}{row.id}">{marked(reading.title(row), needle)}</a></div>\n'
            f'<div class="job-args mono">#{row.id} {marked(reading.subtitle(row), needle)}</div>\n'
            f"{tags_of(tags.of_parameter(tagged)) if tagged else ''}"
        )

    return write


def choice(number: str) -> str:
    """The cell of a job that may be chosen, in a list that is a form. number: or what stands for it."""
    label = _("Choose job %(id)s", id=number)
    return f'<td class="check"><input type="checkbox" name="jobs[]" value="{number}" aria-label="{label}"></td>'


def tags_of(names: Iterable[str]) -> Markup:
    """Tags of a job, each leading to the jobs that have it."""
    made = Markup('<a class="tag" href="{}">{}</a>')
    drawn = [made.format(url_for("pages.all_jobs", q=f'tag:"{one}"'), one) for one in names]
    return Markup('<div class="row-flex tight">{}</div>').format(Markup(" ").join(drawn)) if drawn else Markup()


def queue_tag(name: str | None) -> Markup:
    """A queue, which leads to its page; nothing for none."""
    if not name:
        return Markup()
    found = _drawn().get(("queue", name))
    if found is None:
        drawn = Markup('<a class="tag" href="{}">{}</a>').format(url_for("pages.queue", queue=name), name)
        found = _drawn()["queue", name] = drawn
    return found


def pill(state: str | None, text: str | None = None) -> Markup:
    """A state in its colour. text: another word for it."""
    found = _drawn().get(("pill", state, text))
    if found is None:
        key = (state or "").lower()
        kind, symbol = key if key in shell.STATES else "created", shell.icon(shell.ICONS.get(key, "circle-help"))
        found = _drawn()["pill", state, text] = _PILL.format(kind, symbol, text or shell.state_label(state))
    return found


def outcome(good: bool) -> Markup:
    """How a run ended, in its colour."""
    found = _drawn().get(("outcome", good))
    if found is None:
        key, symbol, text = ("succeeded", "check", _("succeeded")) if good else ("failed", "circle-x", _("failed"))
        found = _drawn()["outcome", good] = _PILL.format(key, shell.icon(symbol), text)
    return found


def recurring_state(name: str) -> Markup:
    """The state of a recurring job in its colour: active, paused, error; never, not planned yet, or by hand only."""
    found = _drawn().get(("recurring", name))
    if found is None:
        kind, symbol, text = {
            "active": ("succeeded", "check", _("active")), "paused": ("processing", "pause", _("paused")),
            "error": ("failed", "triangle-alert", _("in error")), "hand": ("created", "circle-play", _("by hand only")),
            "never": ("processing", "triangle-alert", _("never runs")),
            "unplanned": ("created", "clock", _("not planned yet")),
        }[name]  # fmt: skip
        found = _drawn()["recurring", name] = _PILL.format(kind, shell.icon(symbol), text)
    return found


def hidden() -> Markup:
    """What every form sends: its token, and where to come back to."""
    found = _drawn().get("hidden")
    if found is None:
        token = Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())
        found = token + Markup('<input type="hidden" name="back" value="{}">').format(shell.here())
        _drawn()["hidden"] = found
    return found


def icon_button(
    address: str, text: str, symbol: str, fields: Mapping[str, object] | None = None, *, confirm: str = "",
    what: str = "",
) -> Markup:  # fmt: skip
    """A form that is one small button. fields: what it sends besides; what: to which of many things it is done."""
    asked = f' data-confirm="{escape(confirm)}"' if confirm else ""
    sent = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in (fields or {}).items()
    )
    said = escape(text)
    label = f"{said}: {escape(what)}" if what else said
    return Markup(
        f'<form method="post" action="{escape(address)}"{asked}>{hidden()}{sent}'
        f'<button class="ghost" title="{said}" aria-label="{label}">{shell.icon(symbol)}</button></form>'
    )


def _drawn() -> dict[Any, Markup]:
    """What was drawn for this answer."""
    try:
        found: dict[Any, Markup] = g.drawn
    except AttributeError:
        found = g.drawn = {}
    return found

"""The rows of the audit log, as its page and those of what was changed show them: written here, for they are many."""

from __future__ import annotations

import json
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from taskmanager.domain.texts import whole
from taskmanager.storage.audit import Row
from taskmanager.storage.monitoring_traces import TracedChange
from webui import formats, redaction, shell
from webui.addresses import asking, job_address
from webui.texts import told as _

#: What each outcome is called, and the colour of which state it has.
OUTCOMES = {
    "done": (_l("done"), "succeeded"), "unchanged": (_l("nothing changed"), "created"),
    "failed": (_l("failed"), "failed"), "denied": (_l("denied"), "processing"),
}  # fmt: skip
_LONGEST_FACT = 200


def address_of(row: Row | TracedChange) -> str | None:
    """The page of what was changed; None when it has none."""
    number = whole(row.target)
    if row.kind == "job" and number is not None:
        return job_address(number)
    if row.kind == "search":
        return url_for("pages.search")
    if row.kind == "recurring":
        return asking("pages.recurring", q=row.target)
    if row.kind == "queue":
        return url_for("pages.queue", queue=row.target)
    if row.kind == "operation" and number is not None:
        return url_for("pages.operation", job_id=number)
    return None


class Rows:
    """Draws rows; their labels are looked up once."""

    def __init__(self) -> None:
        self._user, self._action, self._what, self._before, self._after, self._outcome = (
            f'<td data-label="{label}">'
            for label in (_("User"), _("Action"), _("What"), _("Before"), _("After"), _("Outcome"))
        )
        self._request = _("Request")

    def __call__(self, row: Row) -> Markup:
        user, action = asking("pages.audit", user=row.user), asking("pages.audit", action=row.action)
        return Markup(
            f'<tr id="audit-{row.id}" data-row><td class="first nowrap">{formats.when(row.at)}</td>'
            f'{self._user}<div><a href="{user}">{escape(row.user)}</a></div>{_from(row)}</td>'
            f'{self._action}<a class="mono" href="{action}">{escape(row.action)}</a></td>{self._what}{_what(row)}</td>'
            f"{self._before}{_listed(row.before)}</td>{self._after}{_listed(row.after)}</td>"
            f"{self._outcome}{self._came_of(row)}</td></tr>"
        )

    def _came_of(self, row: Row) -> Markup:
        label, colour = OUTCOMES.get(row.outcome, (row.outcome, "created"))
        told = Markup(f'<span class="pill s-{colour}">{escape(str(label))}</span>')
        if row.note:
            told += Markup(f'<div class="muted"><small>{escape(redaction.message(row.note))}</small></div>')
        if row.request:
            number = Markup(f"<code>{escape(row.request)}</code>")
            told += Markup(f'<div class="muted"><small>{self._request} {number}</small></div>')
        return told


def _from(row: Row) -> Markup:
    door = f"{row.door} · {row.address}" if row.address else row.door
    return Markup(f'<small class="muted">{escape(door)}</small>')


def _what(row: Row) -> Markup:
    """What was changed, which leads to its page; and to all that was done to it."""
    address, target = address_of(row), escape(row.target)
    name = f'<a href="{escape(address)}">{target}</a>' if address else target
    all_of_it, about = (
        asking("pages.audit", kind=row.kind, target=row.target),
        _("All actions on %(what)s", what=target),
    )
    return Markup(
        f'<div>{name}</div><small class="muted row-flex tight">{escape(row.kind)} <a class="ghost tiny" '
        f'href="{all_of_it}" aria-label="{about}" title="{about}">{shell.icon("filter")}</a></small>'
    )


def _listed(text: str | None) -> Markup:
    """Names and values of what a thing was or became."""
    shown = [(escape(name), escape(formats.cut(value, _LONGEST_FACT))) for name, value in _facts(text)]
    return Markup(
        "".join([f'<div><span class="muted">{name}</span> <code>{value}</code></div>' for name, value in shown])
    )


def _facts(text: str | None) -> list[tuple[str, str]]:
    try:
        found: Any = json.loads(text) if text else {}
    except ValueError:
        return [("", redaction.text(text))]
    return [(str(k), v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in found.items()]

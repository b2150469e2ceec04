"""The rows of the audit log, as its page and those of what was changed show them: written here, for they are many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus

from flask import url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from taskmanager.domain.texts import loaded, whole
from taskmanager.storage.audit import Row
from taskmanager.storage.monitoring_traces import TracedChange
from webui import formats, redaction, shell
from webui.addresses import IN_QUERIES, asking, job_address
from webui.texts import told as _

#: What each outcome is called, and the colour of which state it has.
OUTCOMES = {
    "done": (_l("done"), "succeeded"), "unchanged": (_l("nothing changed"), "created"),
    "failed": (_l("failed"), "failed"), "denied": (_l("denied"), "processing"),
}  # fmt: skip
_LONGEST_FACT = 200
#: Stand for what was changed, its name and how it is asked for, in what is drawn once for many: what is told of it is
#: escaped and has no such signs.
_TARGET, _ASKED = Markup("<target>"), Markup("<asked>")


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
    """Draws rows; what is the same in many of them is drawn once."""

    def __init__(self) -> None:
        self._user, self._action, self._what, self._before, self._after, self._outcome = (
            f'<td data-label="{label}">'
            for label in (_("User"), _("Action"), _("What"), _("Before"), _("After"), _("Outcome"))
        )
        self._when, self._request = formats.moments(), _("Request")
        #: By what they tell: who did it and from where, what was done, of which kind it was done to, what came of it.
        self._users: dict[tuple[str, str, str | None], str] = {}
        self._actions: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._outcomes: dict[str, str] = {}

    def __call__(self, rows: Iterable[Row]) -> Markup:
        return Markup("".join([f"{self.row(row)}\n" for row in rows]))

    def row(self, row: Row) -> str:
        """HTML of one."""
        return (
            f'<tr id="audit-{row.id}" data-row><td class="first nowrap">{self._when(row.at)}</td>'
            f"{self._who(row)}{self._did(row.action)}{self._what}{self._told_what(row)}</td>"
            f"{self._before}{_listed(row.before)}</td>{self._after}{_listed(row.after)}</td>"
            f"{self._outcome}{self._came_of(row)}</td></tr>"
        )

    def _who(self, row: Row) -> str:
        key = row.user, row.door, row.address
        if key not in self._users:
            user, door = (
                asking("pages.audit", user=row.user),
                f"{row.door} · {row.address}" if row.address else row.door,
            )
            name, told = f'<a href="{user}">{escape(row.user)}</a>', f'<small class="muted">{escape(door)}</small>'
            self._users[key] = f"{self._user}<div>{name}</div>{told}</td>"
        return self._users[key]

    def _did(self, action: str) -> str:
        if action not in self._actions:
            address = asking("pages.audit", action=action)
            self._actions[action] = f'{self._action}<a class="mono" href="{address}">{escape(action)}</a></td>'
        return self._actions[action]

    def _told_what(self, row: Row) -> str:
        """What was changed, which leads to its page; and to all that was done to it."""
        address, target = address_of(row), str(escape(row.target))
        name = f'<a href="{escape(address)}">{target}</a>' if address else target
        if row.kind not in self._kinds:
            self._kinds[row.kind] = _all_of_it(row.kind)
        asked = str(escape(quote_plus(row.target, safe=IN_QUERIES)))
        return f"<div>{name}</div>{self._kinds[row.kind].replace(_ASKED, asked).replace(_TARGET, target)}"

    def _came_of(self, row: Row) -> str:
        if row.outcome not in self._outcomes:
            label, colour = OUTCOMES.get(row.outcome, (row.outcome, "created"))
            self._outcomes[row.outcome] = f'<span class="pill s-{colour}">{escape(str(label))}</span>'
        told = self._outcomes[row.outcome]
        if row.note:
            told += f'<div class="muted"><small>{escape(redaction.message(row.note))}</small></div>'
        if row.request:
            number = f"<code>{escape(row.request)}</code>"
            told += f'<div class="muted"><small>{self._request} {number}</small></div>'
        return told


def _all_of_it(kind: str) -> str:
    """The kind of what was changed, and the way to all that was done to it, whose name is yet to be put in."""
    address, about = asking("pages.audit", kind=kind, target=""), _("All actions on %(what)s", what=_TARGET)
    return (
        f'<small class="muted row-flex tight">{escape(kind)} <a class="ghost tiny" href="{address}{_ASKED}" '
        f'aria-label="{about}" title="{about}">{shell.icon("filter")}</a></small>'
    )


def _listed(text: str | None) -> str:
    """Names and values of what a thing was or became."""
    if not text:
        return ""
    shown = [(escape(name), escape(formats.cut(value, _LONGEST_FACT))) for name, value in _facts(text)]
    return "".join([f'<div><span class="muted">{name}</span> <code>{value}</code></div>' for name, value in shown])


def _facts(text: str) -> list[tuple[str, str]]:
    try:
        found: Any = loaded(text)
    except ValueError:
        return [("", redaction.text(text))]
    return [(str(k), v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in found.items()]

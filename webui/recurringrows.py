"""The rows of the list of recurring jobs, a function for each column, and what is told of one on its own page too.

They are written here and not in a template, where they are twice as dear: the list has up to 100 of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from flask import Flask, url_for
from flask_babel import ngettext
from markupsafe import Markup, escape

from taskmanager.domain.records import RecurringRecord
from webui import access, crons, drawings, formats, recurring_marks, recurrings, redaction, runviews, shell
from webui.addresses import job_address, recurring_address
from webui.recurring_marks import Late, Rate
from webui.runviews import Runs
from webui.texts import told as _

_MAY = ("recurring.trigger", "recurring.pause", "recurring.edit", "recurring.remove")
_NONE = Markup('<span class="muted">{}</span>')
#: Stand for what is told of one, its id and the address of its page, in what is drawn once for many: what people write
#: is escaped and has no such signs.
_SPAN, _ID, _PAGE = Markup("<span>"), Markup("<id>"), Markup("<page>")


def install(app: Flask) -> None:
    """Give what other pages tell too to templates."""
    app.jinja_env.globals.update(told_pause=pause_facts, told_rate=rate_facts, told_late=late_facts)


@dataclass(frozen=True, slots=True)
class About:
    """What is known of those that are listed, by their ids; states: of their last jobs, by the numbers of these."""

    states: Mapping[int, Any]
    runs: Mapping[str, Runs]
    rates: Mapping[str, Rate | None]
    lates: Mapping[str, Late | None]


class Rows:
    """Draws rows; what is the same in many of them is drawn once."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._may = {action for action in _MAY if access.may(action)}
        self._box = _box() if self._may else ""
        self._columns = [
            (f'<td data-label="{label}">', content)
            for label, content in (
                (_("Schedule"), self._schedule), (_("Next run"), self._next), (_("Last run"), self._last),
                (_("Last results"), self._results), (_("State"), self._state),
            )
        ]  # fmt: skip
        self._when = formats.moments()
        self._alone, self._overlapping = str(_("one run at a time")), str(_("runs may overlap"))
        self._newest = str(_("last %(span)s", span=_SPAN))
        #: What was drawn, by what it tells: whether by hand, cron and zone; cron and zone; whether paused and orphaned.
        self._schedules: dict[tuple[bool, str, str], str] = {}
        self._coming: dict[tuple[str, str], str] = {}
        self._rates: dict[Rate, str] = {}
        self._actions: dict[tuple[bool, bool], str] = {}

    def __call__(self, rows: Iterable[RecurringRecord]) -> Markup:
        return Markup("".join([f"{self.row(one)}\n" for one in rows]))

    def row(self, one: RecurringRecord) -> str:
        """HTML of one."""
        state, page, name = recurring_marks.state(one), recurring_address(one.id), str(escape(one.id))
        cells = [f"{begin}{content(one, state)}</td>" for begin, content in self._columns]
        return (
            f'<tr data-row>{self._box.replace(_ID, name)}<td class="first">{self._name(one, page)}</td>'
            f"{''.join(cells)}{self._buttons(one).replace(_PAGE, page).replace(_ID, name)}</tr>"
        )

    def _name(self, one: RecurringRecord, page: str) -> str:
        """What it is called, which leads to its page; what it calls; its queue."""
        call = recurrings.call_of(one)
        overlap = self._alone if one.id.startswith("c_job:") else self._overlapping
        return (
            f'<div class="job-name"><a href="{page}">{escape(one.name or one.id)}</a>{_tags(one)}</div>'
            f'<div class="job-args mono">{escape(f"{one.id} · {call}" if one.name else call)}</div>'
            f'<div>{drawings.queue_tag(one.queue)} <span class="muted">{overlap}</span></div>'
        )

    def _schedule(self, one: RecurringRecord, state: str) -> str:
        key = state == "hand", one.cron, one.time_zone
        if key not in self._schedules:
            told = _("never, only by hand") if state == "hand" else escape(crons.words(one.cron) or one.cron or "–")
            zone = _("server time") if one.time_zone == "server" else escape(one.time_zone)
            told_cron = f"<code>{escape(one.cron)}</code> · {zone}"
            self._schedules[key] = f'<div>{told}</div><div class="muted">{told_cron}</div>'
        return self._schedules[key]

    def _next(self, one: RecurringRecord, state: str) -> str:
        if one.paused or not one.next_execution:
            return _NONE.format("–" if one.paused or state == "unplanned" else _("never"))
        local = escape(crons.local(one.next_execution, recurring_marks.zone_of(one)))
        key = one.cron, one.time_zone
        if key not in self._coming:
            self._coming[key] = _coming(*key)
        return f'{self._when(one.next_execution)}<div class="muted nowrap">{local}</div>{self._coming[key]}'

    def _last(self, one: RecurringRecord, state: str) -> str:
        came_to = self._about.states.get(one.last_job_id or 0)
        if not came_to:
            return self._when(one.last_execution)
        address = job_address(one.last_job_id or 0)
        return f'<a href="{address}">{drawings.pill(came_to[0])}</a> {self._when(one.last_execution)}'

    def _results(self, one: RecurringRecord, state: str) -> str:
        known, rate = self._about.runs[one.id], self._about.rates[one.id]
        if not known.runs:
            return '<span class="muted">–</span>'
        p50, p95 = formats.duration(known.p50), formats.duration(known.p95)
        newest = self._newest.replace(_SPAN, formats.duration(known.runs[-1].duration_ms))
        return (
            f'{runviews.dots(known)}{runviews.spark(known)}<div class="muted nowrap">p50 {p50} · p95 {p95}</div>'
            f'<div class="muted nowrap">{newest}</div>'
            f"{self._rate(rate) if rate else ''}{_failures(known.failures)}"
        )

    def _rate(self, rate: Rate) -> str:
        if rate not in self._rates:
            self._rates[rate] = _div("muted", rate_facts(rate))
        return self._rates[rate]

    def _state(self, one: RecurringRecord, state: str) -> str:
        late = self._about.lates[one.id]
        return (
            f"{drawings.recurring_state(state)}"
            f"{_div('muted', pause_facts(one)) if one.paused else ''}"
            f"{_div('error-text', escape(redaction.message(one.error))) if one.error else ''}"
            f"{_div('warn-text', late_facts(late)) if late and late.is_news else ''}"
        )

    def _buttons(self, one: RecurringRecord) -> str:
        """What may be done, of a job whose id and page are yet to be put in."""
        key = one.paused, one.orphaned
        if key not in self._actions:
            self._actions[key] = _actions(self._may, *key) if self._may else ""
        return self._actions[key]


def rate_facts(rate: Rate) -> Markup:
    """The share of runs that succeeded, and since when they are counted where that is not 30 days."""
    number, day = formats.number(rate.runs), str(rate.since).replace("-", "‑")
    if rate.is_whole:
        of = ngettext("of %(n)s run in 30 days", "of %(n)s runs in 30 days", rate.runs, n=number)
    else:
        of = ngettext("of %(n)s run since %(day)s", "of %(n)s runs since %(day)s", rate.runs, n=number, day=day)
    return Markup('<span class="nowrap">{} %</span> {}').format(formats.number(rate.percent), of)


def late_facts(late: Late) -> Markup:
    """A run that was missed, or is overdue."""
    slot = formats.when(late.slot)
    if late.dealt_with is None:
        told = _("overdue since") + Markup(" ") + slot
    else:
        by = _("%(span)s late", span=formats.duration(late.milliseconds))
        told = Markup("{} {}, {}").format(_("missed:"), slot, by)
    return Markup("{}<span>{}</span>").format(shell.icon("triangle-alert"), told)


def pause_facts(one: Any) -> Markup:
    """By whom something (a recurring job, a queue) is paused, since when and until when, and the note."""
    pause = one.pause
    if not pause:
        return Markup()
    told = [Markup("<span>{}</span>").format(_("by %(user)s", user=pause.by))] if pause.by else []
    for word, at in ((_("since"), pause.since), (_("resumes"), pause.until)):
        if at:
            told.append(Markup('<span class="nowrap">{} {}</span>').format(word, formats.when(at)))
    note = Markup('<div dir="auto">{}</div>').format(redaction.message(pause.note)) if pause.note else ""
    return Markup(" · ").join(told) + note


def _coming(cron: str, time_zone: str) -> str:
    """The next runs, folded away."""
    more = crons.upcoming(cron, time_zone) if time_zone != "server" else []
    if len(more) < 2:
        return ""
    summary, listed = _("next five"), "".join([f'<div class="nowrap">{formats.moment(at)}</div>' for at in more])
    return f'<details class="muted"><summary>{summary}</summary>{listed}</details>'


def _tags(one: RecurringRecord) -> str:
    tags = ""
    if one.overrides:
        title, text = _("Changed here: not as the code says"), _("changed")
        tags += f' <span class="tag" title="{title}">{text}</span>'
    if one.procedure is not None:
        tags += ' <span class="tag">c_Job</span>'
    if one.orphaned:
        title, text = _("The function is no longer in the code."), _("code gone")
        tags += f' <span class="pill s-processing" title="{title}">{shell.icon("triangle-alert")}{text}</span>'
    return tags


def _box() -> str:
    label = _("Choose %(id)s", id=_ID)
    return (
        f'<td class="check"><input form="bulk" type="checkbox" name="jobs[]" value="{_ID}" aria-label="{label}"></td>'
    )


def _actions(may: Set[str], is_paused: bool, is_orphaned: bool) -> str:
    made = []
    if "recurring.trigger" in may:
        made.append(_no_trigger() if is_orphaned else _button("trigger", _("Trigger now"), "play"))
    if "recurring.pause" in may and is_paused:
        made.append(_button("resume", _("Resume"), "circle-play"))
    elif "recurring.pause" in may:
        made.append(_button("pause", _("Pause"), "pause"))
    if "recurring.edit" in may:
        edit = _("Edit")
        made.append(
            f'<a class="ghost" href="{_PAGE}/edit" title="{edit}" aria-label="{edit}: {_ID}">{shell.icon("pencil")}</a>'
        )
    if "recurring.remove" in may:
        made.append(_button("remove", _("Remove"), "trash-2", confirm=_("Remove %(id)s?", id=_ID)))
    return f'<td><div class="row-actions">{"".join(made)}</div></td>'


def _button(action: str, text: str, symbol: str, *, confirm: str = "") -> str:
    address = url_for(f"pages.recurring_{action}")
    return drawings.icon_button(address, text, symbol, {"jobs[]": _ID}, confirm=confirm, what=_ID)


def _no_trigger() -> str:
    text, title = _("Trigger now"), _("The function is no longer in the code.")
    return f'<button class="ghost" disabled title="{title}" aria-label="{text}: {_ID}">{shell.icon("play")}</button>'


def _failures(count: int) -> str:
    text = ngettext("%(num)d failure in a row", "%(num)d failures in a row", count) if count else ""
    return _div("bad-text nowrap", escape(text)) if text else ""


def _div(kind: str, content: Markup) -> str:
    return f'<div class="{kind}">{content}</div>'

"""The rows of lists of jobs, a function for each column; which columns a list has is in `webui.columns`.

They are written here and not in a template, where they are twice as dear: a list has up to 1,500 cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import url_for
from markupsafe import Markup, escape

from taskmanager.domain.paused import PausedJobs
from taskmanager.domain.texts import whole
from taskmanager.storage.monitoring_lists import Row
from webui import access, drawings, formats, jobviews, pausing, redaction, shell
from webui.addresses import job_address, recurring_address
from webui.texts import told as _

_LONGEST_RESULT, _LONGEST_ERROR = 120, 300
#: Stands for a job's number in what is written once for a list.
_ID = "{id}"


@dataclass(frozen=True, slots=True)
class About:
    """What is the same in all rows of a list. needle: what was looked for, to be marked.

    servers: the stage of each server that is known; usual: how long runs of a function usually take, in ms; paused: the
    types and tags that are.
    """

    state: str
    needle: str
    now: datetime
    servers: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    paused: PausedJobs = field(default_factory=PausedJobs)


class Rows:
    """Draws rows. labels: the columns beside the job's name, in their order; can_choose: whether each has a box."""

    def __init__(self, about: About, labels: Mapping[str, object], *, can_choose: bool) -> None:
        self._about = about
        self._columns = [(_begin(name, label), _CONTENTS[name]) for name, label in labels.items()]
        glance = escape(url_for("pages.job_glance", job_id=0)).rpartition("0")
        self._start = f'<tr id="job-{_ID}" data-row>{_box() if can_choose else ""}'
        self._end = _more(glance[0] + _ID + glance[2], glance[0] + _ID) + "</tr>"

    def __call__(self, row: Row) -> Markup:
        about, number = self._about, str(row.id)
        cells = [f"{begin}{escape(content(row, about))}</td>" for begin, content in self._columns]
        return Markup(
            f'{self._start.replace(_ID, number)}<td class="first">{drawings.job_cell(row, about.needle)}</td>'
            f"{''.join(cells)}{self._end.replace(_ID, number)}"
        )


def _box() -> str:
    """What chooses a job for a bulk action."""
    label = _("Choose job %(id)s", id=_ID)
    return (
        f'<td class="check"><input form="bulk" type="checkbox" name="jobs[]" value="{_ID}" aria-label="{label}"></td>'
    )


def _more(glance: str, page: str) -> str:
    """The menu behind a row: what a job is at a glance comes when it is opened."""
    label, text = _("More about job %(id)s", id=_ID), _("Open the job")
    return (
        f'<td class="more"><details class="menu row-menu" hx-get="{glance}" hx-trigger="hf-open" hx-target="find div">'
        f'<summary class="ghost" aria-label="{label}">{shell.icon("chevron-down")}</summary>'
        f'<div><a href="{page}">{text}</a></div></details></td>'
    )


def _begin(name: str, label: object) -> str:
    kind = f' class="{_CLASSES[name]}"' if name in _CLASSES else ""
    return f'<td data-label="{escape(label)}"{kind}>'


def _state(row: Row, about: About) -> str:
    pill = drawings.pill(row.state)
    if not pausing.is_paused(row, about.paused):
        return pill
    return pill + Markup(' <span class="pill s-processing" title="{}">{}{}</span>').format(
        _("paused by type or tag"), shell.icon("pause"), _("paused")
    )


def _runs(row: Row, about: About) -> str:
    return formats.when(formats.parsed(row.data.get("EnqueueAt")))


def _server(row: Row, about: About) -> str:
    server = row.data.get("ServerId") or ""
    name = Markup('<span class="mono">{}</span>').format(jobviews.server_name(server))
    if row.state != "Processing" or about.servers.get(server) == "active":
        return name
    return name + Markup(' <span class="pill s-failed" title="{}">{}{}</span>').format(
        _("The server has not been heard of for over a minute."), shell.icon("triangle-alert"),
        _("silent") if server in about.servers else _("gone"),
    )  # fmt: skip


def _progress(row: Row, about: About) -> str:
    stored = row.parameters.get("Progress")
    if not stored:
        return ""
    percent = 100 * _number(jobviews.plain(stored))
    return Markup(
        '<progress max="100" value="{:.1f}" aria-label="{}"></progress><small class="muted">{:.0f} %</small>'
    ).format(percent, _("Progress of job %(id)s", id=row.id), percent)


def _started(row: Row, about: About) -> str:
    began = formats.parsed(row.data.get("StartedAt")) or row.since
    ran, usually = formats.span(began, about.now), about.usual.get(jobviews.function(row))
    told = Markup('{}<div class="muted">{}</div>').format(formats.lasting(ran), formats.when(began))
    if not usually:
        return told
    is_long = ran is not None and ran > usually
    return told + Markup('<div class="{}" title="{}">{}p95 {}</div>').format(
        "warn-text" if is_long else "muted", _("95 %% of its runs of a week took no longer"),
        shell.icon("triangle-alert") if is_long else "", formats.duration(usually),
    )  # fmt: skip


def _latency(row: Row, about: About) -> str:
    return formats.duration(formats.milliseconds(row.data.get("Latency")))


def _duration(row: Row, about: About) -> str:
    return formats.duration(formats.milliseconds(row.data.get("PerformanceDuration")))


def _result(row: Row, about: About) -> str:
    shown = jobviews.result(row.data.get("Result")) if access.sees_arguments() else ""
    return _error_text(escape(formats.cut(shown, _LONGEST_RESULT)))


def _error(row: Row, about: About) -> str:
    kind, message = jobviews.error_of(row.data)
    cause = Markup(f'<div><strong class="ink s-failed">{formats.marked(kind, about.needle)}</strong></div>')
    return cause + _error_text(formats.marked(formats.cut(message, _LONGEST_ERROR), about.needle))


def _attempts(row: Row, about: About) -> str:
    return str(int(_number(jobviews.plain(row.parameters.get("RetryCount")))) + 1)


def _reason(row: Row, about: About) -> str:
    kind, message = jobviews.error_of(row.data) if about.state == "deleted" else ("", "")
    return _error_text(escape(redaction.message(row.reason) + (f" {kind}: {message}" if kind else "")))


def _parent(row: Row, about: About) -> str:
    parent = row.data.get("ParentId")
    return Markup('<a href="{}">#{}</a>').format(job_address(whole(parent) or 0), parent) if parent else ""


def _starts(row: Row, about: About) -> str:
    after_success = "OnlyOn" in (row.data.get("Options") or "OnlyOn")
    return _("when it has succeeded") if after_success else _("when it has ended")


def _queue(row: Row, about: About) -> str:
    return drawings.queue_tag(row.queue)


def _since(row: Row, about: About) -> str:
    return formats.when(row.since or row.created_at)


def _created(row: Row, about: About) -> str:
    return formats.when(row.created_at)


def _expires(row: Row, about: About) -> str:
    return formats.when(row.expire_at) if row.expire_at else "–"


def _recurring(row: Row, about: About) -> str:
    source = jobviews.plain(row.parameters.get("RecurringJobId"))
    return Markup('<a href="{}">{}</a>').format(recurring_address(source), source) if source else ""


def _error_text(text: Markup) -> Markup:
    return Markup(f'<span class="error-text">{text}</span>')


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_CONTENTS: dict[str, Callable[[Row, About], str]] = {
    "state": _state, "runs": _runs, "server": _server, "progress": _progress, "started": _started,
    "latency": _latency, "duration": _duration, "result": _result, "error": _error, "attempts": _attempts,
    "reason": _reason, "parent": _parent, "starts": _starts, "queue": _queue, "since": _since, "created": _created,
    "expires": _expires, "recurring": _recurring,
}  # fmt: skip
_CLASSES = {
    "runs": "nowrap", "started": "nowrap", "latency": "num nowrap", "duration": "num nowrap", "result": "mono",
    "attempts": "num", "since": "nowrap", "created": "nowrap", "expires": "nowrap",
}  # fmt: skip

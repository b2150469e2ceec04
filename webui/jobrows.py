"""The rows of lists of jobs, a function for each column, which gives HTML; which columns there are: `webui.columns`.

They are written here and not in a template, where they are twice as dear: a list has up to 1,500 cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
        self.about, self.when, self.sees_results = about, formats.moments(), access.sees_arguments()
        self._columns = [(_begin(name, label), _CONTENTS[name]) for name, label in labels.items()]
        self._cell = drawings.job_cells(about.needle)
        glance = escape(url_for("pages.job_glance", job_id=0)).rpartition("0")
        self._start = f'<tr id="job-{_ID}" data-row>{_box() if can_choose else ""}'
        self._end = _more(glance[0] + _ID + glance[2], glance[0] + _ID) + "</tr>"

    def __call__(self, rows: Iterable[Row]) -> Markup:
        return Markup("".join([f"{self.row(row)}\n" for row in rows]))

    def row(self, row: Row) -> str:
        """HTML of one."""
        number = str(row.id)
        cells = [f"{begin}{content(row, self)}</td>" for begin, content in self._columns]
        return (
            f'{self._start.replace(_ID, number)}<td class="first">{self._cell(row)}</td>'
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


def _state(row: Row, of: Rows) -> str:
    pill = drawings.pill(row.state)
    if not pausing.is_paused(row, of.about.paused):
        return pill
    title, text = _("paused by type or tag"), _("paused")
    return f'{pill} <span class="pill s-processing" title="{title}">{shell.icon("pause")}{text}</span>'


def _runs(row: Row, of: Rows) -> str:
    return of.when(formats.parsed(row.data.get("EnqueueAt")))


def _server(row: Row, of: Rows) -> str:
    server = row.data.get("ServerId") or ""
    name = f'<span class="mono">{escape(jobviews.server_name(server))}</span>'
    if row.state != "Processing" or of.about.servers.get(server) == "active":
        return name
    title = _("The server has not been heard of for over a minute.")
    text = _("silent") if server in of.about.servers else _("gone")
    return f'{name} <span class="pill s-failed" title="{title}">{shell.icon("triangle-alert")}{text}</span>'


def _progress(row: Row, of: Rows) -> str:
    stored = row.parameters.get("Progress")
    if not stored:
        return ""
    percent, label = 100 * _number(jobviews.plain(stored)), _("Progress of job %(id)s", id=row.id)
    return (
        f'<progress max="100" value="{percent:.1f}" aria-label="{label}"></progress>'
        f'<small class="muted">{percent:.0f} %</small>'
    )


def _started(row: Row, of: Rows) -> str:
    began = formats.parsed(row.data.get("StartedAt")) or row.since
    ran, usually = formats.span(began, of.about.now), of.about.usual.get(jobviews.function(row))
    told = f'{formats.lasting(ran)}<div class="muted">{of.when(began)}</div>'
    if not usually:
        return told
    is_long, title = ran is not None and ran > usually, _("95 %% of its runs of a week took no longer")
    kind, symbol = ("warn-text", shell.icon("triangle-alert")) if is_long else ("muted", "")
    return f'{told}<div class="{kind}" title="{title}">{symbol}p95 {formats.duration(usually)}</div>'


def _latency(row: Row, of: Rows) -> str:
    return formats.duration(formats.milliseconds(row.data.get("Latency")))


def _duration(row: Row, of: Rows) -> str:
    return formats.duration(formats.milliseconds(row.data.get("PerformanceDuration")))


def _result(row: Row, of: Rows) -> str:
    shown = jobviews.result(row.data.get("Result")) if of.sees_results else ""
    return _error_text(escape(formats.cut(shown, _LONGEST_RESULT)))


def _error(row: Row, of: Rows) -> str:
    kind, message = jobviews.error_of(row.data)
    cause = f'<div><strong class="ink s-failed">{formats.marked(kind, of.about.needle)}</strong></div>'
    return cause + _error_text(formats.marked(formats.cut(message, _LONGEST_ERROR), of.about.needle))


def _attempts(row: Row, of: Rows) -> str:
    return str(int(_number(jobviews.plain(row.parameters.get("RetryCount")))) + 1)


def _reason(row: Row, of: Rows) -> str:
    kind, message = jobviews.error_of(row.data) if of.about.state == "deleted" else ("", "")
    return _error_text(escape(redaction.message(row.reason) + (f" {kind}: {message}" if kind else "")))


def _parent(row: Row, of: Rows) -> str:
    parent = row.data.get("ParentId")
    return f'<a href="{job_address(whole(parent) or 0)}">#{escape(parent)}</a>' if parent else ""


def _starts(row: Row, of: Rows) -> str:
    after_success = "OnlyOn" in (row.data.get("Options") or "OnlyOn")
    return _("when it has succeeded") if after_success else _("when it has ended")


def _queue(row: Row, of: Rows) -> str:
    return drawings.queue_tag(row.queue)


def _since(row: Row, of: Rows) -> str:
    return of.when(row.since or row.created_at)


def _created(row: Row, of: Rows) -> str:
    return of.when(row.created_at)


def _expires(row: Row, of: Rows) -> str:
    return of.when(row.expire_at) if row.expire_at else "–"


def _recurring(row: Row, of: Rows) -> str:
    source = jobviews.plain(row.parameters.get("RecurringJobId"))
    return f'<a href="{recurring_address(source)}">{escape(source)}</a>' if source else ""


def _error_text(text: Markup) -> str:
    return f'<span class="error-text">{text}</span>'


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_CONTENTS: dict[str, Callable[[Row, Rows], str]] = {
    "state": _state, "runs": _runs, "server": _server, "progress": _progress, "started": _started,
    "latency": _latency, "duration": _duration, "result": _result, "error": _error, "attempts": _attempts,
    "reason": _reason, "parent": _parent, "starts": _starts, "queue": _queue, "since": _since, "created": _created,
    "expires": _expires, "recurring": _recurring,
}  # fmt: skip
_CLASSES = {
    "runs": "nowrap", "started": "nowrap", "latency": "num nowrap", "duration": "num nowrap", "result": "mono",
    "attempts": "num", "since": "nowrap", "created": "nowrap", "expires": "nowrap",
}  # fmt: skip

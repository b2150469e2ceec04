"""The rows of the list of retries, as `webui.jobrows` writes those of other lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from taskmanager.domain.invocation import InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.storage.monitoring_lists import Row
from taskmanager.storage.retry_rows import Failures
from webui import drawings, formats, jobviews, redaction, shell
from webui.texts import told as _

_LONGEST_ERROR = 300
#: A text may be so much longer before it is cut.
_LEEWAY = 5
#: So many tries are told behind the next one.
_LATER = 5
#: Stands for a job's number in what is written once for the list.
_ID = "{id}"


class Rows:
    """Draws rows; what is the same in many of them is drawn once. errors: what each said at last, by its number."""

    def __init__(
        self, failures: Mapping[int, Failures], errors: Mapping[int, Mapping[str, str]], *, can_choose: bool
    ) -> None:
        self._failures, self._errors = failures, errors
        self._cell, self._when = drawings.job_cells(), formats.moments()
        self._box = drawings.choice(_ID) if can_choose else ""
        retry, self._error, self._queue = (
            f'<td data-label="{label}">' for label in (_("Retry"), _("Error"), _("Queue"))
        )
        self._retry = f'{retry}<span class="pill s-retry">{shell.icon("rotate-ccw")}'
        self._first, self._next = (
            f'<td data-label="{label}" class="nowrap">' for label in (_("Failed first"), _("Next attempt"))
        )
        self._later: dict[tuple[str, int], str] = {}

    def __call__(self, rows: Iterable[Row]) -> Markup:
        return Markup("".join([self.row(row) for row in rows]))

    def row(self, row: Row) -> str:
        """HTML of one."""
        retried, known = jobviews.retry(row.reason), self._failures.get(row.id)
        count = retried[0] if retried else escape(jobviews.plain(row.parameters.get("RetryCount")))
        said = self._said(row, retried[1] if retried else row.reason)
        return (
            f'<tr data-row>{self._box.replace(_ID, str(row.id))}<td class="first">{self._cell(row)}</td>'
            f"{self._retry}{count}</span></td>"
            f'{self._error}<span class="error-text">{said}</span></td>'
            f"{self._queue}{drawings.queue_tag(row.queue)}</td>"
            f"{self._first}{self._when(known.first) if known else '–'}</td>"
            f"{self._next}{self._when(formats.parsed(row.data.get('EnqueueAt')))}{self._then(row)}</td></tr>"
        )

    def _said(self, row: Row, reason: str | None) -> str:
        """What the last try failed with, or why it is tried again."""
        kind, said = jobviews.error_of(self._errors.get(row.id, {}))
        if not kind:
            return escape(redaction.message(reason))
        if len(said) > _LONGEST_ERROR + _LEEWAY:
            said = said[: _LONGEST_ERROR - 1] + "…"
        return f"<b>{escape(kind.rpartition('.')[2])}</b> {escape(said)}"

    def _then(self, row: Row) -> str:
        """The tries behind the next one: the same for all of a function that have failed as often."""
        key = row.call, attempt(row)
        if key not in self._later:
            self._later[key] = _told_later(later(*key))
        return self._later[key]


def attempt(row: Row) -> int:
    """How often it was tried again."""
    text = jobviews.plain(row.parameters.get("RetryCount"))
    return int(text) if text and text.isdecimal() and len(text) < 9 else 0


def later(call: str, attempt: int) -> list[float]:
    """About how many milliseconds lie before each of the tries after the next one; none where nobody here knows."""
    try:
        known = jobviews.definitions().get(read_invocation(call).name)
    except InvocationUnreadable:
        return []
    if known is None:
        return []
    attempts = range(attempt + 1, min(known.retry.attempts, attempt + _LATER) + 1)
    found = [known.retry.expected(attempt) for attempt in attempts]
    return [seconds * 1000 for seconds in found if seconds is not None]


def _told_later(spans: list[float]) -> str:
    if not spans:
        return ""
    told, summary = [_("then after about %(span)s", span=formats.duration(span)) for span in spans], _("later tries")
    listed = "".join([f"<div>{one}</div>" for one in told])
    return f'<details class="muted"><summary>{summary}</summary>{listed}</details>'

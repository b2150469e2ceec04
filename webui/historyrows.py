"""The rows of the history, as `webui.jobrows` writes those of lists of jobs."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from markupsafe import Markup, escape

from taskmanager.storage.monitoring_logged import Run
from webui import access, drawings, formats, jobviews, redaction
from webui.texts import told as _


class Rows:
    """Draws rows; what is the same in all of them is found once.

    needle: what was looked for, to be marked; compared: the run that another is looked for to be compared with.
    """

    def __init__(self, needle: str = "", compared: int | None = None) -> None:
        self._needle, self._compared, self._sees_notes = needle, compared, access.may("args.view")
        self._when, self._compare = formats.moments(), _("Compare")
        self._page = escape(url_for("pages.history_run", run_id=0).removesuffix("0"))
        self._result, self._server, self._by = (
            f'<td data-label="{label}"' for label in (_("Result"), _("Server"), _("Triggered by"))
        )
        self._duration, self._started = (
            f'<td data-label="{label}" class="{kind}">'
            for label, kind in ((_("Duration"), "num nowrap"), (_("Started"), "nowrap"))
        )

    def __call__(self, rows: Iterable[Run]) -> Markup:
        return Markup("".join([f"{self.row(row)}\n" for row in rows]))

    def row(self, row: Run) -> str:
        """HTML of one."""
        job = f" · #{escape(row.job_id)}" if row.job_id else ""
        return (
            f'<tr id="run-{row.id}" data-row><td class="first"><div class="job-name"><a href="{self._page}{row.id}">'
            f'{escape(row.name)}</a></div><div class="job-args mono">{escape(row.type)}{job}</div></td>\n'
            f"  {self._result}>{drawings.outcome(row.succeeded)}{self._note(row)}</td>\n"
            f"  {self._duration}{formats.duration(row.duration_ms)}</td>"
            f'{self._server} class="mono">{escape(jobviews.server_name(row.server))}</td>'
            f"{self._by}>{escape(row.by or '–')}</td>"
            f"{self._started}{self._when(row.started)}{self._beside(row)}</td></tr>"
        )

    def _note(self, row: Run) -> str:
        if not row.note or not self._sees_notes:
            return ""
        return f'<span class="error-text">{formats.marked(redaction.message(row.note), self._needle)}</span>'

    def _beside(self, row: Run) -> str:
        if self._compared is None or self._compared == row.id:
            return ""
        address = escape(url_for("pages.history_compare", a=self._compared, b=row.id))
        return f'<div><a href="{address}">{self._compare}</a></div>'

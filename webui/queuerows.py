"""The rows of a queue's jobs, as `webui.jobrows` writes those of other lists."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from taskmanager.storage.monitoring_lists import Row
from webui import drawings, formats, shell
from webui.texts import told as _

#: Stands for a job's number in what is written once for the list.
_ID = "{id}"


class Rows:
    """Draws rows; what is the same in all of them is found once. held: they wait as their type or a tag is paused."""

    def __init__(self, *, held: bool, can_choose: bool) -> None:
        self._cell, self._when = drawings.job_cells(), formats.moments()
        self._box = drawings.choice(_ID) if can_choose else ""
        state, since, text = _("State"), _("Since"), _("held")
        self._state, self._since = f'<td data-label="{state}">', f'<td data-label="{since}" class="nowrap">'
        self._held = f' <span class="pill s-processing">{shell.icon("pause")}{text}</span>' if held else ""

    def __call__(self, rows: Iterable[Row]) -> Markup:
        return Markup("".join([self.row(row) for row in rows]))

    def row(self, row: Row) -> str:
        """HTML of one."""
        return (
            f'<tr data-row>{self._box.replace(_ID, str(row.id))}<td class="first">{self._cell(row)}</td>'
            f"{self._state}{drawings.pill(row.state)}{self._held}</td>{self._since}{self._when(row.since)}</td></tr>"
        )

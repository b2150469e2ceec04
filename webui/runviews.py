"""The last runs of a recurring job as people see them: dots, a line of durations, a chart, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from taskmanager.storage.recurring_runs import RecurringRun
from webui import formats

#: The results shown as dots, and the runs whose durations are shown as bars, in a list.
DOTS, BARS = 20, 30
_STATES = {"succeeded": "succeeded", "failed": "failed", "retried": "retry", "deleted": "deleted"}


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs, oldest first, and what they come to. Durations in milliseconds."""

    runs: tuple[RecurringRun, ...]

    @property
    def p50(self) -> int | None:
        """Half of them took no longer."""
        return self._percentile(50)

    @property
    def p95(self) -> int | None:
        """95 of 100 took no longer."""
        return self._percentile(95)

    @property
    def rate(self) -> float | None:
        """How many of 100 succeeded."""
        if not self.runs:
            return None
        return 100 * sum(run.outcome == "succeeded" for run in self.runs) / len(self.runs)

    @property
    def results(self) -> str:
        """The newest results in words, for who does not see dots."""
        shown = self.runs[-DOTS:]
        counted = Counter(run.outcome for run in shown)
        told = ", ".join(f"{counted[one]} {outcome(one)}" for one in _STATES if counted[one])
        text = ngettext(
            "The last %(num)d result: %(told)s", "The last %(num)d results: %(told)s", len(shown), told=told
        )
        if shown and len(shown) > 1:
            text += ". " + _("The newest: %(told)s", told=outcome(shown[-1].outcome))
        return str(text)

    @property
    def durations(self) -> str:
        """The durations in words."""
        return str(
            _("half within %(a)s, 95 %% within %(b)s", a=formats.duration(self.p50), b=formats.duration(self.p95))
        )

    def _percentile(self, share: int) -> int | None:
        """The nearest rank: a duration that a run really had."""
        ordered = sorted(run.duration_ms for run in self.runs)
        return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


def outcome(name: str) -> str:
    """A result in the reader's language."""
    return _words().get(name, name)


def _words() -> dict[str, str]:
    """The words of runs, looked up once for an answer: a list tells hundreds of runs."""
    if "words_of_runs" not in g:
        g.words_of_runs = {
            "succeeded": _("succeeded"), "failed": _("failed"), "retried": _("failed and tried again"),
            "deleted": _("cancelled"), "waited": _("waited %(span)s"),
        }  # fmt: skip
    words: dict[str, str] = g.words_of_runs
    return words


def state(run: RecurringRun) -> str:
    """The state whose colour a run has."""
    return _STATES[run.outcome]


def dots(runs: Runs) -> Markup:
    """The newest results on a line: what succeeded is round, all else has corners.

    Written here, as is `line`: in a list they are fifty shapes for each row, and ten times as dear in a template.
    """
    return Markup().join(_dot(8 * place, run) for place, run in enumerate(runs.runs[-DOTS:]))


def _dot(x: int, run: RecurringRun) -> Markup:
    title = f"<title>{escape(told(run))}</title>"
    if run.outcome == "succeeded":
        return Markup(f'<circle class="s-{state(run)}" cx="{x + 3}" cy="4" r="3">{title}</circle>')
    return Markup(f'<rect class="s-{state(run)}" x="{x}" y="0" width="6.5" height="8">{title}</rect>')


def line(runs: Runs) -> Markup:
    """The durations as a row of small bars."""
    return Markup(
        "".join(
            f'<rect class="s-{bar["state"]}" x="{bar["x"]}" y="{bar["y"]}" width="{bar["width"]}" '
            f'height="{bar["height"]}"></rect>'
            for bar in bars(runs.runs, width=160, height=20, least=BARS)
        )
    )


def bars(
    runs: Sequence[RecurringRun], *, width: float, height: float, least: int = 20, marked: int = 0
) -> list[dict[str, Any]]:
    """Durations as bars, oldest first: the longest fills the height. marked: the job whose bar is marked."""
    longest = max((run.duration_ms for run in runs), default=0) or 1
    step = width / max(least, len(runs))
    made = []
    for place, run in enumerate(runs):
        tall = height / 16 + height * 15 / 16 * run.duration_ms / longest
        made.append({
            "x": round(place * step, 2), "width": round(step * 0.8, 2), "y": round(height - tall, 2),
            "height": round(tall, 2), "run": run, "state": state(run), "marked": run.job_id == marked,
        })  # fmt: skip
    return made


def level(runs: Runs, duration: int | None, height: float) -> float | None:
    """Where a duration lies in such a chart."""
    longest = max((run.duration_ms for run in runs.runs), default=0)
    if duration is None or not longest:
        return None
    return round(height - height / 16 - height * 15 / 16 * duration / longest, 2)


def told(run: RecurringRun) -> str:
    """A run in words."""
    text = f"{formats.moment(run.started)}: {outcome(run.outcome)}, {formats.duration(run.duration_ms)}"
    if run.waited_ms is not None:
        text += ", " + _words()["waited"] % {"span": formats.duration(run.waited_ms)}
    return text


def since(runs: Runs) -> datetime | None:
    """When the first of them began."""
    return runs.runs[0].started if runs.runs else None

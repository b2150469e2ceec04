"""The last runs of a recurring job as people see them: dots, a line of durations, a chart, and what they come to."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from taskmanager.storage.recurring_runs import RecurringRun
from webui import formats
from webui.addresses import job_address

#: The results shown as dots, and the runs whose durations are shown as bars, in a list.
DOTS, BARS = 20, 30
#: The size of the row of small bars; its bars differ by hundredths, over a part that all have.
_WIDE, _TALL = 160, 20
_HEIGHTS = 100 * _TALL * 15 // 16
_STATES = {"succeeded": "succeeded", "failed": "failed", "retried": "retry", "deleted": "deleted"}


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs, oldest first, and what they come to. Durations in milliseconds."""

    runs: tuple[RecurringRun, ...]
    _ordered: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ordered", sorted([run.duration_ms for run in self.runs]))

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
        """How many of 100 of these succeeded."""
        if not self.runs:
            return None
        return 100 * sum(run.outcome == "succeeded" for run in self.runs) / len(self.runs)

    @property
    def failures(self) -> int:
        """How many in a row have failed, up to the newest one; what was cancelled is passed by."""
        count = 0
        for run in reversed(self.runs):
            if run.outcome == "succeeded":
                break
            count += run.outcome in ("failed", "retried")
        return count

    @property
    def results(self) -> str:
        """The newest results in words, for who does not see dots."""
        outcomes, known = tuple([run.outcome for run in self.runs[-DOTS:]]), _words().results
        if outcomes not in known:
            known[outcomes] = _told_results(outcomes)
        return known[outcomes]

    @property
    def durations(self) -> str:
        """The durations in words."""
        return _words().within % {"a": formats.duration(self.p50), "b": formats.duration(self.p95)}

    @property
    def waits(self) -> str:
        """How long they waited before their first start, in words; empty when none tells it."""
        found = sorted(run.waited_ms for run in self.runs if run.waited_ms is not None)
        if not found:
            return ""
        half, most = (formats.duration(found[max(0, -(-share * len(found) // 100) - 1)]) for share in (50, 95))
        return _words().within % {"a": half, "b": most}

    def has(self, job_id: int) -> bool:
        """Whether a job is one of them."""
        return any(run.job_id == job_id for run in self.runs)

    def _percentile(self, share: int) -> int | None:
        """The nearest rank: a duration that a run really had."""
        ordered = self._ordered
        return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


def outcome(name: str) -> str:
    """A result in the reader's language."""
    return _words().outcomes.get(name, name)


class _Words:
    """What is told of runs, looked up once for an answer: a list tells hundreds of runs.

    escaped: as it stands in a page, where all else that is told of a run is digits and units. results, titles: what
    many of a list share, by outcomes and by the number of runs.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {
            "succeeded": _("succeeded"), "failed": _("failed"), "retried": _("failed and tried again"),
            "deleted": _("cancelled"), "waited": _("waited %(span)s"),
        }  # fmt: skip
        self.escaped = {name: str(escape(word)) for name, word in self.outcomes.items()}
        self.within = str(_("half within %(a)s, 95 %% within %(b)s"))
        self.results: dict[tuple[str, ...], str] = {}
        self.titles: dict[int, str] = {}

    def title(self, count: int) -> str:
        """Of a row of bars."""
        if count not in self.titles:
            self.titles[count] = str(_("Durations of the last %(n)s runs", n=count))
        return self.titles[count]


def _words() -> _Words:
    try:
        words: _Words = g.words_of_runs
    except AttributeError:
        words = g.words_of_runs = _Words()
    return words


def _told_results(outcomes: tuple[str, ...]) -> str:
    counts = {one: outcomes.count(one) for one in _STATES}
    told = ", ".join(f"{count} {outcome(one)}" for one, count in counts.items() if count)
    text = ngettext("The last %(num)d result: %(told)s", "The last %(num)d results: %(told)s", len(outcomes), told=told)
    if len(outcomes) > 1:
        text += ". " + _("The newest: %(told)s", told=outcome(outcomes[-1]))
    return str(text)


def state(run: RecurringRun) -> str:
    """The state whose colour a run has."""
    return _STATES[run.outcome]


def dots(runs: Runs) -> Markup:
    """The newest results on a line: what succeeded is round, all else has corners.

    Written here, as are `spark` and `columns`: they are hundreds of shapes, and ten times as dear in a template.
    """
    words, drawn = _words().escaped, []
    for place, run in enumerate(runs.runs[-DOTS:]):
        begin, end = _dot(place, run.outcome)
        drawn.append(f"{begin}<title>{_told(run, words)}</title>{end}")
    return Markup(
        '<svg class="dots" viewBox="0 0 160 8" width="160" height="8" role="img" '
        f'aria-label="{escape(runs.results)}">{"".join(drawn)}</svg>'
    )


@functools.cache
def _dot(place: int, outcome: str) -> tuple[str, str]:
    """What stands before and behind the words of a result."""
    kind = _STATES[outcome]
    if outcome == "succeeded":
        return f'<circle class="s-{kind}" cx="{8 * place + 3}" cy="4" r="3">', "</circle>"
    return f'<rect class="s-{kind}" x="{8 * place}" y="0" width="6.5" height="8">', "</rect>"


def spark(runs: Runs) -> Markup:
    """The durations as a row of small bars."""
    longest, places = max(runs._ordered, default=0) or 1, max(BARS, len(runs.runs))
    begins, scale = _begins(places), _HEIGHTS / longest
    drawn = [
        f'<rect class="s-{_STATES[run.outcome]}" x="{begin}" {_small(int(run.duration_ms * scale), places)}></rect>'
        for begin, run in zip(begins, runs.runs, strict=False)
    ]
    title, told = _words().title(len(runs.runs)), runs.durations
    return Markup(
        f'<svg class="spark" viewBox="0 0 {_WIDE} {_TALL}" width="{_WIDE}" height="{_TALL}" '
        f'preserveAspectRatio="none" role="img" aria-label="{escape(f"{title}: {told}")}">{"".join(drawn)}</svg>'
    )


@functools.lru_cache(maxsize=16)
def _begins(places: int) -> list[str]:
    return [str(round(place * _WIDE / places, 2)) for place in range(places)]


@functools.lru_cache(maxsize=4096)
def _small(share: int, places: int) -> str:
    """The rest of a small bar: it is written once for each height in hundredths."""
    tall = _TALL / 16 + share / 100
    return f'y="{round(_TALL - tall, 2)}" width="{round(0.8 * _WIDE / places, 2)}" height="{round(tall, 2)}"'


def columns(runs: Runs, marked: int) -> Markup:
    """The durations as bars that lead to their jobs. marked: the job whose bar is underlined."""
    drawn, words = [], _words().escaped
    for bar in bars(runs.runs, width=600, height=80):
        name = f"#{bar.run.job_id} {_told(bar.run, words)}"
        mark = f'<rect class="mark" x="{bar.x}" y="81" width="{bar.width}" height="3"></rect>'
        drawn.append(
            f'<a href="{job_address(bar.run.job_id)}" tabindex="-1" aria-label="{name}"><{bar.shape}>'
            f"<title>{name}</title></rect>{mark if bar.run.job_id == marked else ''}</a>"
        )
    return Markup("".join(drawn))


def waiting(runs: Runs) -> Markup:
    """How long each waited before its first start, as bars under those of `columns`; none where it was tried again."""
    longest = max((run.waited_ms or 0 for run in runs.runs), default=0) or 1
    step = 600 / max(20, len(runs.runs))
    drawn = []
    for place, run in enumerate(runs.runs):
        if run.waited_ms is not None:
            tall = 1 + 23 * run.waited_ms / longest
            drawn.append(
                f'<rect x="{round(place * step, 2)}" y="{round(24 - tall, 2)}" width="{round(step * 0.8, 2)}" '
                f'height="{round(tall, 2)}"><title>{escape(told(run))}</title></rect>'
            )
    return Markup("".join(drawn))


@dataclass(frozen=True, slots=True)
class Bar:
    """One run's duration in a chart. shape: the beginning of what is drawn, a rect."""

    run: RecurringRun
    x: float
    width: float
    shape: str


def bars(runs: Sequence[RecurringRun], *, width: float, height: float, least: int = 20) -> list[Bar]:
    """Durations as bars, oldest first: the longest fills the height. least: so many have room."""
    longest = max((run.duration_ms for run in runs), default=0) or 1
    step = width / max(least, len(runs))
    broad, made = round(step * 0.8, 2), []
    for place, run in enumerate(runs):
        tall, x = height / 16 + height * 15 / 16 * run.duration_ms / longest, round(place * step, 2)
        shape = (
            f'rect class="s-{state(run)}" x="{x}" y="{round(height - tall, 2)}" width="{broad}" '
            f'height="{round(tall, 2)}"'
        )
        made.append(Bar(run, x, broad, shape))
    return made


def level(runs: Runs, duration: int | None, height: float) -> float | None:
    """Where a duration lies in such a chart."""
    longest = max((run.duration_ms for run in runs.runs), default=0)
    if duration is None or not longest:
        return None
    return round(height - height / 16 - height * 15 / 16 * duration / longest, 2)


def told(run: RecurringRun) -> str:
    """A run in words."""
    return _told(run, _words().outcomes)


def _told(run: RecurringRun, words: dict[str, str]) -> str:
    text = f"{run.started.isoformat(' ', 'seconds')} UTC: {words[run.outcome]}, {formats.duration(run.duration_ms)}"
    if run.waited_ms is not None:
        text += ", " + words["waited"] % {"span": formats.duration(run.waited_ms)}
    return text

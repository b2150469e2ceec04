"""The last hour of a server as people see it: processor, memory and busy threads, a bar a minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _
from markupsafe import Markup, escape

from taskmanager.storage.server_facts import Minute
from webui import formats

#: Minutes that have room, and the size of the drawing.
_MINUTES, WIDE, TALL = 60, 600, 60


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: its name, what it comes to in words, and its bars."""

    name: str
    told: str
    bars: Markup


def charts(minutes: Sequence[Minute], threads: int) -> list[Chart]:
    """Three of them; none where a server has told nothing yet. threads: how many it has, the height of their bars."""
    if not minutes:
        return []
    return [
        _chart(minutes, _("Processor"), lambda one: one.cpu, lambda v: f"{formats.number(round(v, 1))} %", 100),
        _chart(
            minutes, _("Memory"), lambda one: one.memory, lambda v: f"{formats.number(round(v / 1048576))} MB", 0
        ),
        _chart(minutes, _("Busy threads"), lambda one: one.busy, lambda v: formats.number(round(v, 1)), threads),
    ]  # fmt: skip


def _chart(
    minutes: Sequence[Minute], name: str, figure: Callable[[Minute], float], words: Callable[[float], str], least: float
) -> Chart:
    """least: what fills the height when nothing is more."""
    values, end = [figure(one) for one in minutes], minutes[-1].at
    highest, step = max(*values, least, 1e-9), WIDE / _MINUTES
    drawn = []
    for one, value in zip(minutes, values, strict=True):
        place = _MINUTES - 1 - (end - one.at) // 60
        if 0 <= place < _MINUTES:
            tall = max(1.0, TALL * max(0.0, value) / highest)
            at = datetime.fromtimestamp(one.at, UTC).replace(tzinfo=None)
            drawn.append(
                f'<rect x="{round(place * step, 2)}" y="{round(TALL - tall, 2)}" width="{round(step * 0.8, 2)}" '
                f'height="{round(tall, 2)}"><title>{escape(formats.moment(at))}: {escape(words(value))}</title></rect>'
            )
    told = _("%(mean)s in the mean, %(most)s at most", mean=words(sum(values) / len(values)), most=words(max(values)))
    return Chart(name, told, Markup("".join(drawn)))

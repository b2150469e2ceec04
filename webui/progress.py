"""How far a run is, and about how long it goes on."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from taskmanager.domain.records import JobRecord
from webui import formats, jobviews

#: The least share of a progress, and the least time, after which the rest of a run is estimated.
_LEAST_SHARE, _LEAST_MS = 0.01, 1_000


def share_of(text: str | None) -> float | None:
    """A stored progress from 0 to 1; None for none."""
    try:
        share = float(jobviews.plain(text))
    except ValueError:
        return None
    return min(1.0, max(0.0, share)) if share == share else None


def remaining(job: JobRecord, now: datetime) -> float | None:
    """About how many milliseconds a run has to go, by its progress; None where nothing tells."""
    started = job.current.created_at if job.state == "Processing" and job.current else None
    return left_of(share_of(job.parameters.get("Progress")), started, now)


def left_of(share: float | None, started: datetime | None, now: datetime) -> float | None:
    """The same of a run that began at a moment and has done this share of its work."""
    spent = formats.span(started, now) if started is not None else None
    if share is None or spent is None or not _LEAST_SHARE <= share < 1 or spent < _LEAST_MS:
        return None
    return spent * (1 - share) / share


def told_progress(share: float | None, left_ms: float | None) -> str:
    """How far a run is, and about how long it goes on."""
    told = f"{round((share or 0) * 100)} %"
    return told if left_ms is None else f"{told} · " + _("about %(span)s to go", span=formats.duration(left_ms))

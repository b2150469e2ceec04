"""Types and tags that are paused, as the pages tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from taskmanager.domain.paused import TYPE, PausedJobs, paused_of
from taskmanager.domain.tags import PARAMETER
from taskmanager.storage import job_pauses
from taskmanager.storage.job_pauses import JobPause
from taskmanager.storage.monitoring_lists import Row
from webui import jobviews, restricting
from webui.blueprint import read


def types() -> list[str]:
    """The types that people may name: by their last part where that says which."""
    names = [one.name for one in jobviews.definitions().values() if not one.is_internal]
    short = [name.rpartition(":")[2] for name in names]
    return sorted(last if short.count(last) == 1 else name for name, last in zip(names, short, strict=True))


def of_job(state: str | None, call: str, parameters: Mapping[str, str]) -> Sequence[JobPause]:
    """The pauses for which an Enqueued job waits."""
    if state != "Enqueued":
        return ()
    known = read(job_pauses.known)
    values = paused_of(one.value for one in known).of_job(call, parameters.get(PARAMETER))
    return [one for one in known if one.value in values]


def of_rows(rows: Iterable[Row]) -> PausedJobs:
    """What is paused, for a list in which jobs are Enqueued; nothing where none is, or queues are not all shown."""
    if restricting.queues() or all(row.state != "Enqueued" for row in rows):
        return PausedJobs()
    return read(job_pauses.paused)


def is_paused(row: Row, paused: PausedJobs) -> bool:
    """Whether a job of a list waits as its type or a tag is paused."""
    return row.state == "Enqueued" and bool(paused.of_job(row.call, row.parameters.get(PARAMETER)))


def search(one: JobPause) -> str:
    """The filter that finds its jobs."""
    name = one.name.rpartition(":")[2] if one.kind == TYPE else one.name
    return f'state:enqueued {one.kind}:"{name}"'

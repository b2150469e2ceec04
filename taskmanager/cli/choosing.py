"""Which jobs a command means: those of a state, of a job by any of its names, of a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import click

from taskmanager.app import TaskManager
from taskmanager.cli.texts import progress
from taskmanager.domain.errors import UnknownJob
from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.states import ALL_NAMES
from taskmanager.storage import monitoring

#: Ids read at a time.
_PAGE = 1000

state_option = click.option("--state", type=click.Choice(ALL_NAMES, case_sensitive=False), help="Only this state.")
job_option = click.option("--job", "job_name", metavar="NAME", help="Only this job, by any of its names.")
queue_option = click.option("--queue", metavar="NAME", help="Only this queue.")


def check_choice(job_ids: Sequence[int], state: str | None, job_name: str | None, queue: str | None) -> None:
    """Raises UsageError unless jobs are named by id, or else by their state at least."""
    if job_ids and (state or job_name or queue):
        raise click.UsageError("give ids, or --state with --job and --queue, not both")
    if not job_ids and not state:
        raise click.UsageError("give ids, or --state to take all of a state; --job and --queue narrow it")


def chosen(tm: TaskManager, state: str | None, job_name: str | None, queue: str | None) -> list[int]:
    """The ids of all jobs of a state, a job and a queue, with a progress bar."""
    with progress("looking", None) as advance:
        ids = []
        for job_id in matching(tm, state, job_name, queue):
            ids.append(job_id)
            advance(1)
    return ids


def matching(
    tm: TaskManager, state: str | None, job_name: str | None, queue: str | None, before: int | None = None
) -> Iterator[int]:
    """Ids of jobs, newest first, in as many short reads as it takes."""
    names = _functions(tm, job_name)
    while True:
        page = _page(tm, state, before)
        for job_id, data, own_queue in page:
            if queue in (None, own_queue) and (names is None or names(data)):
                yield job_id
        if len(page) < _PAGE:
            return
        before = page[-1][0]


def _page(tm: TaskManager, state: str | None, before: int | None) -> list[tuple[int, str, str | None]]:
    return tm.database.read(lambda tx: monitoring.calls(tx, state, limit=_PAGE, before_id=before))


def _functions(tm: TaskManager, job_name: str | None) -> Callable[[str], bool] | None:
    """Whether a stored call is of the job that a name means; jobs that nobody knows any more have names too."""
    if job_name is None:
        return None
    try:
        known = tm.registry.find(job_name).name
    except UnknownJob:
        known = None
    wanted = job_name.strip().lower()

    def fits(data: str) -> bool:
        try:
            call = read(data)
        except InvocationUnreadable:
            return False
        return call.name == known or wanted in (call.name.lower(), call.method.lower())

    return fits

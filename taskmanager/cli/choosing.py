"""Which jobs a command means: those of a state, of a job by any of its names, of a queue."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import click

from taskmanager.app import TaskManager
from taskmanager.cli.texts import progress
from taskmanager.domain.errors import AmbiguousJob, UnknownJob
from taskmanager.domain.invocation import InvocationUnreadable, read
from taskmanager.domain.states import ALL_NAMES
from taskmanager.storage import monitoring

#: Ids read at a time.
_PAGE = 1000
#: A list is looked for among so many jobs at most, as on the pages.
LOOKED_THROUGH = 100_000

state_option = click.option("--state", type=click.Choice(ALL_NAMES, case_sensitive=False), help="Only this state.")
job_option = click.option("--job", "job_name", metavar="NAME", help="Only this job, by any of its names.")
queue_option = click.option("--queue", metavar="NAME", help="Only this queue.")


@dataclass(slots=True)
class Seen:
    """Of the jobs that were looked through: by which names they may be called, and their queues.

    before: the id before which there are others, where not all were looked through.
    """

    names: set[str] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)
    before: int | None = None


def check_choice(job_ids: Sequence[int], state: str | None, job_name: str | None, queue: str | None) -> None:
    """Raises UsageError unless jobs are named by id, or else by their state at least."""
    if job_ids and (state or job_name or queue):
        raise click.UsageError("give ids, or --state with --job and --queue, not both")
    if not job_ids and not state:
        raise click.UsageError("give ids, or --state to take all of a state; --job and --queue narrow it")


def chosen(tm: TaskManager, state: str | None, job_name: str | None, queue: str | None) -> list[int]:
    """The ids of all jobs of a state, a job and a queue, with a progress bar."""
    with progress("looking", None) as advance:
        ids, seen = [], Seen()
        for job_id in matching(tm, state, job_name, queue, seen=seen):
            ids.append(job_id)
            advance(1)
    if not ids:
        tell_unknown(tm, state, job_name, queue, seen)
    return ids


def tell_unknown(tm: TaskManager, state: str | None, job_name: str | None, queue: str | None, seen: Seen) -> None:
    """Where no job was found: say whether the name or the queue that was asked for is one at all, and what is near."""
    place = f" in state {state}" if state else ""
    if job_name is not None and (why := _unknown(tm, job_name)) is not None:
        near = close(job_name, seen.names)
        hint = f"no job is named {job_name!r}; did you mean {near!r}?" if near else str(why)
        click.echo(f"note: no stored job{place} is called so, and {hint}", err=True)
    if queue is not None and (known := known_queues(tm) | seen.queues) and queue not in known:
        near = close(queue, known)
        hint = f"did you mean {near!r}?" if near else f"known queues: {', '.join(sorted(known)[:10])}"
        click.echo(f"note: no queue {queue!r} is known; {hint}", err=True)


def known_queues(tm: TaskManager) -> set[str]:
    """Queues in which something waits, or that are paused, or worked on."""
    lengths, servers = tm.database.read(lambda tx: (monitoring.queue_lengths(tx), monitoring.servers(tx)))
    return {q.name for q in lengths} | {q for s in servers for q in s.queues} | set(tm.settings.worked_queues)


def close(text: str, known: Iterable[str]) -> str | None:
    """The one that is nearest to what was typed; None when none is near."""
    spelled = {one.lower(): one for one in known}
    found = difflib.get_close_matches(text.strip().lower(), spelled, 1)
    return spelled[found[0]] if found else None


def _unknown(tm: TaskManager, job_name: str) -> UnknownJob | None:
    try:
        tm.registry.find(job_name)
    except AmbiguousJob:
        return None
    except UnknownJob as error:
        return error
    return None


def matching(
    tm: TaskManager, state: str | None, job_name: str | None, queue: str | None, before: int | None = None,
    *, seen: Seen, most: int | None = None,
) -> Iterator[int]:  # fmt: skip
    """Ids of jobs, newest first, in as many short reads as it takes. seen: to be told what is looked through.

    most: jobs that are looked through, to the next thousand; None for all.
    """
    fits, looked = functools.lru_cache(10_000)(_functions(tm, job_name, seen)), 0
    while True:
        page = _page(tm, state, before)
        for job_id, data, own_queue in page:
            seen.queues.update([own_queue] if own_queue else [])
            if fits(data) and queue in (None, own_queue):
                yield job_id
        if len(page) < _PAGE:
            return
        before, looked = page[-1][0], looked + len(page)
        if most is not None and looked >= most:
            seen.before = before
            return


def _page(tm: TaskManager, state: str | None, before: int | None) -> list[tuple[int, str, str | None]]:
    return tm.database.read(lambda tx: monitoring.calls(tx, state, limit=_PAGE, before_id=before))


def _functions(tm: TaskManager, job_name: str | None, seen: Seen) -> Callable[[str], bool]:
    """Whether a stored call is of the job that a name means; jobs that nobody knows any more have names too."""
    if job_name is None:
        return lambda data: True
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
        seen.names.update((call.name, call.method))
        return call.name == known or wanted in (call.name.lower(), call.method.lower())

    return fits

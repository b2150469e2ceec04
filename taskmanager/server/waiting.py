"""Waiting for a job that somebody else performs."""

from __future__ import annotations

import time
from collections.abc import Callable

from taskmanager.domain.errors import JobNotFound, WaitTimeout
from taskmanager.storage import jobs
from taskmanager.storage.database import Database

_FINAL = frozenset({"Succeeded", "Failed", "Deleted"})
#: Looks come closer together at first: most jobs that are waited for are short.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25


def until_final(
    database: Database, job_id: int, timeout: float | None, between: Callable[[], None] = lambda: None
) -> str:
    """Wait until a job is Succeeded, Failed or Deleted; which of them.

    timeout: seconds. between: called between two looks, at least four times a second; what it raises ends the waiting.
    Raises WaitTimeout, JobNotFound.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        between()
        found = database.read(lambda tx: jobs.current_states(tx, [job_id])).get(job_id)
        if found is None:
            raise JobNotFound(f"there is no job {job_id}: it never existed, or it has expired")
        if found[0] in _FINAL:
            return str(found[0])
        if deadline is not None and time.monotonic() >= deadline:
            raise WaitTimeout(f"job {job_id} is still {found[0]} after {timeout:g} s")
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)

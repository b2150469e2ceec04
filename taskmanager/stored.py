"""What people ask of one stored job: what became of it, wait for it, delete it, run it again or at another time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain import given
from taskmanager.domain.errors import InvalidArgument, JobFailed, JobNotFound
from taskmanager.domain.records import JobRecord
from taskmanager.engine.transitions import GONE
from taskmanager.operating import Operating
from taskmanager.server import waiting
from taskmanager.storage import jobs


class StoredJobs(Operating):
    """The verbs about one job."""

    def get(self, job_id: int) -> JobRecord:
        """A job with its parameters and history. Raises JobNotFound."""
        wanted = given.job_id(job_id)
        record = self.database.read(lambda tx: jobs.read(tx, wanted))
        if record is None:
            raise JobNotFound(f"there is no job {job_id}: it never existed, or it has expired")
        return record

    def delete(self, job_id: int, *, reason: str | None = None) -> bool:
        """Move a job to Deleted, cancelling it if it runs; whether it was changed. Raises JobNotFound."""
        return self._one(self.client.delete([given.job_id(job_id)], reason=reason)[0], job_id)

    def requeue(self, job_id: int, *, reason: str | None = None) -> bool:
        """Put a job back into its queue, whatever became of it. Raises JobNotFound."""
        return self._one(self.client.requeue([given.job_id(job_id)], reason=reason)[0], job_id)

    def reschedule(self, job_id: int, *, delay: timedelta | float | None = None, at: datetime | None = None) -> bool:
        """Move a job to another moment. Raises JobNotFound, InvalidArgument."""
        moment = self._moment({"delay": delay, "at": at})
        if moment is None:
            raise InvalidArgument("reschedule() takes either delay or at")
        return self._one(self.client.reschedule(given.job_id(job_id), moment), job_id)

    def _one(self, answer: Any, job_id: int) -> bool:
        if answer.refused == GONE:
            raise JobNotFound(f"there is no job {job_id}: it never existed, or it has expired")
        return bool(answer)

    def wait(self, job_id: int, timeout: float | timedelta | None = None) -> Any:
        """Wait until a job ends and return its result.

        timeout: seconds or a timedelta; for ever when None. Raises WaitTimeout, JobFailed when it ended in Failed or
        Deleted, JobNotFound.
        """
        wanted, seconds = given.job_id(job_id), None
        if timeout is not None and timeout != math.inf:
            seconds = given.span(timeout, "timeout").total_seconds()
        waiting.until_final(self.database, wanted, seconds)
        record = self.get(wanted)
        if record.state != "Succeeded":
            facts = record.current.data if record.current else {}
            reason = record.current.reason if record.current else None
            raise JobFailed(f"job {job_id} is {record.state}: {facts.get('ExceptionMessage') or reason or 'no reason'}")
        return record.result

    def _moment(self, options: Mapping[str, Any]) -> datetime | None:
        """The moment that the options `delay` and `at` mean, naive UTC; None when there is neither."""
        at, delay = options.get("at"), options.get("delay")
        if at is not None and delay is not None:
            raise InvalidArgument("give either delay or at, not both")
        if at is not None:
            return given.moment(at)
        if delay is None:
            return None
        span = given.span(delay)
        if self.database.clock.stale:
            self.database.read(lambda tx: None)
        return self.database.clock.now() + span

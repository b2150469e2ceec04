"""Automatic retry, as Hangfire's AutomaticRetry: a failed job is scheduled again while its policy allows."""

from __future__ import annotations

import logging
from datetime import timedelta

from taskmanager import logs
from taskmanager.domain import times
from taskmanager.domain.errors import ArgumentsUnreadable, ClaimsExhausted, RemoteError, qualified
from taskmanager.domain.retry import Retry, RetryPolicy
from taskmanager.domain.states import Deleted, Enqueued, Failed, Scheduled, State, short
from taskmanager.domain.texts import whole
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.filters import Electing, Filter

log = logging.getLogger("taskmanager.retries")

RETRY_COUNT = "RetryCount"
#: Hangfire cuts the message in the reason of a retry at 50 characters.
_MESSAGE_LENGTH = 50


class AutomaticRetry(Filter):
    """Elects Scheduled in place of Failed while attempts are left."""

    order = 20

    def elect(self, context: Electing) -> None:
        candidate = context.candidate
        if not isinstance(candidate, Failed) or context.definition is None:
            return
        policy = context.definition.retry
        asked = context.error if isinstance(context.error, Retry) else None
        attempt = retry_count(context.parameters.get(RETRY_COUNT)) + 1
        if asked is not None and not asked.count:
            self._schedule(context, candidate, policy, attempt, asked, f"Retry asked for: {asked}")
        elif attempt <= policy.attempts and self._is_wanted(context, policy):
            context.set_parameter(RETRY_COUNT, str(attempt))
            message = short(candidate.exception_message, _MESSAGE_LENGTH)
            reason = f"Retry attempt {attempt} of {policy.attempts}: {message}"
            self._schedule(context, candidate, policy, attempt, asked, reason)
        elif policy.then_delete:
            context.elect(_deleted(candidate, policy))
        else:
            about = _about(context, attempt)
            log.error("job %d failed for good: %s", context.job.id, candidate.exception_message, extra=about)

    def _is_wanted(self, context: Electing, policy: RetryPolicy) -> bool:
        if _is_hopeless(context.error):
            return False
        return isinstance(context.error, Retry) or policy.wants(context.error)

    def _schedule(
        self, context: Electing, failed: Failed, policy: RetryPolicy, attempt: int, asked: Retry | None, reason: str
    ) -> None:
        delay = policy.delay(attempt) if asked is None or asked.delay is None else asked.delay
        context.elect(self._next(context, delay, reason))
        if delay > 0:
            due = context.at + timedelta(seconds=delay)
            context.effects.put(RETRIES, str(context.job.id), times.to_unix(due))
        about = _about(context, attempt)
        log.warning("job %d: %s; again in %.1f s", context.job.id, reason, delay, extra=about)

    def _next(self, context: Electing, delay: float, reason: str) -> State:
        if delay <= 0:
            return Enqueued(queue=context.job.queue or "default", priority=context.job.priority, reason=reason)
        return Scheduled(enqueue_at=context.at + timedelta(seconds=delay), reason=reason)


def _about(context: Electing, attempt: int) -> dict[str, object]:
    server = context.run.server if context.run is not None else ""
    name = context.definition.name if context.definition is not None else ""
    return logs.about(context.job.id, attempt, context.job.queue or "default", server, name)


def _is_hopeless(error: BaseException | None) -> bool:
    """Whether the next try could not end otherwise, whatever the job's policy says."""
    if isinstance(error, RemoteError):
        return qualified(ArgumentsUnreadable) in error.kinds
    return isinstance(error, (ClaimsExhausted, ArgumentsUnreadable))


def retry_count(text: str | None) -> int:
    """The parameter RetryCount as a number; 0 when it is absent or unreadable."""
    return (whole(text.strip('"')) or 0) if text else 0


def _deleted(failed: Failed, policy: RetryPolicy) -> Deleted:
    reason = (
        "Exceeded the maximum number of retry attempts." if policy.attempts else "Retries were disabled for this job."
    )
    return Deleted(reason=reason, exception_type=failed.exception_type, exception_message=failed.exception_message)

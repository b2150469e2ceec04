"""A row for every run of a recurring job, in the transaction of its outcome: what its page shows as dots and bars."""

from __future__ import annotations

from taskmanager.domain.states import Deleted, Enqueued, Failed, State, Succeeded
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.history import plain
from taskmanager.storage import recurring_runs
from taskmanager.storage.recurring_runs import RecurringRun

#: As long as an id may be; a longer one is none of ours.
_LONGEST = 79


class RecurringRuns(Filter):
    """By recurring job, and not by function, as c_LoggedJob has them: many may call the same."""

    order = 905

    def applied(self, context: Electing, state: State) -> None:
        run = context.run
        recurring_id = plain(context.parameters.get("RecurringJobId"))
        if run is None or not recurring_id or len(recurring_id) > _LONGEST:
            return
        if isinstance(state, Enqueued) and not context.traversed:
            return  # a run that was given up because its server stopped is none
        waited = (run.started_at - context.job.created_at).total_seconds() * 1000
        context.effects.later(
            recurring_runs.add,
            RecurringRun(
                recurring_id, context.job.id, run.started_at, run.duration_ms,
                max(0, round(waited)) if run.attempt == 1 else None, _outcome(context, state),
            ),
        )  # fmt: skip


def _outcome(context: Electing, state: State) -> str:
    if isinstance(state, Succeeded):
        return "succeeded"
    if isinstance(state, Failed):
        return "failed"
    has_failed = any(isinstance(one, Failed) for one in context.traversed)
    if isinstance(state, Deleted):
        return "failed" if has_failed else "deleted"
    return "retried"

"""What people do with jobs that failed and wait for their next try: put it off, or give the job up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from taskmanager.domain import times
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.states import Failed, Scheduled
from taskmanager.engine.client import Client
from taskmanager.engine.entering import RETRIES
from taskmanager.engine.transitions import Applied, Change
from taskmanager.storage import monitoring_lists, retry_rows, structures
from taskmanager.storage.transaction import Tx

#: No try is put off for longer.
MOST_SECONDS = 366 * 86_400.0
_WAITS = frozenset({"Scheduled"})
_OTHER = "it waits for no other try"


class RetryVerbs:
    """The verbs. At most some hundred jobs at a time: they are changed in one transaction."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def postpone(self, ids: Sequence[int], seconds: float) -> list[Applied]:
        """Let their next try begin so many seconds from now; they stay what they are. Raises InvalidArgument."""
        if not 0 < seconds <= MOST_SECONDS:
            raise InvalidArgument(f"a try is put off by up to a year, not by {seconds:g} s")

        def work(tx: Tx) -> list[Applied]:
            at, waiting = tx.now() + timedelta(seconds=seconds), retry_rows.waiting(tx, RETRIES, ids)
            reasons = {row.id: row.reason for row in monitoring_lists.rows_of(tx, sorted(waiting))}
            changes = [Change(i, Scheduled(enqueue_at=at, reason=reasons.get(i)), _WAITS) for i in sorted(waiting)]
            answers = self.client.transitions.apply(tx, changes) if changes else []
            moved = {str(one.job_id): times.to_unix(at) for one in answers if one}
            if moved:  # who leaves Scheduled is no retry any more; these go on being one
                structures.put(tx, RETRIES, moved)
            return [*answers, *(Applied(i, None, refused=_OTHER) for i in sorted(set(ids) - waiting))]

        return self.client.database.run(work)

    def give_up(self, ids: Sequence[int], by: str) -> list[Applied]:
        """Move them to Failed, with what their last failure said. by: who asks for it."""
        waiting = self.client.database.read(lambda tx: retry_rows.waiting(tx, RETRIES, ids))
        said = self.client.database.read(lambda tx: retry_rows.last_data(tx, sorted(waiting)))
        changes = [
            Change(
                i,
                Failed(
                    exception_type=data.get("ExceptionType") or "Exception",
                    exception_message=data.get("ExceptionMessage", ""),
                    exception_details=data.get("ExceptionDetails", ""), reason=f"Given up by {by}"[:100],
                ),
                _WAITS, elect=False,
            )
            for i in sorted(waiting)
            for data in [said.get(i, {})]
        ]  # fmt: skip
        answers = self.client.change(changes) if changes else []
        return [*answers, *(Applied(i, None, refused=_OTHER) for i in sorted(set(ids) - waiting))]

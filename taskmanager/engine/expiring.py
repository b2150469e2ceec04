"""Jobs whose time is over go. A Failed one is Deleted first, by the one door: Failed is no end for those who wait."""

from __future__ import annotations

from taskmanager.domain.states import Deleted
from taskmanager.engine.transitions import Change, Transitions
from taskmanager.storage import expiry
from taskmanager.storage.transaction import Tx

#: Failed jobs of one transaction; their continuations are started in it, too.
_FAILED = 100


def expire_jobs(tx: Tx, transitions: Transitions, limit: int) -> bool:
    """Remove up to `limit` jobs past their ExpireAt, and move the Failed among them to Deleted, up to 100.

    What waits for such a job starts or is Deleted with it; the job itself is kept as any Deleted one. Returns
    whether there may be more.
    """
    found = expiry.lock_expired(tx, limit)
    failed = [job_id for job_id, state in found.items() if state == "Failed"]
    expiry.remove_jobs(tx, found.keys() - set(failed))
    over = Deleted(reason="Failed, and kept for as long as the setting failed_expiration_seconds says")
    transitions.apply(tx, [Change(job_id, over, frozenset({"Failed"})) for job_id in failed[:_FAILED]])
    return len(found) >= limit or len(failed) > _FAILED

"""Rows of c_LoggedJob that are kept no longer go: batches by key, with rests that leave the database free."""

from __future__ import annotations

from taskmanager.storage import logged
from taskmanager.storage.database import Database

_BATCH = 1000
#: Batches of a walk that are looked at before a rest; one that found as many old rows as a batch has ends it, too.
_STRIDES = 10
_REST_SECONDS, _IDLE_SECONDS = 0.2, 60.0
#: A round through the whole table is begun again after so long, by one server of all.
_ROUND_SECONDS = 3600.0


class OldHistory:
    """Old rows have the lowest keys, as a rule: there each tick looks. Those behind younger ones are found by a walk.

    kept: seconds. batch: rows of one transaction.
    """

    def __init__(self, database: Database, kept: float, *, batch: int = _BATCH) -> None:
        self.database, self.kept, self.batch = database, kept, batch
        self._walked = 0
        self._walks = False

    def tick(self) -> float:
        """Delete a part of what is old; after how many seconds there may be more to do."""
        if self._delete(0).deleted >= self.batch:
            return _REST_SECONDS
        if not self._walks:
            self._walks = self.database.run(lambda tx: logged.begin_round(tx, every=_ROUND_SECONDS))
            self._walked = 0
        return _REST_SECONDS if self._walks and self._walk() else _IDLE_SECONDS

    def _walk(self) -> bool:
        """Go on with the round; whether it has not come to the table's end."""
        deleted = 0
        for _ in range(_STRIDES):
            part = self._delete(self._walked)
            self._walked, deleted = part.last, deleted + part.deleted
            if not part.last:
                self._walks = False
                return False
            if deleted >= self.batch:
                break
        return True

    def _delete(self, after: int) -> logged.Walked:
        return self.database.run(lambda tx: logged.expire(tx, seconds=self.kept, limit=self.batch, after=after))

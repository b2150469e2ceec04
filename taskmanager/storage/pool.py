"""A pool that keeps as many connections as were in use at once lately, and closes the others."""

from __future__ import annotations

import time

from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

#: What was in use at once is remembered for so long, and for as long again.
_SECONDS = 60.0


class ShrinkingPool(QueuePool):
    """As QueuePool; but a connection that comes back is closed where fewer were in use at once for a minute or two.

    Bursts are usual: a server that starts, twenty jobs that enqueue at once. A plain pool holds their connections for
    ever, of the hundred that PostgreSQL has for all.
    """

    _peak = _peak_before = 0
    _since = 0.0

    def _do_get(self) -> ConnectionPoolEntry:
        record = super()._do_get()
        self._note()
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        self._note()
        if self.size() + self.overflow() <= max(self._peak, self._peak_before):
            super()._do_return_conn(record)
            return
        try:
            record.close()
        finally:
            self._dec_overflow()

    def _note(self) -> None:
        """Remember how many are in use, those that are being made among them."""
        now, in_use = time.monotonic(), self.checkedout()
        if now - self._since >= _SECONDS:
            self._peak_before = self._peak if now - self._since < 2 * _SECONDS else 0
            self._peak, self._since = 0, now
        self._peak = max(self._peak, in_use)

"""What several threads want done at the same time, done in one transaction: a COMMIT is the unit of cost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from taskmanager.domain.errors import StorageError
from taskmanager.storage.database import Database, DatabaseError
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.storage")
T = TypeVar("T")

#: So many share one transaction at most.
_MOST = 100
#: For so long a shared transaction is tried again; then each thread tries for itself, with its own patience.
_PATIENCE_SECONDS = 1.0


class _Want(Generic[T]):
    """What one thread wants. is_settled: somebody has tried; done: and it is done."""

    __slots__ = ("done", "is_settled", "item", "woken")

    def __init__(self, item: T) -> None:
        self.item, self.is_settled, self.done = item, False, False
        self.woken = threading.Event()


class SharedTransaction(Generic[T]):
    """Who comes first does what is wanted; who comes meanwhile waits, and all of them are dealt with by the next.

    together: does what it can of several items in a transaction, waiting for nobody's lock; for each, whether it is
    done. What is not is for its own thread to do.
    """

    def __init__(self, database: Database, together: Callable[[Tx, Sequence[T]], Sequence[bool]]) -> None:
        self._database, self._together = database, together
        self._lock = threading.Lock()
        self._waiting: list[_Want[T]] = []
        self._is_busy = False

    def do(self, item: T, alone: Callable[[], bool]) -> bool:
        """Do one thing, together with what others want now.

        alone: does it in a transaction of its own, where it may wait for somebody's lock; no other waits with it.
        """
        want = _Want(item)
        with self._lock:
            self._waiting.append(want)
            leads, self._is_busy = not self._is_busy, True
        if not leads:
            want.woken.wait()
        if not want.is_settled:
            self._lead()
        return want.done or alone()

    def _lead(self) -> None:
        """Deal with all who wait, the calling thread among them; then let the next one lead."""
        with self._lock:
            wants, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            done = self._try([want.item for want in wants])
            for want, is_done in zip(wants, done, strict=True):
                want.done = is_done
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_busy = following is not None
            for want in wants:
                want.is_settled = True
                want.woken.set()
            if following is not None:
                following.woken.set()

    def _try(self, items: Sequence[T]) -> Sequence[bool]:
        try:
            return self._database.run(lambda tx: self._together(tx, items), patience=_PATIENCE_SECONDS)
        except (StorageError, DatabaseError) as error:
            log.debug("%d units of work are tried one by one: %s", len(items), error)
            return [False] * len(items)

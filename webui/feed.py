"""What users were told lately: read from the database at most once a second for all open pages of this process."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from taskmanager.domain.notifications import Notification

log = logging.getLogger("taskmanager.web")

#: How old what pages see may be.
EVERY_SECONDS = 1.0
#: A user of whom no page asks for so long is read no more; pages in the background ask once a minute.
_IDLE_SECONDS = 150.0
_PATIENCE_SECONDS = 1.0
#: How many users are followed, and how many notifications of each; who is too much is read anew when he asks.
_MOST_USERS = 1000
_MOST_KEPT = 100


@dataclass(frozen=True, slots=True)
class Heard:
    """What a page has not seen yet, in order, and the id to go on from."""

    told: Sequence[Notification]
    last: int


@dataclass(slots=True)
class _Box:
    """One user's."""

    told: list[Notification] = field(default_factory=list)
    last: int = 0
    asked: float = 0.0

    def take(self, fresh: Sequence[Notification]) -> None:
        self.told = [*self.told, *fresh][-_MOST_KEPT:]
        self.last = max(self.last, *(one.id for one in fresh), 0)


class Feed:
    """Whoever asks first reads for all users that are followed; the others wait for it (single flight)."""

    def __init__(self, tm: TaskManager) -> None:
        self._tm = tm
        self._boxes: dict[str, _Box] = {}
        self._lock = threading.Lock()
        self._looked = -math.inf
        self._is_away = False
        #: Set when the process is about to end: streams end with it.
        self.closing = threading.Event()

    def after(self, user: str, last: int | None) -> Heard:
        """What a user was told after id `last`; nothing, and where to go on from, when that is None.

        With the database away it is what is known. Raises StorageError when nothing is.
        """
        with self._lock:
            box = self._boxes.get(user) or self._follow(user)
            box.asked = time.monotonic()
            self._look()
            if last is None:
                return Heard((), box.last)
            oldest = self._tm.database.clock.now() - timedelta(seconds=self._tm.notifications.kept)
            told = [one for one in box.told if one.id > last and (one.at is None or one.at >= oldest)]
            return Heard(told, max(last, box.last))

    def _follow(self, user: str) -> _Box:
        box = _Box()
        box.take(self._tm.notifications.news({user: 0}, patience=_PATIENCE_SECONDS).get(user, ()))
        if len(self._boxes) >= _MOST_USERS:
            del self._boxes[min(self._boxes, key=lambda name: self._boxes[name].asked)]
        self._boxes[user] = box
        return box

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < EVERY_SECONDS:
            return
        self._looked = now
        for user in [name for name, box in self._boxes.items() if now - box.asked > _IDLE_SECONDS]:
            del self._boxes[user]
        known = {user: box.last for user, box in self._boxes.items()}
        try:
            fresh = self._tm.notifications.news(known, patience=_PATIENCE_SECONDS)
        except StorageError as error:
            log.log(logging.DEBUG if self._is_away else logging.WARNING, "notifications wait: %s", error)
            self._is_away = True
            self._looked = time.monotonic()
            return
        self._is_away = False
        for user, told in fresh.items():
            self._boxes[user].take(told)


class Slots:
    """How many streams there may be: each holds a thread of the web server as long as it is open."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = threading.Lock()

    @property
    def is_free(self) -> bool:
        """Whether one more may be opened."""
        return self._free > 0

    def take(self) -> bool:
        """Take one; False when there is none."""
        with self._lock:
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    def give(self) -> None:
        """Give one back."""
        with self._lock:
            self._free += 1

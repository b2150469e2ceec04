"""Where the next claim of a queue begins, and when its beginning may be looked at again.

What was claimed or deleted stays in the index until the server has purged it, which it may not while somebody holds an
old snapshot: a dump, a forgotten prompt. A claim that begins at the front walks over all of it; one that begins where
the last one ended walks over nothing.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from taskmanager.storage.claiming import Front, Mark, Taken

#: How long a claim begins where the one before ended: rows that came back lie before it, and are found after that.
_MARK_SECONDS = 5.0
#: Looks at the front that take longer than this are so many times as far apart, where jobs are found behind the mark;
#: and where they take longer than the second, whatever is found. What counts is the shortest of the last looks: a
#: server that stands still for a moment is no long way. The longest rest is short enough for jobs that came back.
_CHEAP_SECONDS, _DEAR_SECONDS, _REST_TIMES, _LONGEST_REST_SECONDS, _LOOKS = 0.001, 0.05, 30.0, 5.0, 3
#: For what is owed already, and could not be done: no thread was free for messages.
_SOON_SECONDS = 0.05


@dataclass(slots=True)
class _Place:
    mark: Mark | None = None
    until: float = 0.0
    front_at: float = 0.0
    looks: deque[float] = field(default_factory=lambda: deque(maxlen=_LOOKS))
    #: The last claim found less than it asked for, and has not looked at the front.
    is_owed: bool = False

    @property
    def front_seconds(self) -> float:
        return min(self.looks) if len(self.looks) == _LOOKS else 0.0

    @property
    def is_dear(self) -> bool:
        return self.front_seconds > _DEAR_SECONDS


class Marks:
    """The places of the queues of one worker process, by what its claims came to."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}

    def of(self, queue: str) -> tuple[Mark | None, Front]:
        """Where the next claim begins (None is the front), and when it looks at the front besides."""
        place, now = self._places.get(queue), time.monotonic()
        if place is None or place.mark is None:
            return None, Front.ALWAYS
        if now >= place.front_at:
            return (None if now >= place.until else place.mark), Front.ALWAYS
        return place.mark, Front.NEVER if place.is_dear else Front.IF_EMPTY

    def claimed(self, queue: str, taken: Taken) -> None:
        """What a claim came to. One that found less than it asked for is followed by one from the front, unless that is
        dear."""
        place = self._places.setdefault(queue, _Place())
        if taken.front_seconds is not None:
            place.looks.append(taken.front_seconds)
            rest = _REST_TIMES * max(0.0, place.front_seconds - _CHEAP_SECONDS)
            place.front_at = time.monotonic() + min(rest, _LONGEST_REST_SECONDS)
        place.is_owed = taken.last is None and taken.front_seconds is None
        if taken.last is not None or place.is_dear:
            self.begin_at(queue, taken.last or taken.reached or place.mark)
        else:
            place.mark = None

    def begin_at(self, queue: str, mark: Mark | None) -> None:
        """The next claim begins here."""
        place, now = self._places.setdefault(queue, _Place()), time.monotonic()
        place.mark = mark
        if place.until <= now:
            place.until = now + _MARK_SECONDS

    def rest(self, longest: float) -> float:
        """Seconds until a queue is looked at whose front was left alone when nothing else was found."""
        owed = [place.front_at for place in self._places.values() if place.is_owed]
        return min([longest, *(max(_SOON_SECONDS, at - time.monotonic()) for at in owed)])

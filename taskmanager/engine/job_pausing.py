"""Jobs paused by their type or by a tag: what people name, and the verbs on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from taskmanager.domain import tags, times
from taskmanager.domain.errors import AmbiguousJob, InvalidArgument, UnknownJob
from taskmanager.domain.paused import LONGEST, TAG, TYPE, value_of
from taskmanager.domain.records import Pause
from taskmanager.engine.recurring_verbs import check_end, check_note
from taskmanager.engine.registry import Registry
from taskmanager.storage import holds, job_pauses, stored_types
from taskmanager.storage.database import Database
from taskmanager.storage.job_pauses import HeldBy
from taskmanager.storage.transaction import Tx

_OURS = "taskmanager.tasks."


class JobPausing:
    """The verbs."""

    def __init__(self, database: Database, registry: Registry) -> None:
        self.database, self.registry = database, registry

    def value(self, kind: str | Callable[..., Any] | None, tag: str | None) -> str:
        """The pause that is meant, as it is stored. kind: a type as people name it, or the function.

        Raises InvalidArgument for both or neither, a tag that is none, a type that nobody knows and no job has.
        """
        if (kind is None) == (tag is None):
            raise InvalidArgument("name a type or a tag, one of them")
        if tag is not None:
            found = tags.check([tag])
            return value_of(TAG, found[0])
        value = value_of(TYPE, self._type(kind))
        if len(value) > LONGEST:
            raise InvalidArgument(f"a type's name has at most {LONGEST - len(TYPE) - 1} characters: {value[:100]!r}")
        return value

    def pause(self, value: str, *, by: str | None, note: str | None, until: datetime | None) -> None:
        """Pause a type or tag, by `value`. Raises InvalidArgument for an end that is over and too long a note."""
        end = times.to_utc(until) if until is not None else None
        wanted = Pause(until=end, by=by, note=(note or "").strip() or None)
        check_note(wanted.note or "")

        def work(tx: Tx) -> None:
            check_end(end, tx.now())
            job_pauses.pause(tx, value, wanted)

        self.database.run(work)

    def resume(self, kind: str | Callable[..., Any] | None, tag: str | None) -> str | None:
        """Resume a type or tag, and give the first of its jobs back; the pause that was taken away, None where there
        was none. Raises InvalidArgument for both or neither."""
        if (kind is None) == (tag is None):
            raise InvalidArgument("name a type or a tag, one of them")
        value = self._paused_one(kind, tag)
        if value is None or not self.database.run(lambda tx: job_pauses.resume(tx, value)):
            return None
        self.database.run(holds.give_back)
        return value

    def known(self) -> list[HeldBy]:
        """All pauses with what they hold, by kind and name."""

        def work(tx: Tx) -> list[HeldBy]:
            found = job_pauses.known(tx)
            return holds.told(tx, found, holds.queues_of(tx)) if found else []

        return self.database.read(work)

    def _paused_one(self, kind: str | Callable[..., Any] | None, tag: str | None) -> str | None:
        paused = [one.value for one in self.database.read(job_pauses.known)]
        if tag is not None:
            return next((one for one in paused if one == value_of(TAG, tag.strip())), None)
        name = _name_of(kind)
        exact = value_of(TYPE, name)
        ends = [one for one in paused if one.startswith(f"{TYPE}:") and one.endswith(f":{name}")]
        if exact in paused:
            return exact
        if not ends:
            try:
                named = value_of(TYPE, self.registry.find(name).name)
            except (UnknownJob, AmbiguousJob):
                return None
            return named if named in paused else None
        if len(ends) > 1:
            raise InvalidArgument(
                f"{name!r} may be {', '.join(one.partition(':')[2] for one in ends)}: use the full name"
            )
        return ends[0]

    def _type(self, kind: str | Callable[..., Any] | None) -> str:
        """The name of a type as jobs have it."""
        text = _name_of(kind)
        try:
            found = self.registry.find(text).name
        except AmbiguousJob as error:
            raise InvalidArgument(str(error)) from None
        except UnknownJob as error:
            found = self._stored(text, error)
        if found.startswith(_OURS):
            raise InvalidArgument(f"{found} is a part of the taskmanager, and is not paused")
        return found

    def _stored(self, text: str, error: UnknownJob) -> str:
        names = self.database.read(lambda tx: stored_types.named(tx, text)) if text else []
        if len(names) > 1:
            raise InvalidArgument(f"{text!r} may be {', '.join(names)}: use the full name")
        if not names:
            raise InvalidArgument(f"{error}; and none of the newest {stored_types.LOOKED:,} jobs is of this type")
        return names[0]


def _name_of(kind: str | Callable[..., Any] | None) -> str:
    if kind is None or isinstance(kind, str):
        return (kind or "").strip()
    return f"{getattr(kind, '__module__', '')}:{getattr(kind, '__qualname__', '')}"

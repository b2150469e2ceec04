"""Notifications to a user: written by jobs and programs, read by whoever shows that user's pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taskmanager.domain.notifications import Notification, notification
from taskmanager.storage import notifications as rows
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx


class Notifications:
    """`tm.notifications`. kept: how long one is kept for pages that come back, in seconds."""

    def __init__(self, database: Database, kept: float) -> None:
        self.database, self.kept = database, kept

    def send(self, user: str, kind: str, message: str) -> int:
        """Tell a user something; the notification's id. Raises InvalidArgument, StorageError."""
        return self.write(notification(user, kind, message))

    def write(self, told: Notification) -> int:
        """Write one that was checked; its id. Of one user the newest 100 are kept. Raises StorageError."""
        return self.database.run(rows.sending(told, self.kept))

    def newest(self, user: str) -> int:
        """The id of what a user was told last; 0 when nothing is kept. Raises StorageError."""
        return self.database.read(lambda tx: rows.newest(tx, user))

    def after(self, user: str, last: int = 0) -> list[Notification]:
        """What a user was told after the one of this id, in order. Raises StorageError."""
        return self.database.read(lambda tx: rows.after(tx, user, last))

    def news(self, last: Mapping[str, int], *, patience: float) -> dict[str, list[Notification]]:
        """For many users at once: what each was told after the id named with him; who has no news is left out.

        patience: how long an outage is waited for, in seconds. Raises StorageError.
        """
        return self.database.read(lambda tx: _news(tx, last), patience=patience)


def _news(tx: Tx, last: Mapping[str, int]) -> dict[str, list[Notification]]:
    fresh: Iterable[tuple[str, int]] = rows.news(tx, last).items()
    return {user: rows.after(tx, user, last[user]) for user, newest in fresh if newest > last[user]}

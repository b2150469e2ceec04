"""Searches that people have saved under a name: their own, and those that all share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.texts import storable
from taskmanager.storage import structures
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx

#: The hash of shared ones; that of a user's own has his name's SHA-256 behind it.
SHARED = "dashboard:searches"
#: So many for each user, and shared ones; so many letters of a name and of a search.
MOST, LONGEST_NAME, LONGEST = 50, 60, 500


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search by its name. by: who saved it."""

    name: str
    q: str
    by: str
    is_shared: bool


class SavedSearches:
    """The saved searches of an installation."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def known_to(self, tx: Tx, user: str) -> list[SavedSearch]:
        """A user's own and the shared ones, by name: one statement."""
        found = structures.fields_of(tx, [SHARED, _own(user)])
        listed = [_read(name, text, key == SHARED) for key, named in found.items() for name, text in named.items()]
        return sorted(listed, key=lambda one: (one.name.lower(), one.is_shared))

    def save(self, user: str, name: str, q: str, *, shared: bool = False) -> None:
        """Save a search, or write over the one of this name. Raises InvalidArgument."""
        name, q = name.strip(), q.strip()
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or storable(name) != name:
            raise InvalidArgument(f"the name of a search has 1 to {LONGEST_NAME} printable characters")
        if not 1 <= len(q) <= LONGEST or storable(q) != q:
            raise InvalidArgument(f"a search has 1 to {LONGEST} characters")
        key = SHARED if shared else _own(user)

        def work(tx: Tx) -> None:
            known = structures.fields(tx, key)
            if name not in known and len(known) >= MOST:
                raise InvalidArgument(f"there are {MOST} saved searches already: remove one first")
            structures.set_fields(tx, key, {name: json.dumps({"q": q, "by": user})})

        self.database.run(work)

    def remove(self, user: str, name: str, *, shared: bool = False) -> bool:
        """Forget a search; whether there was one."""
        key = SHARED if shared else _own(user)
        return self.database.run(lambda tx: structures.remove_field(tx, key, name))


def _own(user: str) -> str:
    return f"{SHARED}:{hashlib.sha256(user.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _read(name: str, text: str, is_shared: bool) -> SavedSearch:
    try:
        found = json.loads(text)
        return SavedSearch(name, str(found["q"]), str(found["by"]), is_shared)
    except (ValueError, TypeError, KeyError):
        return SavedSearch(name, text, "", is_shared)

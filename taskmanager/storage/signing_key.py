"""The key that signs what the web pages hand out: made once, and shared by all processes on the tables."""

from __future__ import annotations

import contextlib
import secrets

from taskmanager.storage import structures
from taskmanager.storage.database import Database, DuplicateKey
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

_HASH, _FIELD = "taskmanager:web", "SigningKey"


@statement
def insert_key(t: Tables, p: Product) -> str:
    """Never an upsert: of two processes that make one, the second is to find the first one's."""
    return p.insert_text(t.hash, ("Key", "Field", "Value"))


def signing_key(database: Database, *, patience: float = 5.0) -> str:
    """The key; made when there is none. Raises StorageError."""
    found = database.read(_read, patience=patience)
    if found:
        return found
    given = {"Key": _HASH, "Field": _FIELD, "Value": secrets.token_hex(32)}
    with contextlib.suppress(DuplicateKey):
        database.run(lambda tx: tx.execute(insert_key, given), patience=patience)
    return database.read(_read, patience=patience)


def _read(tx: Tx) -> str:
    return structures.fields(tx, _HASH).get(_FIELD, "")

"""Requests that were done, under a key of who sent them, so that what is sent again is not done again.

Hash `request:{key}`, field Body: what was asked for, as a hash. Kept for a day. Jobs need none of it: each is found by
its own key for as long as it is kept.
"""

from __future__ import annotations

from datetime import timedelta

from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

KEPT = timedelta(days=1)
_KEY, _FIELD = "request:", "Body"


@statement
def insert_request(t: Tables, p: Product) -> str:
    """Refused by the unique index when the request was done before."""
    return p.insert_text(t.hash, ("Key", "Field", "Value", "ExpireAt"))


def remember(tx: Tx, key: str, body: str) -> None:
    """Remember a request in the transaction that does it. Raises DuplicateKey when it was done before."""
    expire = tx.bind_moment(tx.now() + KEPT)
    tx.execute(insert_request, {"Key": _KEY + key, "Field": _FIELD, "Value": body, "ExpireAt": expire})


def body_of(tx: Tx, key: str) -> str | None:
    """What was asked for under a key; None when nothing was."""
    return structures.fields(tx, _KEY + key).get(_FIELD)

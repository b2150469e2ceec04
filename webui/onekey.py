"""A key of the sender's own, under which the same job is made once."""

from __future__ import annotations

import hashlib
import json

from taskmanager.storage import jobs
from taskmanager.storage.transaction import Tx

#: The job's parameter that holds what was asked for, as a hash.
PARAMETER = "IdempotencyHash"
LONGEST = 200


def hash_of(*parts: str) -> str:
    """One text for several."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def made_under(tx: Tx, key: str, body: str) -> tuple[int, bool] | None:
    """The job that was made under a key, and whether the same was asked for; None when there is none."""
    found = jobs.by_key(tx, key)
    if not found:
        return None
    kept = jobs.parameter(tx, found[0], PARAMETER)
    return found[0], kept is None or kept == json.dumps(body)

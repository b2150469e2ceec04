"""The same request sent twice is done once, under a key of the sender's.

Of a job the key is kept with it, for as long as the job is; of all else for a day, in the transaction of the change.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import g, request

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage import jobs, requests
from taskmanager.storage.companions import accompanied
from taskmanager.storage.database import DuplicateKey
from taskmanager.storage.transaction import Tx
from webui.api.parsing import loads
from webui.api.problems import refuse
from webui.blueprint import read
from webui.onekey import LONGEST, PARAMETER, hash_of


@dataclass(frozen=True, slots=True)
class Key:
    """A sender's key. key: under which the job is written; body: the hash of what is asked for."""

    key: str
    body: str

    @property
    def parameters(self) -> dict[str, str]:
        """What is kept with the job."""
        return {PARAMETER: json.dumps(self.body)}

    def find(self) -> int | None:
        """The job that an earlier request made under this key. Raises Refusal when that had another body."""
        found = read(lambda tx: jobs.by_key(tx, self.key))
        if not found:
            return None
        self.check(found[0])
        return found[0]

    def is_done(self) -> bool:
        """Whether an earlier request, of no job, was done under this key. Raises Refusal when it had another body."""
        kept = read(lambda tx: requests.body_of(tx, self.key))
        if kept is not None and kept != self.body:
            refuse_reuse()
        return kept is not None

    def check(self, job_id: int) -> None:
        """Raises Refusal when the job was made by another body under the same key."""
        kept = read(lambda tx: jobs.parameter(tx, job_id, PARAMETER))
        if kept is not None and kept != json.dumps(self.body):
            refuse_reuse()


def once(key: Key | None, make: Callable[[], int]) -> int:
    """The job that was made under the key already, else what `make` makes; of two at the same time one is made."""
    made = key.find() if key is not None else None
    if made is None:
        made = make()
        if key is not None:
            key.check(made)
    return made


def done_once(key: Key | None, change: Callable[[], object]) -> None:
    """Change something that is no job, unless it was done under this key; of two at the same time one does it."""
    if key is None:
        change()
        return
    if key.is_done():
        return
    is_told = False

    def remember(tx: Tx, result: object) -> None:
        nonlocal is_told
        if not is_told:
            requests.remember(tx, key.key, key.body)
            tx.after_commit(told)

    def told() -> None:
        nonlocal is_told
        is_told = True

    try:
        with accompanied(remember, beside=True):
            change()
    except (DuplicateKey, InvalidArgument):
        if not key.is_done():  # else somebody was faster
            raise


def refuse_reuse() -> None:
    """Raises Refusal."""
    refuse(422, "Idempotency.KeyReused", "this Idempotency-Key was sent with another request; take a new one")


def given() -> Key | None:
    """The request's key; None when it has none. Raises Refusal."""
    text = request.headers.get("Idempotency-Key")
    if text is None:
        return None
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        refuse(400, "Idempotency.InvalidKey", f"Idempotency-Key has 1 to {LONGEST} printable characters")
    data = request.get_data(cache=True)
    body = json.dumps(loads(data), sort_keys=True) if data.strip() else ""
    return Key(
        hash_of(g.user.name, request.method, request.path, text)[:48],
        hash_of(request.query_string.decode("latin-1"), body),
    )

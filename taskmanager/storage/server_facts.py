"""What a server tells of itself beside its row: its settings, its last hour by the minute, its last warnings.

Hash `server:{guid}`, fields Settings, Minutes and Log, each JSON. It goes with the server; what is left all the same
expires.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from taskmanager.storage import structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.servers import FACTS, guid_of
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: So long after it was told of last a server's hash may be deleted.
KEPT = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute of a server, in the mean. at: unix seconds; cpu: percent of one core; memory: bytes; busy: threads."""

    at: int
    cpu: float
    memory: float
    busy: float


@dataclass(frozen=True, slots=True)
class Facts:
    """settings: value as it may be shown and origin, by name; minutes and lines: the oldest first."""

    settings: Mapping[str, tuple[str, str]]
    minutes: tuple[Minute, ...]
    lines: tuple[str, ...]


@statement
def upsert_fact(t: Tables, p: Product) -> str:
    return p.upsert(t.hash, ("Key", "Field"), {"Value": "{new}", "ExpireAt": "{new}"})


@statement
def keep_facts(t: Tables, p: Product) -> str:
    q = p.quote
    return f"UPDATE {q(t.hash.name)} SET {q('ExpireAt')} = :expire WHERE {q('Key')} = :key"


def tell(tx: Tx, server_id: str, facts: Mapping[str, object]) -> None:
    """Write some of the fields, and keep the others for as long."""
    key, expire = FACTS + guid_of(server_id), tx.bind_moment(tx.now() + KEPT)
    tx.execute(keep_facts, {"key": key, "expire": expire})
    for field, value in sorted(facts.items()):
        tx.execute(upsert_fact, {"Key": key, "Field": field, "Value": json.dumps(value), "ExpireAt": expire})


def of(tx: Tx, server_id: str) -> Facts:
    """What a server told; nothing of one that tells nothing. Whatever does not read as ours is passed by."""
    told = {name: _parsed(text) for name, text in structures.fields(tx, FACTS + guid_of(server_id)).items()}
    settings, minutes, lines = told.get("Settings"), told.get("Minutes"), told.get("Log")
    return Facts(
        {str(n): (str(one[0]), str(one[1])) for n, one in settings.items() if isinstance(one, list) and len(one) == 2}
        if isinstance(settings, dict) else {},
        tuple(Minute(int(one[0]), *map(float, one[1:])) for one in minutes if _is_minute(one))
        if isinstance(minutes, list) else (),
        tuple(map(str, lines)) if isinstance(lines, list) else (),
    )  # fmt: skip


def _is_minute(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 4 and all(isinstance(part, (int, float)) for part in one)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        return None

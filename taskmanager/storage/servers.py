"""Rows of Server: announced, kept alive, buried. One row for each worker process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select

from taskmanager.domain import times
from taskmanager.domain.records import ServerRecord
from taskmanager.domain.texts import whole
from taskmanager.storage import jobs, queues, structures
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment

#: How often a process died under a job: a parameter of the job.
DEATHS = "ProcessDeaths"
#: The set of versions of the application, by the moment at which the first server of each began.
DEPLOYS = "deploys"
_LONGEST, _REMEMBERED = 100, timedelta(days=730)
#: The set of servers that are asked to take no more jobs; with this score, to stop when they have ended theirs.
QUIET, STOPS = "quiet-servers", 1.0
#: Before the guid of a server: the hash of what it tells of itself.
FACTS = "server:"


@statement
def upsert_server(t: Tables, p: Product) -> str:
    return p.upsert(t.server, ("Id",), {"Data": "{new}", "LastHeartbeat": "{new}"})


@statement
def beat(t: Tables, p: Product) -> str:
    q = p.quote
    return f"UPDATE {q(t.server.name)} SET {q('LastHeartbeat')} = :now, {q('Data')} = :data WHERE {q('Id')} = :id"


@statement
def lock_server(t: Tables, p: Product) -> Any:
    return select(t.server.c.LastHeartbeat).where(t.server.c.Id == bindparam("id")).with_for_update(skip_locked=True)


@statement
def read_servers(t: Tables, p: Product) -> Any:
    return select(t.server.c.Id, t.server.c.Data, t.server.c.LastHeartbeat).order_by(t.server.c.Id)


@statement
def delete_server(t: Tables, p: Product) -> Any:
    return delete(t.server).where(t.server.c.Id == bindparam("id"))


@statement
def release_row(t: Tables, p: Product) -> str:
    """Only where the claim is still the dead one's: somebody else may have buried it, and a third claimed the row."""
    token = f"t.{p.quote('FetchToken')}"
    changes = {"FetchedAt": "NULL", "FetchToken": "NULL"}
    return p.update_by_ids(t.queue.name, changes, f"{token} >= :low AND {token} < :high")


def announce(tx: Tx, server_id: str, data: Mapping[str, Any]) -> None:
    """Write or renew the row of a server."""
    row = {"Id": server_id, "Data": json.dumps(data), "LastHeartbeat": tx.bind_moment(tx.now())}
    tx.execute(upsert_server, row)


def note_version(tx: Tx, version: str) -> None:
    """Remember when a version of the application was seen first: its deploy. For two years."""
    if version and structures.lock_one(tx, DEPLOYS, version[:_LONGEST]) is None:
        now = tx.now()
        structures.put(tx, DEPLOYS, {version[:_LONGEST]: times.to_unix(now)}, expire=now + _REMEMBERED)


def heartbeat(tx: Tx, server_id: str, data: Mapping[str, Any]) -> bool:
    """Say that the server lives, and how; False when its row is gone: it was given up, and must start anew."""
    given = {"id": server_id, "now": tx.bind_moment(tx.now()), "data": json.dumps(data)}
    return tx.execute(beat, given).rowcount > 0


def set_quiet(tx: Tx, server_id: str, quiet: bool) -> bool:
    """Ask a server to take no more jobs, or to take them again; False when there is no such server."""
    if not _is_known(tx, server_id):
        return False
    if quiet:
        structures.put(tx, QUIET, {server_id: 0})
    else:
        structures.remove(tx, QUIET, [server_id])
    return True


def ask_to_stop(tx: Tx, server_id: str) -> bool:
    """Ask a server to end when the jobs it performs have ended; False when there is no such server."""
    if not _is_known(tx, server_id):
        return False
    structures.put(tx, QUIET, {server_id: STOPS})
    return True


def asked(tx: Tx) -> dict[str, bool]:
    """The servers that are asked to take no more jobs, and whether each is to stop."""
    return {server: score >= STOPS for server, score in structures.members(tx, QUIET).items()}


def quiet_ones(tx: Tx) -> set[str]:
    """The servers that are asked to take no more jobs."""
    return set(asked(tx))


def all_servers(tx: Tx) -> list[ServerRecord]:
    """All rows, .NET servers among them."""
    return [record(*r) for r in tx.execute(read_servers)]


def record(server_id: str, data: str, beat: Any) -> ServerRecord:
    """A row as a value."""
    return ServerRecord(server_id, _data(data), None if beat is None else as_moment(beat))


def remove(tx: Tx, server_id: str) -> None:
    """Take the server's row away, what was asked of it and what it told of itself."""
    tx.execute(delete_server, {"id": server_id})
    structures.remove(tx, QUIET, [server_id])
    structures.remove_hash(tx, FACTS + guid_of(server_id))


def _is_known(tx: Tx, server_id: str) -> bool:
    return any(server.id == server_id for server in all_servers(tx))


def guid_of(server_id: str) -> str:
    """The guid at the end of a server id `name:pid:guid`, as it stands in fetch tokens."""
    return server_id.rpartition(":")[2].replace("-", "")


def bury(
    tx: Tx, server_id: str, *, started: Iterable[int] | None, unchanged: datetime | None = None
) -> tuple[int, int] | None:
    """Return all claims of a server that is known to be gone, and remove it, in one transaction.

    started: ids of the jobs that are known to have been running in it (the process died under them); None
    when nobody can know, then those whose state is Processing are taken to have run. unchanged: bury only if
    this is still its last heartbeat. Returns (rows given back, jobs it died under), or None when the server
    lives, is being buried by somebody else, or is unknown and holds nothing.
    """
    row = tx.execute(lock_server, {"id": server_id}).first()
    if unchanged is not None and (row is None or row[0] != unchanged):
        return None
    held = queues.held(tx, guid_of(server_id))
    died = _died_under(tx, [job for _, job, _ in held], started)
    give_up(tx, guid_of(server_id), [queue_id for queue_id, _, _ in held])
    count_deaths(tx, died)
    remove(tx, server_id)
    return len(held), len(died)


def give_up(tx: Tx, guid: str, queue_ids: Iterable[int]) -> None:
    """Clear the claims of a server that is gone on these rows."""
    text = jobs.ids_json(queue_ids)
    if text != "[]":
        tx.execute(release_row, {"ids": text, "low": f"{guid}.", "high": f"{guid}/"})


def count_deaths(tx: Tx, job_ids: Iterable[int]) -> None:
    """Add one to the number of processes that died under each of these jobs."""
    ids = sorted(set(job_ids))
    if not ids:
        return
    known = jobs.parameters(tx, ids)
    jobs.set_parameters(tx, {(i, DEATHS): str(_number(known.get(i, {}).get(DEATHS)) + 1) for i in ids})


def _died_under(tx: Tx, job_ids: list[int], started: Iterable[int] | None) -> list[int]:
    if started is not None:
        return sorted(set(started) & set(job_ids))
    if not job_ids:
        return []
    return [i for i, (name, _) in jobs.current_states(tx, job_ids).items() if name == "Processing"]


def _number(text: str | None) -> int:
    return whole(text) or 0


def _data(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}

"""Rows of JobQueue: pushed, claimed, released, acknowledged. Their claim (`storage/claiming.py`) is the hottest
statement of the house."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taskmanager.domain.records import Claim
from taskmanager.storage import holding, jobs
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, insert_each

#: The set whose members are the names of queues from which nothing is claimed.
PAUSED = "paused-queues"
#: Before every priority.
FIRST = -(1 << 31)


@statement
def push_row(t: Tables, p: Product) -> str:
    return p.insert_text(t.queue, ("JobId", "Queue", "Priority"))


def _claimable(t: Tables, p: Product, where: str = "") -> str:
    """The next rows of ONE queue: the index (Queue, FetchedAt, Priority, Id) serves WHERE and ORDER BY.

    With a filesort, or `Queue IN (…)`, every candidate row would be locked and other workers get nothing.
    """
    q = p.quote
    order = ", ".join(q(c) for c in p.claim_order)
    index = p.by_index(f"IX_{t.queue.name}_Claim")
    return (
        f"SELECT {q('Id')}, {q('JobId')}, {q('Priority')} FROM {q(t.queue.name)}{index} "
        f"WHERE {q('Queue')} = :queue AND {q('FetchedAt')} IS NULL {where}AND NOT EXISTS ("
        f"SELECT 1 FROM {q(t.set.name)} s WHERE s.{q('Key')} = '{PAUSED}' AND s.{q('Value')} = :queue) "
        f"ORDER BY {order} LIMIT :limit{p.for_update_skip}"
    )


@statement
def claimable(t: Tables, p: Product) -> str:
    """The first rows of a queue."""
    return _claimable(t, p)


@statement
def claimable_before(t: Tables, p: Product) -> str:
    """Rows more urgent than those claimed lately."""
    return _claimable(t, p, f"AND {p.quote('Priority')} < :priority ")


@statement
def claimable_after(t: Tables, p: Product) -> str:
    """Rows behind the one claimed last: the way does not lead over the rows deleted since the oldest snapshot.

    An OR of both ranges in one statement is not used as a range by MariaDB.
    """
    return _claimable(t, p, f"AND {p.quote('Priority')} = :priority AND {p.quote('Id')} > :id ")


@statement
def claimable_except(t: Tables, p: Product) -> str:
    """As claimable, passing by rows whose job type this server does not know."""
    return _claimable(t, p, f"AND {p.quote('Id')} NOT IN (SELECT id FROM {p.ids()}) ")


@statement
def take(t: Tables, p: Product) -> str:
    return p.update_by_ids(t.queue.name, {"FetchedAt": ":now", "FetchToken": ":token"})


@statement
def read_taken(t: Tables, p: Product) -> str:
    """The jobs of a claim, behind them their parameters, and what is paused: one way to the server and back."""
    q = p.quote
    job = ", ".join(f"t.{q(c)}" for c in ("Id", "StateName", "StateId", "InvocationData", "Arguments", "CreatedAt"))
    return (
        f"SELECT {job}, NULL AS name, NULL AS value FROM {p.by_ids(t.job.name, 'Id')} UNION ALL "
        f"SELECT t.{q('JobId')}, NULL, NULL, NULL, NULL, NULL, t.{q('Name')}, t.{q('Value')} "
        f"FROM {p.by_ids(t.parameter.name, 'JobId')} UNION ALL "
        f"SELECT 0, NULL, NULL, NULL, NULL, NULL, s.{q('Value')}, NULL FROM {q(t.set.name)} s "
        f"WHERE s.{q('Key')} = '{holding.PAUSED_JOBS}'"
    )


@statement
def give_back(t: Tables, p: Product) -> str:
    token = p.quote("FetchToken")
    return p.update_by_ids(t.queue.name, {"FetchedAt": "NULL", "FetchToken": "NULL"}, f"t.{token} = :token")


@statement
def lock_rows(t: Tables, p: Product) -> str:
    return p.select_by_ids(("Id", "FetchToken"), t.queue.name, lock=True)


@statement
def lock_free_rows(t: Tables, p: Product) -> str:
    """As lock_rows; what somebody else has locked is passed by."""
    return f"{lock_rows(t, p)}{' SKIP LOCKED' if p.for_update_skip else ''}"


@statement
def tokens_now(t: Tables, p: Product) -> str:
    """As lock_rows, but nothing is locked."""
    return p.select_by_ids(("Id", "FetchToken"), t.queue.name)


@statement
def delete_rows(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.queue.name)


@statement
def delete_of_jobs(t: Tables, p: Product) -> str:
    return p.delete_by_ids(t.queue.name, key="JobId")


@statement
def held_by(t: Tables, p: Product) -> str:
    """All rows a server process holds: its tokens begin with its guid and a dot."""
    q = p.quote
    return (
        f"SELECT {q('Id')}, {q('JobId')}, {q('FetchToken')} FROM {q(t.queue.name)} "
        f"WHERE {q('FetchToken')} >= :low AND {q('FetchToken')} < :high ORDER BY {q('Id')}"
    )


@statement
def fetched_rows(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"SELECT {q('Id')}, {q('JobId')}, {q('FetchToken')} FROM {q(t.queue.name)} "
        f"WHERE {q('FetchToken')} IS NOT NULL ORDER BY {q('FetchToken')} LIMIT :limit"
    )


@statement
def rows_of_jobs(t: Tables, p: Product) -> str:
    return p.select_by_ids(("JobId",), t.queue.name, key="JobId")


@statement
def free_rows_of_jobs(t: Tables, p: Product) -> str:
    return p.select_by_ids(("JobId", "FetchedAt"), t.queue.name, key="JobId")


@statement
def lock_free_rows_of_jobs(t: Tables, p: Product) -> str:
    """The same, locked; what somebody else has locked is passed by: he is claiming it."""
    found = p.select_by_ids(("JobId", "FetchedAt"), t.queue.name, key="JobId", lock=True)
    return f"{found}{' SKIP LOCKED' if p.for_update_skip else ''}"


def push(tx: Tx, rows: Sequence[tuple[int, str, int]]) -> None:
    """Put jobs into queues: (job id, queue, priority; smaller runs first)."""
    insert_each(tx, push_row, [{"JobId": j, "Queue": q, "Priority": p} for j, q, p in rows])


def owned(tx: Tx, claims: Iterable[Claim], *, skip_locked: bool = False) -> set[int]:
    """Of these claims, the queue ids still held under the very token they were claimed with; locked."""
    wanted = {c.queue_id: c.token for c in claims}
    if not wanted:
        return set()
    rows = tx.execute(lock_free_rows if skip_locked else lock_rows, {"ids": jobs.ids_json(wanted)})
    return {int(r[0]) for r in rows if r[1] == wanted[int(r[0])]}


def still_held(tx: Tx, claims: Iterable[Claim]) -> set[int]:
    """As `owned`, but unlocked: for what does no harm when the claim is given up a moment later."""
    wanted = {c.queue_id: c.token for c in claims}
    rows = tx.execute(tokens_now, {"ids": jobs.ids_json(wanted)})
    return {int(r[0]) for r in rows if r[1] == wanted[int(r[0])]}


def acknowledge(tx: Tx, queue_ids: Iterable[int]) -> None:
    """Delete queue rows by primary key: their jobs are done with."""
    text = jobs.ids_json(queue_ids)
    if text != "[]":
        tx.send(delete_rows, {"ids": text})


def release(tx: Tx, claims: Iterable[Claim]) -> int:
    """Give rows back to their queues, where they are still ours; returns how many were."""
    by_token: dict[str, list[int]] = {}
    for held in claims:
        by_token.setdefault(held.token, []).append(held.queue_id)
    return sum(
        tx.execute(give_back, {"ids": jobs.ids_json(ids), "token": token}).rowcount
        for token, ids in sorted(by_token.items())
    )


def held(tx: Tx, guid: str) -> list[tuple[int, int, str]]:
    """Rows that carry this server's tokens: (queue id, job id, token)."""
    rows = tx.execute(held_by, {"low": f"{guid}.", "high": f"{guid}/"})
    return [(int(r[0]), int(r[1]), str(r[2])) for r in rows]


def fetched(tx: Tx, limit: int = 10_000) -> list[tuple[int, int, str]]:
    """Rows that anybody holds: (queue id, job id, token)."""
    return [(int(r[0]), int(r[1]), str(r[2])) for r in tx.execute(fetched_rows, {"limit": limit})]


def remove_jobs(tx: Tx, job_ids: Iterable[int]) -> None:
    """Delete all queue rows of these jobs, claimed or not; a worker that held one finds itself fenced off."""
    text = jobs.ids_json(job_ids)
    if text != "[]":
        tx.send(delete_of_jobs, {"ids": text})


def waiting_among(tx: Tx, job_ids: Iterable[int]) -> set[int]:
    """Which of these jobs have a queue row."""
    return {int(r[0]) for r in tx.execute(rows_of_jobs, {"ids": jobs.ids_json(job_ids)})}


def free_among(tx: Tx, job_ids: Iterable[int]) -> set[int]:
    """Which of these jobs wait in a queue, claimed by nobody; those that are held do."""
    found = tx.execute(free_rows_of_jobs, {"ids": jobs.ids_json(job_ids)})
    return {int(r[0]) for r in found if holding.is_free(r[1])}


def lock_free_among(tx: Tx, job_ids: Iterable[int]) -> set[int]:
    """As `free_among`, and nobody claims them before the end of the transaction."""
    rows = tx.execute(lock_free_rows_of_jobs, {"ids": jobs.ids_json(job_ids)})
    return {int(r[0]) for r in rows if holding.is_free(r[1])}


def held_among(tx: Tx, job_ids: Iterable[int]) -> set[int]:
    """Which of these jobs a worker has claimed, or is claiming; the others are not claimed before the end of the
    transaction."""
    text = jobs.ids_json(job_ids)
    queued = {int(r[0]) for r in tx.execute(rows_of_jobs, {"ids": text})}
    return queued - lock_free_among(tx, queued) if queued else set()


def token_of(guid: str, number: int) -> str:
    """A fetch token: the server's guid (32 hex digits) and a part that changes with every claim."""
    return f"{guid}.{number:x}"

"""Conditions of an installation: the set `alerts:conditions` of their ids, and a hash `alerts:condition:{id}` each with
the rule and how it stands; and the look at the installation by which they are judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule
from taskmanager.domain.conditions import Condition, Kind, Look, Standing
from taskmanager.storage import monitoring_queues, monitoring_waits, servers, structures
from taskmanager.storage.transaction import Tx

_IDS = "alerts:conditions"
_KEY = "alerts:condition:"
#: Whose turn it was to judge: the score is when.
_TURN, _JUDGED = "alerts:turn", "judged"
#: So many queues are looked at.
_MOST_QUEUES = 120
#: So many conditions there may be.
MOST = 100


def ids(tx: Tx) -> list[str]:
    """All of them, by their age."""
    found = structures.members(tx, _IDS)
    return sorted(found, key=lambda one: (found[one], one))


def load_all(tx: Tx) -> list[tuple[Condition, Standing]]:
    """All conditions, and how they stand."""
    known = ids(tx)
    told = structures.fields_of(tx, [_KEY + one for one in known]) if known else {}
    found = ((one, told.get(_KEY + one, {})) for one in known)
    return [(_condition(one, fields["Rule"]), _standing(fields)) for one, fields in found if fields.get("Rule")]


def load(tx: Tx, condition_id: str) -> Condition | None:
    """One of them."""
    fields = structures.fields(tx, _KEY + condition_id)
    return _condition(condition_id, fields["Rule"]) if fields.get("Rule") else None


def write(tx: Tx, one: Condition) -> None:
    """Write a condition; how it stands begins anew."""
    structures.remove_hash(tx, _KEY + one.id)
    if one.id not in structures.members(tx, _IDS):
        structures.put(tx, _IDS, {one.id: times.to_unix(tx.now())})
    structures.set_fields(tx, _KEY + one.id, {"Rule": _text(one)})


def remove(tx: Tx, condition_id: str) -> bool:
    """Delete a condition; whether there was one."""
    structures.remove_hash(tx, _KEY + condition_id)
    return structures.remove(tx, _IDS, [condition_id]) > 0


def stand(tx: Tx, condition_id: str, now: Standing) -> None:
    """Write how a condition stands."""
    told = {
        "Red": "1" if now.is_red else "", "BadSince": "" if now.bad_since is None else repr(now.bad_since),
        "Counted": json.dumps(dict(now.counted)) if now.counted else "",
        "Samples": json.dumps(now.samples) if now.samples else "",
    }  # fmt: skip
    structures.set_fields(tx, _KEY + condition_id, told)


def take_turn(tx: Tx, every: float) -> bool:
    """Whether it is time to judge, and this process does it: one in so many seconds.

    Others wait at its row until this transaction has ended, and then see what came of it.
    """
    last, now = structures.lock_one(tx, _TURN, _JUDGED), times.to_unix(tx.now())
    if last is not None and 0 <= now - last < every:
        return False
    structures.put(tx, _TURN, {_JUDGED: now})
    return True


def hold_turn(tx: Tx) -> None:
    """Wait for who is judging; nobody judges before the end of this transaction."""
    structures.lock_one(tx, _TURN, _JUDGED)


def look(tx: Tx, kinds: set[Kind], named: set[str], messages: str, dead_after: float) -> Look:
    """What these kinds of conditions need to know.

    named: queues that they name; messages: the queue of messages, which is looked at only if it is named: what is told
    of others waits there. dead_after: seconds of silence.
    """
    now = tx.now()
    waits, paused = (
        _waits(tx, named, messages, now) if kinds & {Kind.LATENCY, Kind.UNSERVED} else ({}, frozenset[str]())
    )
    is_alive, served = _living(tx, now, dead_after) if kinds & {Kind.NO_SERVER, Kind.UNSERVED} else (True, set())
    ended = _ended(tx, now) if Kind.FAILURE_RATE in kinds else {}
    return Look(times.to_unix(now), waits, paused, frozenset(served), is_alive, ended)


def served(tx: Tx, dead_after: float) -> set[str]:
    """The queues that living servers take jobs from."""
    return _living(tx, tx.now(), dead_after)[1]


def _waits(tx: Tx, named: set[str], messages: str, now: datetime) -> tuple[dict[str, float], frozenset[str]]:
    known = monitoring_queues.known(tx)
    queues = [*sorted(named), *sorted(known.keys() - named - {messages})][:_MOST_QUEUES]
    waits = {name: (now - at).total_seconds() for name, at in monitoring_waits.since(tx, queues).items()}
    return waits, frozenset(name for name, pause in known.items() if pause is not None)


def _living(tx: Tx, now: datetime, dead_after: float) -> tuple[bool, set[str]]:
    silent = now - timedelta(seconds=dead_after)
    living = [s for s in servers.all_servers(tx) if s.last_heartbeat is not None and s.last_heartbeat >= silent]
    return bool(living), {str(queue) for server in living for queue in server.data.get("Queues") or ()}


def _ended(tx: Tx, now: datetime) -> dict[str, tuple[int, int]]:
    days = [f"{day:%Y-%m-%d}" for day in (now - timedelta(days=1), now)]
    found = structures.counts_of(tx, [f"stats:{what}:{day}" for day in days for what in ("succeeded", "failed")])
    return {day: (found[f"stats:succeeded:{day}"], found[f"stats:failed:{day}"]) for day in days}


def _text(one: Condition) -> str:
    rule = one.rule
    return json.dumps(
        {
            "title": one.title, "kind": str(one.kind), "queue": one.queue, "seconds": one.seconds,
            "percent": one.percent, "runs": one.runs, "minutes": one.minutes, "to": rule.to, "slack": rule.slack,
            "teams": rule.teams, "max_per_hour": rule.max_per_hour,
        }
    )  # fmt: skip


def _condition(condition_id: str, text: str) -> Condition:
    told: Mapping[str, Any] = json.loads(text)
    rule = AlertRule(
        to=tuple(told["to"]), slack=told["slack"], teams=told["teams"], max_per_hour=told["max_per_hour"]
    )  # fmt: skip
    return Condition(
        id=condition_id, title=told["title"], kind=Kind(told["kind"]), queue=told["queue"], seconds=told["seconds"],
        percent=told["percent"], runs=told["runs"], minutes=told["minutes"], rule=rule,
    )  # fmt: skip


def _standing(fields: Mapping[str, str]) -> Standing:
    since, counted, samples = (fields.get(name) or "" for name in ("BadSince", "Counted", "Samples"))
    days: Mapping[str, Sequence[int]] = json.loads(counted or "{}")
    return Standing(
        is_red=fields.get("Red") == "1", bad_since=float(since) if since else None,
        counted={day: (int(pair[0]), int(pair[1])) for day, pair in days.items()},
        samples=tuple((float(at), int(good), int(bad)) for at, good, bad in json.loads(samples or "[]")),
    )  # fmt: skip

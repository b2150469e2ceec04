"""Conditions of an installation: written by people, and judged by one process of all, whose turn it is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from taskmanager.domain import alerts as domain
from taskmanager.domain import conditions as rules
from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, Event
from taskmanager.domain.conditions import Condition, Kind, Standing, Verdict
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.quiet import Quiet
from taskmanager.domain.states import Enqueued
from taskmanager.domain.texts import storable
from taskmanager.engine.alert_rules import number, webhook
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import alert_marks, quiet_hours
from taskmanager.storage import conditions as rows
from taskmanager.storage.transaction import Tx

#: Between two looks, in seconds.
EVERY = 15.0
_LONGEST_TITLE, _LONGEST_QUEUE, _LONGEST_URL = 80, 50, 500
#: The numbers of a condition: least, most, and whether it is whole.
_BOUNDS: Mapping[str, tuple[float, float, bool]] = {
    "seconds": (1, 7 * 86400, False), "percent": (0, 100, False), "runs": (1, 1_000_000, True),
    "minutes": (1, 1440, True),
}  # fmt: skip


class Conditions:
    """The conditions of one installation. dead_after: seconds of silence after which a server is not alive."""

    def __init__(self, client: Client, dead_after: float) -> None:
        self.client, self.database, self.dead_after = client, client.database, dead_after
        #: The job that sends messages; None where alerts are off: then nothing is judged.
        self.mailer: JobDefinition | None = None

    def all(self) -> list[tuple[Condition, Standing]]:
        """All of them, and how they stand."""
        return self.database.read(rows.load_all)

    def get(self, condition_id: str) -> Condition | None:
        """One of them."""
        return self.database.read(lambda tx: rows.load(tx, condition_id))

    def save(self, one: Condition, quiet: Quiet | None = None) -> None:
        """Write a condition and its quiet hours; how it stands begins anew. Raises InvalidArgument."""

        def work(tx: Tx) -> None:
            rows.hold_turn(tx)
            known = {condition.id: condition for condition, _ in rows.load_all(tx)}
            others = [c for c in known.values() if c.id != one.id]
            if any(c.title.lower() == one.title.lower() for c in others):
                raise InvalidArgument(f"there is a condition {one.title!r} already")
            if len(others) >= rows.MOST:
                raise InvalidArgument(f"there are {rows.MOST} conditions already")
            if one.id in known:
                alert_marks.over(tx, domain.key_of(known[one.id].name))
                quiet_hours.save(tx, known[one.id].name, None)
            rows.write(tx, one)
            quiet_hours.save(tx, one.name, quiet)

        self.database.run(work)

    def remove(self, condition_id: str) -> bool:
        """Delete a condition, and its alert if it is active; whether there was one."""

        def work(tx: Tx) -> bool:
            rows.hold_turn(tx)
            known = rows.load(tx, condition_id)
            if known is not None:
                alert_marks.over(tx, domain.key_of(known.name))
                quiet_hours.save(tx, known.name, None)
            return rows.remove(tx, condition_id)

        return self.database.run(work)

    def judge(self) -> bool:
        """Look at the installation, if it is this process's turn, and tell what has changed; whether there is a rule.

        Where there is none it is one look into an empty set.
        """
        if self.mailer is None or not self.database.read(rows.ids):
            return False
        self.database.run(self._judge)
        return True

    def _judge(self, tx: Tx) -> None:
        if self.mailer is None or not rows.take_turn(tx, EVERY):
            return
        known = rows.load_all(tx)
        kinds, named = {c.kind for c, _ in known}, {c.queue for c, _ in known if c.queue}
        look = rows.look(tx, kinds, named, self.mailer.queue, self.dead_after)
        for one, before in known:
            verdict = rules.judge(one, before, look)
            if verdict.standing != before:
                rows.stand(tx, one.id, verdict.standing)
            if verdict.is_change:
                self._changed(tx, one, verdict)

    def _changed(self, tx: Tx, one: Condition, verdict: Verdict) -> None:
        now, is_red = tx.now(), verdict.standing.is_red
        asleep = alert_marks.asleep(tx, one.name)
        if is_red:
            alert_marks.failed(tx, one.name, now, 0, is_told=True)
        else:
            alert_marks.over(tx, domain.key_of(one.name))
        if self.mailer is None or asleep is not None:
            return
        event, words = (Event.ALARM, verdict.words) if is_red else (Event.RECOVERY, "it is over")
        told = rules.facts(one, event, times.to_iso(now), words)
        queue, mailer = self.mailer.queue, self.mailer
        new = NewJob(mailer.invocation((one.name, told), {}), Enqueued(queue=queue), queue, 0, mailer)
        self.client.create_in(tx, [new], new_key())


def condition_of(fields: Mapping[str, str], known: Condition | None = None) -> Condition:
    """The condition that a form's fields describe. A webhook that is left empty stays as it is, `-` takes it away.

    fields: title, kind, queue, seconds, percent, runs, minutes, to, slack, teams, max_per_hour. Raises InvalidArgument.
    """
    title, queue = fields.get("title", "").strip(), fields.get("queue", "").strip()
    if not 1 <= len(title) <= _LONGEST_TITLE or storable(title) != title:
        raise InvalidArgument(f"the name has 1 to {_LONGEST_TITLE} characters")
    if len(queue) > _LONGEST_QUEUE or storable(queue) != queue:
        raise InvalidArgument(f"a queue's name has at most {_LONGEST_QUEUE} characters")
    if fields.get("kind") not in list(Kind):
        raise InvalidArgument(f"kind is one of {', '.join(Kind)}")
    before = known.rule if known is not None else AlertRule()
    most = number(fields, "max_per_hour")
    made = domain.parse({"to": fields.get("to", "").strip() or (), "max_per_hour": most}) or AlertRule()
    slack, teams = webhook(fields, "slack", before.slack), webhook(fields, "teams", before.teams)
    if max(len(slack or ""), len(teams or "")) > _LONGEST_URL:
        raise InvalidArgument(f"the URL of a webhook has at most {_LONGEST_URL} characters")
    numbers = {name: _number(fields, name, getattr(known or _DEFAULTS, name)) for name in _BOUNDS}
    return Condition(
        id=known.id if known is not None else uuid.uuid4().hex[:12], title=title, kind=Kind(fields["kind"]),
        queue=queue or None, seconds=numbers["seconds"], percent=numbers["percent"], runs=int(numbers["runs"]),
        minutes=int(numbers["minutes"]), rule=replace(made, slack=slack, teams=teams),
    )  # fmt: skip


_DEFAULTS = Condition(id="", title="", kind=Kind.LATENCY)


def _number(fields: Mapping[str, str], name: str, otherwise: float) -> float:
    least, most, is_whole = _BOUNDS[name]
    text = fields.get(name, "").strip()
    try:
        found = (int(text) if is_whole else float(text)) if text else otherwise
    except ValueError:
        found = least - 1
    if not least <= found <= most:
        raise InvalidArgument(f"{name} is a {'whole ' * is_whole}number from {least:g} to {most:g}")
    return found

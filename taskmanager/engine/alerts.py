"""Alerts are decided here, in the transaction of the outcome: one job a message, which sends it some other time.

Rules come from c_JobAlert, from EmailOnFailure of c_Job and from `@job(alerts=…)`. They are read on a connection of
their own, so that a broken table of rules costs messages and never an outcome.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from taskmanager.domain import invocation as invocations
from taskmanager.domain import times
from taskmanager.domain.alerts import AlertRule, Event, key_of
from taskmanager.domain.conditions import told
from taskmanager.domain.states import Enqueued, Failed, Scheduled, State, Succeeded
from taskmanager.domain.texts import storable
from taskmanager.engine import row_mails
from taskmanager.engine.client import Client, NewJob, new_key
from taskmanager.engine.filters import Electing, Filter
from taskmanager.engine.history import plain
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_schedule import PREFIX
from taskmanager.engine.registry import JobDefinition, Registry
from taskmanager.engine.row_mails import MAIL_TO
from taskmanager.engine.rule_book import AGE, AGE_OF_FAILURE, RuleBook, Rules
from taskmanager.storage import alerts, conditions, jobs
from taskmanager.storage.alerts import AlertRow
from taskmanager.storage.transaction import Tx

log = logging.getLogger("taskmanager.alerts")

#: A message's first characters; the whole of it stands with the job.
_LENGTH = 1000
#: Of several things that a run is told of for, the first is the message's subject.
_TELLING = (
    Event.ALARM, Event.FAILURE, Event.WARNING, Event.MISSED, Event.RECOVERY, Event.SLOW, Event.SUCCESS, Event.TEST,
    Event.SUMMARY,
)  # fmt: skip
_ENDS = frozenset({"Succeeded", "Failed", "Deleted"})


@dataclass(slots=True)
class Ended:
    """A run, or a job that can no longer be run, as it is told of."""

    facts: dict[str, Any]
    names: tuple[str, ...]
    rule: AlertRule | None
    events: list[Event] = field(default_factory=list)


class Alerts(Filter):
    """Judges outcomes, and creates the jobs that send messages. mailer: such a job's definition.

    has_mail: whether a mail server is named. has_recipients: whether somebody is mailed by default.
    """

    order = 950

    def __init__(
        self, client: Client, registry: Registry, mailer: JobDefinition, *, has_mail: bool, has_recipients: bool
    ) -> None:
        self.client, self.registry, self.mailer = client, registry, mailer
        self.has_mail, self.has_recipients = has_mail, has_recipients
        self.book = RuleBook(client.database)
        #: Whether rows of the older c_Job tell of what did not fail by `of_row`, and by nothing else.
        self.rows_tell = False

    def applied(self, context: Electing, state: State) -> None:
        if state.name not in _ENDS:
            return
        definition = context.definition
        if definition is not None and definition.name == self.mailer.name:
            return  # a message that cannot be sent is not told by messages
        if isinstance(state, Succeeded):
            rules = self.book.current(AGE)
            if not rules.rows and not rules.failing and (definition is None or definition.alerts is None):
                return
            self._succeeded(context, rules)
            return
        failure = next((s for s in [*context.traversed, state] if isinstance(s, Failed)), None)
        if failure is not None:
            context.effects.later(self.tell, self._ended(context, failure))

    def _succeeded(self, context: Electing, rules: Rules) -> None:
        """Most jobs are named by no rule: that is found out once, until the rules are read again."""
        asked = (context.parameters.get("RecurringJobId"), context.parameters.get("JobName"))
        kind = (context.definition.name if context.definition else None, *asked)
        if rules.is_unheard(kind):
            return
        ended = self._ended(context, None)
        if self.rows_tell and _row_id(ended) is not None and alerts.is_older(context.effects.tx):
            return  # its row tells of it, by one message
        ended.events = self._of_success(ended, rules)
        if ended.events:
            context.effects.later(self.tell, ended)
        elif ended.rule is None and rules.row(ended.names) is None:
            rules.remember_unheard(kind)

    def of_row(
        self, tx: Tx, row_id: int, name: str, event: Event, facts: Mapping[str, Any], *, to_row: bool = True
    ) -> bool:
        """A row of the older c_Job has something to tell; whether somebody is told.

        to_row: to those whom the row names. Besides, rules of its name are asked: a run, with its recovery and how long
        it took, is one message to all, and who is told of failures is told that the row was missed.
        """
        recurring_id = f"{PREFIX}{row_id}"
        definition = self.registry.get(facts["function"]) if facts.get("function") else None
        told = {"job": name, "recurring_id": recurring_id, "at": times.to_iso(tx.now())} | dict(facts)
        ended = Ended(
            told, names_of(definition, name, recurring_id), definition.alerts if definition else None, [event]
        )
        rules = self.book.current(AGE)
        row = rules.row(ended.names)
        told["as_failure"] = event is Event.MISSED
        told["of_row"] = to_row and bool(self._mailing([ended]))
        if event is Event.SUCCESS:
            wanted = self._of_success(ended, rules)
            ended.events = list(dict.fromkeys([*wanted, event] if told["of_row"] else wanted))
            asked = bool(wanted)
        elif event is Event.MISSED:
            asked = row is not None and self.is_told_of_failures(row.rule)
        else:
            asked = event is Event.WARNING and self._wants(ended, row, event, told.get("duration_ms"))
        if not asked and not told["of_row"]:
            return False
        self.tell(tx, [ended])
        return True

    def is_told_of_failures(self, rule: AlertRule) -> bool:
        """Whether a rule tells somebody of failures."""
        return rule.wants(Event.FAILURE) and self.reaches(rule)

    # -- what became of a job ---------------------------------------------------------------------------------

    def _ended(self, context: Electing, failure: Failed | None) -> Ended:
        definition, run = context.definition, context.run
        recurring = (context.parameters.get("RecurringJobId") or "").strip('"') or None
        named = plain(context.parameters.get("JobName"))
        title = named or (definition.title if definition else "")
        facts: dict[str, Any] = {"job": title, "job_id": context.job.id, "at": times.to_iso(context.at)}
        if definition is not None:
            facts["function"] = definition.name
        if recurring is not None:
            facts["recurring_id"] = recurring
        if run is not None:
            facts |= {"started": times.to_iso(run.started_at), "duration_ms": run.duration_ms, "attempt": run.attempt}
            facts["server"] = run.server
        if (mail_to := row_mails.addresses(context.parameters.get(MAIL_TO))) is not None:
            facts["mail_to"] = mail_to
        if failure is not None:
            facts |= {"error": failure.exception_type, "message": storable(failure.exception_message[:_LENGTH])}
        return Ended(facts, names_of(definition, title, recurring), definition.alerts if definition else None)

    def _of_success(self, ended: Ended, rules: Rules) -> list[Event]:
        row = rules.row(ended.names)
        duration = ended.facts.get("duration_ms")
        wanted = [e for e in (Event.SUCCESS, Event.SLOW) if self._wants(ended, row, e, duration)]
        if rules.failing and self._key(ended, row) in rules.failing:
            wanted.append(Event.RECOVERY)  # also where nobody hears of it: the alert is over
        return wanted

    def _of_failure(self, ended: Ended, rules: Rules, mailing: set[int]) -> list[Event]:
        row = rules.row(ended.names)
        if _row_id(ended) in mailing or self._wants(ended, row, Event.FAILURE):
            return [Event.FAILURE]
        slow = self._wants(ended, row, Event.SLOW, ended.facts.get("duration_ms"))
        return [Event.SLOW] if slow else []

    def _wants(self, ended: Ended, row: AlertRow | None, event: Event, duration: int | None = None) -> bool:
        """Whether one of the rules has something to say of it, to somebody."""
        rules = [rule for rule in (ended.rule, row.rule if row else None) if rule is not None]
        return any(rule.wants(event, duration) and self.reaches(rule) for rule in rules)

    def reaches(self, rule: AlertRule) -> bool:
        return rule.has_other_channels or (self.has_mail and (bool(rule.to) or self.has_recipients))

    def _key(self, ended: Ended, row: AlertRow | None) -> str:
        return key_of(row.name if row is not None else ended.facts["job"])

    # -- writing ----------------------------------------------------------------------------------------------

    def tell(self, tx: Tx, ended: list[Ended]) -> None:
        """Create the jobs for what happened in one batch; all it needs to know is read at once."""
        failures = [one for one in ended if not one.events]
        rules = self.book.current(AGE_OF_FAILURE if failures else AGE)
        if failures:
            self._identify(tx, [one for one in failures if "function" not in one.facts])
            mailing = self._mailing(failures)
            for one in failures:
                one.events = self._of_failure(one, rules, mailing)
        new, recovered = list[NewJob](), set[str]()
        for one in ended:
            if one.facts.get("function") == self.mailer.name:
                continue
            row = rules.row(one.names)
            key = self._key(one, row)
            events = [e for e in one.events if e is not Event.RECOVERY or key not in recovered]
            if Event.RECOVERY in events:
                recovered.add(key)
            if events:
                new.append(self._message(one, events, row))
        if recovered:  # once is enough until the rules are read again
            tx.after_commit(lambda: rules.failing.difference_update(recovered))
        if new:
            self.client.create_in(tx, new, new_key())

    def later(self, tx: Tx, rule: str, facts: dict[str, Any], at: datetime) -> None:
        """Create the job of a message that is sent at a moment (naive UTC)."""
        mailer = self.mailer
        invocation, parameters = mailer.invocation((rule, facts), {}), {"Delayed": "1"}
        state = Scheduled(enqueue_at=at)
        self.client.create_in(tx, [NewJob(invocation, state, mailer.queue, 0, mailer, parameters)], new_key())

    def _identify(self, tx: Tx, unknown: Sequence[Ended]) -> None:
        """Names for jobs that failed without having been called."""
        found = {r.id: r for r in jobs.read_many(tx, [one.facts["job_id"] for one in unknown])} if unknown else {}
        for one in unknown:
            record = found.get(one.facts["job_id"])
            try:
                name = invocations.read(record.invocation_data, record.arguments).name if record else ""
            except invocations.InvocationUnreadable:
                name = ""
            definition = self.registry.get(name) if name else None
            one.facts["function"] = name
            one.facts["job"] = title = one.facts["job"] or (definition.title if definition else name) or "a job"
            one.rule = definition.alerts if definition else None
            one.names = (*names_of(definition, title, one.facts.get("recurring_id")), name.lower())

    def mailing(self, row_ids: Sequence[int]) -> set[int]:
        """Of these rows of c_Job those of whose failures somebody is mailed."""
        if not row_ids or not self.has_mail:
            return set()
        return self.book.ask(lambda tx: alerts.mailing(tx, row_ids, by_default=self.has_recipients)) or set()

    def mailed(self, row_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
        """Of these rows of c_Job those of whose failures somebody is mailed, and who."""
        if not row_ids or not self.has_mail:
            return {}
        return self.book.ask(lambda tx: alerts.mailed(tx, row_ids, by_default=self.has_recipients)) or {}

    def _mailing(self, ended: Iterable[Ended]) -> set[int]:
        """As `mailing`, of rows that may be gone: then what they said when these runs began counts."""
        facts = {row_id: one.facts for one in ended if (row_id := _row_id(one)) is not None}
        if not facts or not self.has_mail:
            return set()
        then = {row_id for row_id, known in facts.items() if known.get("mail_to") is not None}
        found = self.book.ask(lambda tx: alerts.mailing_now_or_then(tx, facts, then, by_default=self.has_recipients))
        return found or set()

    def _message(self, ended: Ended, events: Sequence[Event], row: AlertRow | None) -> NewJob:
        """One message, whatever a run is told of for: its subject is the most telling, and who hears of any gets it."""
        first, *others = sorted(events, key=_TELLING.index)
        facts: dict[str, Any] = {"event": str(first)} | ended.facts
        if others:
            facts["also"] = [str(event) for event in others]
        if row is not None:
            facts["alert_id"] = row.id
        duration, late = facts.get("duration_ms"), facts.get("late_seconds")
        if ended.rule is not None and any(ended.rule.wants(event, duration, late) for event in events):
            facts["in_code"] = True
        rule = row.name if row is not None else ended.facts["job"]
        queue, mailer = self.mailer.queue, self.mailer
        return NewJob(mailer.invocation((rule, facts), {}), Enqueued(queue=queue), queue, 0, mailer)


def names_of(definition: JobDefinition | None, title: str, recurring_id: str | None) -> tuple[str, ...]:
    """The names by which a rule may mean a job, in small letters, the most telling first."""
    names = [title, recurring_id or ""]
    if definition is not None:
        names += [definition.name, definition.method, definition.method.rpartition(".")[2]]
    return tuple(name.strip().lower() for name in names if name)


@dataclass(frozen=True, slots=True)
class Sources:
    """The rules that speak of one event now, and how many messages an hour they allow.

    same: under which name a message is counted, and what it says, where only one that says the same is held back.
    """

    rules: tuple[AlertRule, ...]
    limit: int | None
    same: tuple[str, str] | None = None


def events_of(facts: Mapping[str, Any]) -> list[Event]:
    """What a message is about, the most telling first."""
    return [Event(facts["event"]), *map(Event, facts.get("also", ()))]


def sources(tx: Tx, facts: Mapping[str, Any], definition: JobDefinition | None, recipients: tuple[str, ...]) -> Sources:
    """The rules as they stand at this moment: who changed them meanwhile has the last word.

    recipients: who is mailed where a rule names nobody.
    """
    if facts.get("condition"):
        return _of_condition(tx, facts["condition"], recipients)
    events, duration = events_of(facts), facts.get("duration_ms")
    event = events[0]
    row = alerts.load(tx, facts["alert_id"]) if facts.get("alert_id") else None
    code = definition.alerts if definition is not None else None
    late, as_failure = facts.get("late_seconds"), bool(facts.get("as_failure"))
    rules = (
        [row.rule]
        if row and (any(row.rule.wants(e, duration) for e in events) or (as_failure and Event.FAILURE in row.rule.on))
        else []
    )
    rules += [code] if code is not None and any(code.wants(e, duration, late) for e in events) else []
    row_id = row_of(facts.get("recurring_id"))
    asks = event in (Event.FAILURE, Event.TEST, Event.SUMMARY) or facts.get("of_row", as_failure)
    same = None
    if asks and row_id is not None:
        to = alerts.mailed_now_or_then(tx, row_id, facts.get("mail_to"), by_default=bool(recipients))
        if to is not None and not rules and alerts.is_older(tx):
            same = (f"{PREFIX}{row_id} {event}", str(facts.get("message") or ""))
        rules += [] if to is None else [AlertRule(on=frozenset({Event.FAILURE}), to=to)]
    limits = [rule.max_per_hour for rule in (row.rule if row else None, code) if rule is not None]
    named = (_with_recipients(rule, recipients) for rule in rules)
    return Sources(tuple(named), next((limit for limit in limits if limit is not None), None), same)


def _of_condition(tx: Tx, condition_id: str, recipients: tuple[str, ...]) -> Sources:
    one = conditions.load(tx, condition_id)
    if one is None:
        return Sources((), None)
    rule = told(one)
    return Sources((_with_recipients(rule, recipients),), rule.max_per_hour)


def _with_recipients(rule: AlertRule, recipients: tuple[str, ...]) -> AlertRule:
    return rule if rule.to or rule.has_other_channels else replace(rule, to=recipients)


def _row_id(ended: Ended) -> int | None:
    return row_of(ended.facts.get("recurring_id"))

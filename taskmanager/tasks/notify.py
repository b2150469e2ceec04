"""The job that sends a message: an ordinary one of queue `alerts`, retried like any other, told of by nobody."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Protocol

from taskmanager.config import ALERTS, Settings
from taskmanager.domain import invocation as invocations
from taskmanager.domain import times
from taskmanager.domain.alerts import Event, union
from taskmanager.domain.records import JobRecord
from taskmanager.domain.retry import Retry, RetryPolicy
from taskmanager.engine import moving
from taskmanager.engine.alerts import Sources, events_of, sources
from taskmanager.engine.context import JobContext
from taskmanager.engine.registry import JobDefinition, Registry, define
from taskmanager.storage import alert_limits, alert_marks, alert_messages, jobs, quiet_hours
from taskmanager.storage.database import Database
from taskmanager.storage.transaction import Tx
from taskmanager.tasks import mail, messages, webhooks
from taskmanager.tasks.messages import Message
from taskmanager.tasks.webhooks import Bounds, NotSent, Refused

log = logging.getLogger("taskmanager.alerts")

#: The parameter that tells by which channels a message has gone out, when another one failed.
DELIVERED = "Delivered"
_DELAYS = (15.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0)
_PROCEDURES = "taskmanager.tasks.procedures:"
#: How long a message waits for a server that knows the job's code, and with it the rule.
_UNKNOWN_SECONDS, _UNKNOWN_PAUSE = 300.0, 5.0


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to somebody. key: the same at each try. label: what of it may be shown."""

    key: str
    label: str
    send: Callable[[Message], str | None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one channel went: what to say of it, and what was wrong."""

    channel: Channel
    told: str
    error: NotSent | None = None


class Notifier:
    """Sends messages by the channels that the rules name now."""

    def __init__(self, settings: Settings, database: Database, registry: Registry) -> None:
        self.settings, self.database, self.registry = settings, database, registry
        #: Creates the job of a message that is to be sent at a moment; None where alerts are off.
        self.later: Callable[[Tx, str, dict[str, Any], datetime], object] | None = None

    def definition_of(self, facts: Mapping[str, Any]) -> JobDefinition | None:
        """The job that is told of, where this process knows it."""
        return self.registry.get(facts["function"]) if facts.get("function") else None

    def sources(self, tx: Tx, facts: Mapping[str, Any]) -> Sources:
        """The rules as they stand now."""
        return sources(tx, facts, self.definition_of(facts), self.settings.alert_recipients)

    def channels(self, found: Sources, message_id: str) -> list[Channel]:
        """Each way once, whoever named it: one mail to all that are mailed."""
        made = []
        recipients = union(address for rule in found.rules for address in rule.to)
        if recipients:
            made.append(Channel("email", f"email to {', '.join(recipients)}", self._mail(recipients, message_id)))
        for kind, form in (("slack", messages.as_slack), ("teams", messages.as_teams)):
            for url in dict.fromkeys(url for url in (getattr(rule, kind) for rule in found.rules) if url):
                made.append(Channel(_key(kind, url), f"{kind} at {webhooks.host_of(url)}", self._post(url, form)))
        for url in dict.fromkeys(url for rule in found.rules for url in rule.urls):
            made.append(Channel(_key("apprise", url), f"apprise by {url.partition('://')[0]}", _apprise(url)))
        return made

    def compose(self, facts: Mapping[str, Any], suppressed: int = 0) -> Message:
        """The words; the stack trace and a procedure's name are read from the job, if it is still there.

        People know the procedure, and not the function of ours that calls it.
        """
        details, calls = "", str(facts.get("function") or "").startswith(_PROCEDURES)
        if facts.get("job_id") and (calls or facts["event"] == Event.FAILURE):
            record = self.database.read(lambda tx: jobs.read(tx, facts["job_id"]))
            failed = [s for s in record.history if s.name == "Failed"] if record is not None else []
            if facts["event"] == Event.FAILURE:
                details = str(failed[-1].data.get("ExceptionDetails") or "") if failed else ""
            if calls:
                facts = {**facts, "function": None, "procedure": _procedure_of(record)}
        return messages.compose(facts, environment=self.settings.environment, suppressed=suppressed, details=details)

    def deliver(self, channels: list[Channel], message: Message) -> list[Delivery]:
        """Try each channel; one that fails stops no other."""
        done = []
        for channel in channels:
            try:
                done.append(Delivery(channel, channel.send(message) or channel.label))
            except NotSent as error:
                log.warning("alert by %s: %s", channel.label, error)
                done.append(Delivery(channel, f"{channel.label}: {error}", error))
        return done

    # -- channels ---------------------------------------------------------------------------------------------

    def _mail(self, recipients: tuple[str, ...], message_id: str) -> Callable[[Message], str | None]:
        s = self.settings

        def send(message: Message) -> str | None:
            if s.smtp_host is None:
                return "nothing mailed: smtp_host is not set"
            sender = s.smtp_from or f"taskmanager@{socket.gethostname() or 'localhost'}"
            at = self.database.clock.now().replace(tzinfo=UTC, microsecond=0)
            made = messages.as_mail(message, sender=sender, recipients=recipients, message_id=message_id, at=at)
            server = mail.MailServer(s.smtp_host, s.smtp_port, s.smtp_tls, s.smtp_username, s.smtp_password)
            refused = mail.send(server, made, parseaddr(sender)[1], recipients)
            return f"email to {', '.join(recipients)}; refused: {', '.join(refused)}" if refused else None

        return send

    def _post(self, url: str, form: Callable[[Message], Any]) -> Callable[[Message], None]:
        bounds = Bounds(self.settings.alert_allow_http, self.settings.alert_allow_private)
        return lambda message: webhooks.post(url, form(message), bounds)


def _procedure_of(record: JobRecord | None) -> str | None:
    try:
        call = None if record is None else invocations.read(record.invocation_data, record.arguments)
    except invocations.InvocationUnreadable:
        return None
    return None if call is None else moving.called_procedure(call)


def _apprise(url: str) -> Callable[[Message], None]:
    def send(message: Message) -> None:
        try:
            import apprise
        except ImportError:
            raise Refused("Apprise is not installed: pip install 'taskmanager[alerts]'") from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it logs addresses
        sender = apprise.Apprise()
        if not sender.add(url):
            raise Refused("Apprise cannot read this URL")
        if not sender.notify(title=message.subject, body=messages.as_text(message), body_format="text"):
            raise NotSent("Apprise could not send it")

    return send


class Sending(Protocol):
    """What sending needs to know of the job that does it."""

    @property
    def job_id(self) -> int:
        """Its number."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What is kept with it."""

    def now(self) -> datetime:
        """The database's time."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """What is sent, by which rules, and how many were held back before it."""

    facts: dict[str, Any]
    found: Sources
    suppressed: int


def notify(notifier: Notifier, ctx: JobContext, rule: str, facts: dict[str, Any]) -> str:
    """Send the message for one event. rule: the job name whose messages are counted together."""
    return send(notifier, ctx, rule, facts)


def send(notifier: Notifier, ctx: Sending, rule: str, facts: dict[str, Any]) -> str:
    """The same, whoever does it."""
    database, at = notifier.database, times.parse(facts.get("at")) or ctx.now()
    _wait_for_code(notifier, facts, at, ctx.now())

    def decide(tx: Tx) -> _Decided | str:
        found = _decide(tx, notifier, ctx, rule, facts, at)
        if isinstance(found, str):
            alert_messages.add(tx, ctx.job_id, facts["event"], facts["job"], "held", found)
        return found

    decided = database.run(decide)
    return decided if isinstance(decided, str) else _send(notifier, ctx, rule, decided, at)


def _decide(tx: Tx, notifier: Notifier, ctx: Sending, rule: str, facts: dict[str, Any], at: datetime) -> _Decided | str:
    """What is sent now, or why nothing is."""
    alert_limits.remember(tx, ctx.job_id)
    told, events, asleep = facts, events_of(facts), alert_marks.asleep(tx, rule)
    if Event.RECOVERY in events and not _is_told_of_recovery(notifier, tx, rule, facts, at, ctx.job_id):
        events.remove(Event.RECOVERY)
        if not events:
            return "nothing sent: no failure was told of, or nobody hears of recoveries"
        told = facts | {"event": str(events[0]), "also": [str(event) for event in events[1:]]}
    found = notifier.sources(tx, told)
    if not found.rules:
        return "nothing sent: no rule asks for it any more"
    if events[0] is Event.SUMMARY:
        count, lines = quiet_hours.take(tx, rule, ctx.job_id)
        if not count:
            return "nothing sent: nothing was held back"
        more = [f"and {count - len(lines)} before them"] if count > len(lines) else []
        return _Decided(told | {"message": "\n".join([*lines, *more])}, found, 0)
    if asleep is None and (quiet := _in_quiet_hours(tx, notifier, ctx, rule, told)) is not None:
        if events[0] is Event.FAILURE:
            alert_marks.failed(tx, rule, at, ctx.job_id, is_told=True)
        return quiet
    if asleep is not None:
        alert_limits.hold_back(tx, rule, ctx.job_id)
        why, suppressed = f"held back: snoozed until {asleep:%Y-%m-%d %H:%M:%S} UTC", None
    else:
        name, text = found.same or (rule, None)
        suppressed = alert_limits.reserve(tx, name, ctx.job_id, found.limit, text=text)
        why = f"held back: {found.limit} alerts were sent within the hour"
        why = "held back: the same was sent within the hour" if found.same else why
    if suppressed is None and events[0] is Event.FAILURE:
        alert_marks.failed(tx, rule, at, ctx.job_id, is_told=False)
    return why if suppressed is None else _Decided(told, found, suppressed)


def _in_quiet_hours(tx: Tx, notifier: Notifier, ctx: Sending, rule: str, facts: Mapping[str, Any]) -> str | None:
    """Hold a message back, if it is quiet now, and see that a summary tells of it; what to say of that."""
    hours = quiet_hours.of(tx, rule)
    end = hours.until(tx.now()) if hours is not None else None
    if hours is None or end is None:
        return None
    if hours.drops:
        alert_limits.hold_back(tx, rule, ctx.job_id)
        return f"held back: quiet hours until {end:%Y-%m-%d %H:%M} UTC"
    text = str(facts.get("message") or "")
    if quiet_hours.hold(tx, rule, ctx.job_id, str(facts["event"]), text, end) and notifier.later is not None:
        summary = quiet_hours.who(facts) | {"event": str(Event.SUMMARY), "at": times.to_iso(end)}
        notifier.later(tx, rule, summary, end)
    return f"held back: told by one summary when quiet hours end, at {end:%Y-%m-%d %H:%M} UTC"


def _is_told_of_recovery(
    notifier: Notifier, tx: Tx, rule: str, facts: Mapping[str, Any], at: datetime, job_id: int
) -> bool:
    """End the alert; whether there was one, and somebody hears of that."""
    if facts.get("condition"):
        return True  # who judged it has ended its alert
    was_active = alert_limits.recover(tx, rule, at, job_id)
    return was_active and any(one.wants(Event.RECOVERY) for one in notifier.sources(tx, facts).rules)


def _send(notifier: Notifier, ctx: Sending, rule: str, decided: _Decided, at: datetime) -> str:
    facts, found, suppressed = decided.facts, decided.found, decided.suppressed
    before = set(_delivered(ctx.parameters.get(DELIVERED)))
    message_id = f"<taskmanager.{ctx.job_id}.{hashlib.sha256(rule.encode()).hexdigest()[:16]}@{_domain(notifier)}>"
    channels = [c for c in notifier.channels(found, message_id) if c.key not in before]
    done = notifier.deliver(channels, notifier.compose(facts, suppressed))
    delivered = [d.channel.key for d in done if d.error is None]
    failed = [d for d in done if d.error is not None]
    again = [d for d in failed if not isinstance(d.error, Refused)]
    kept = sorted(before | {d.channel.key for d in done if d not in again})

    told = "; ".join(d.told for d in failed or done) or "nothing sent: the rules name nobody"

    def remember(tx: Tx) -> None:
        alert_messages.add(tx, ctx.job_id, facts["event"], facts["job"], "failed" if failed else "sent", told)
        if again:
            jobs.set_parameters(tx, {(ctx.job_id, DELIVERED): json.dumps(kept)})
        if delivered:
            alert_limits.told(tx, rule, Event(facts["event"]), at, facts.get("alert_id"), ctx.job_id)

    notifier.database.run(remember)
    if failed:
        raise NotSent(told) if again else Refused(told)
    return told


def _wait_for_code(notifier: Notifier, facts: Mapping[str, Any], at: datetime, now: datetime) -> None:
    """A rule that stands in code is known where that code is: leave the message to such a server for a while."""
    if not facts.get("in_code") or notifier.definition_of(facts) is not None:
        return
    if now - at < timedelta(seconds=_UNKNOWN_SECONDS):
        raise Retry("this server does not know the job's code", delay=_UNKNOWN_PAUSE, count=False)


def definition(is_injected: Callable[[Any], bool]) -> JobDefinition:
    """The job as the registry holds it."""
    policy = RetryPolicy(attempts=len(_DELAYS), delays=_DELAYS, jitter=0.2, give_up_on=(Refused,))
    return define(notify, is_injected=is_injected, retry=policy, display_name="Alert", queue=ALERTS)


def _delivered(text: str | None) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(key) for key in found] if isinstance(found, list) else []


def _key(kind: str, url: str) -> str:
    return f"{kind}:{hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()[:12]}"


def _domain(notifier: Notifier) -> str:
    sender = parseaddr(notifier.settings.smtp_from or "")[1]
    host = sender.rpartition("@")[2] or socket.gethostname() or "localhost"
    return host if host.isascii() else "localhost"

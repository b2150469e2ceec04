"""What a message says, and how mail, Slack and Teams are given it. Every text of a job is a stranger's text."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.alerts import Event
from taskmanager.domain.texts import storable

_WORDS = {
    Event.FAILURE: "FAILED", Event.SUCCESS: "Succeeded", Event.SLOW: "SLOW", Event.MISSED: "MISSED",
    Event.RECOVERY: "Recovered", Event.TEST: "Test", Event.WARNING: "WARNING", Event.ALARM: "ALERT",
    Event.SUMMARY: "Held back in quiet hours",
}  # fmt: skip
_SIGNS = {
    Event.FAILURE: "\N{CROSS MARK}", Event.SUCCESS: "\N{WHITE HEAVY CHECK MARK}", Event.SLOW: "\N{SNAIL}",
    Event.MISSED: "\N{ALARM CLOCK}", Event.RECOVERY: "\N{WHITE HEAVY CHECK MARK}", Event.TEST: "\N{BELL}",
    Event.WARNING: "\N{WARNING SIGN}", Event.ALARM: "\N{POLICE CARS REVOLVING LIGHT}",
    Event.SUMMARY: "\N{CRESCENT MOON}",
}  # fmt: skip
_COLOURS = {
    Event.FAILURE: "Attention", Event.ALARM: "Attention", Event.SLOW: "Warning", Event.MISSED: "Warning",
    Event.WARNING: "Warning",
}  # fmt: skip
#: What Slack and Teams take of one text, with room to spare.
_SLACK_TEXT, _SLACK_HEADER, _SLACK_FIELD, _TEAMS_TEXT = 2500, 150, 1900, 4000
_DETAILS = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message in words. facts: label and value; text: the error; details: the stack; note: what was held back."""

    event: Event
    subject: str
    facts: tuple[tuple[str, str], ...]
    text: str = ""
    details: str = ""
    note: str = ""


def compose(
    facts: Mapping[str, Any], *, environment: str = "", suppressed: int = 0, details: str = "", zone: str = "UTC"
) -> Message:
    """The words for an event."""
    event = Event(facts["event"])
    job = one_line(str(facts.get("job") or "a job"), 200)
    place = f"[{one_line(environment, 60)}] " if environment.strip() else ""
    found: list[tuple[str, str]] = [("Condition" if facts.get("condition") else "Job", job)]
    if environment.strip():
        found.append(("Environment", one_line(environment, 60)))
    for label, name in (
        ("Rule", "rule"),
        ("Function", "function"),
        ("Procedure", "procedure"),
        ("Recurring job", "recurring_id"),
        ("Job id", "job_id"),
    ):
        if facts.get(name):
            found.append((label, one_line(str(facts[name]), 200)))
    for label, name in (("Started", "started"), ("Slot", "slot"), ("Told of", "at")):
        if facts.get(name):
            found.append((label, _moment(str(facts[name]), zone)))
    if facts.get("duration_ms") is not None:
        found.append(("Duration", _span(facts["duration_ms"] / 1000)))
    if facts.get("late_seconds") is not None:
        found.append(("Late by", _span(facts["late_seconds"])))
    if Event.SLOW in facts.get("also", ()):
        found.append(("Also", "it took longer than its limit"))
    for label, name in (("Items done", "items_done"), ("Items failed", "items_failed")):
        if facts.get(name) is not None:
            found.append((label, str(facts[name])))
    if (facts.get("attempt") or 1) > 1:
        found.append(("Attempts", str(facts["attempt"])))
    for label, name in (("Server", "server"), ("Error", "error")):
        if facts.get(name):
            found.append((label, one_line(str(facts[name]), 200)))
    return Message(
        event=event,
        subject=one_line(f"{place}{_WORDS[event]}: {job}", 240),
        facts=tuple(found),
        text=storable(str(facts.get("message") or "")),
        details=storable(details[-_DETAILS:]),
        note=f"({suppressed} alert{'s' * (suppressed > 1)} suppressed)" if suppressed else "",
    )


def one_line(text: str, length: int) -> str:
    """A text for a header or a heading: no line ends and no control characters of any kind, and not too long."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in storable(text))
    line = " ".join(kept.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def as_text(message: Message) -> str:
    """The message as plain text."""
    lines = [message.subject, ""]
    lines += [f"{label}: {value}" for label, value in message.facts]
    for part in (message.text, message.details if message.details != message.text else "", message.note):
        if part:
            lines += ["", part]
    return "\n".join(lines) + "\n"


def as_html(message: Message) -> str:
    """The message as HTML: nothing of it but our own tags is markup, and it loads nothing."""
    rows = "".join(
        f'<tr><th align="left" style="padding-right:1em">{html.escape(label)}</th><td>{html.escape(value)}</td></tr>'
        for label, value in message.facts
    )
    parts = [f"<h2>{html.escape(message.subject)}</h2>", f"<table>{rows}</table>"]
    if message.text:
        parts.append(f'<p style="white-space:pre-wrap"><b>{html.escape(message.text)}</b></p>')
    if message.details and message.details != message.text:
        parts.append(f'<pre style="white-space:pre-wrap">{html.escape(message.details)}</pre>')
    if message.note:
        parts.append(f"<p>{html.escape(message.note)}</p>")
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'


def as_mail(message: Message, *, sender: str, recipients: tuple[str, ...], message_id: str, at: Any) -> EmailMessage:
    """The message as a mail of two parts. message_id: the same at each try, so that a doubled mail is known as one."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = message.subject
    name, address = parseaddr(sender)
    name = one_line(name, 100)
    mail["From"] = formataddr((name, address)) if name.isascii() else f"{name} <{address}>"
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(as_text(message), charset="utf-8")
    mail.add_alternative(as_html(message), subtype="html", charset="utf-8")
    return mail


def as_slack(message: Message) -> dict[str, Any]:
    """The message in Slack's blocks; `text` is what notifications and old clients show."""
    fields = [
        {"type": "mrkdwn", "text": _cut(f"*{label}*\n{_mrkdwn(value)}", _SLACK_FIELD)}
        for label, value in message.facts[:10]
    ]
    heading = _cut(f"{_SIGNS[message.event]} {message.subject}", _SLACK_HEADER)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": heading, "emoji": False}},
        {"type": "section", "fields": fields},
    ]
    if message.text:
        quoted = _cut(_mrkdwn(message.text.replace("```", "'''")), _SLACK_TEXT)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"```{quoted}```"}})
    if message.note:
        blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": message.note}]})
    return {"text": _mrkdwn(" ".join(filter(None, (message.subject, message.note)))), "blocks": blocks}


def as_teams(message: Message) -> dict[str, Any]:
    """The message as an Adaptive Card for a workflow's webhook. Text runs know no markup: none can be smuggled in."""
    style = {"weight": "Bolder", "size": "Large", "color": _COLOURS.get(message.event, "Good")}
    body = [_runs((message.subject, style))]
    body += [_runs((f"{label}: ", {"weight": "Bolder"}), (value, {})) for label, value in message.facts]
    if message.text:
        body.append(_runs((_cut(message.text, _TEAMS_TEXT), {"fontType": "Monospace"})))
    if message.note:
        body.append(_runs((message.note, {"isSubtle": True})))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"}, "body": body,
    }  # fmt: skip
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _runs(*texts: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": t} | style for t, style in texts]}


def _mrkdwn(text: str) -> str:
    """Slack's three characters of control: without them there are no links, no mentions and no @channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _moment(text: str, zone: str) -> str:
    try:
        found = times.parse(text)
    except ValueError:
        found = None
    return one_line(text, 50) if found is None else f"{found.replace(microsecond=0)} {zone}"


def _span(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))

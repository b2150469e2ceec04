"""A job as people read it: name, call with named arguments, attempts. Whatever is stored, this never fails."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import g
from markupsafe import Markup

from taskmanager.domain.invocation import Invocation, InvocationUnreadable
from taskmanager.domain.invocation import read as read_invocation
from taskmanager.domain.records import JobRecord, StateRecord
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage.monitoring_details import LogChunk
from taskmanager.storage.monitoring_lists import Row, cut_object
from webui import access, formats, highlight, languages, redaction
from webui.blueprint import manager

#: Longer arguments are cut in the call; they stand in full below it.
_LONGEST_ARGUMENT = 300


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: name (when the function is known), stored JSON text masked, and whether a secret was."""

    name: str | None
    text: str
    masked: bool = False


@dataclass(slots=True)
class Attempt:
    """One run of a job: the states from its Processing on."""

    number: int
    state: StateRecord
    ended: datetime | None = None
    outcome: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)


def definitions() -> Mapping[str, JobDefinition]:
    """The jobs this process knows, by name; nothing is imported for a page."""
    try:
        found: Mapping[str, JobDefinition] = g.definitions
    except AttributeError:
        found = g.definitions = {definition.name: definition for definition in manager().registry}
    return found


def title(row: Row) -> str:
    """The name of a job in a list."""
    named = plain(row.parameters.get("JobName"))
    if named:
        return named
    return called(row.call)


def short_name(name: str) -> str:
    """A type of job without its module."""
    return name.rpartition(":")[2] or name


def type_title(name: str) -> str:
    """A type of job for people."""
    known = definitions().get(name)
    return known.title if known is not None else short_name(name)


def called(call: str) -> str:
    """The name of what a stored call, which may have been cut off, calls."""
    type_name, method = _called(call)
    if not method:
        return f"({call[:60] or '?'})"
    known = definitions().get(f"{type_name}:{method}")
    return known.title if known is not None else method


def function(row: Row) -> str:
    """Module and function of a job in a list, `module:function`; empty when its call cannot be read."""
    type_name, method = _called(row.call)
    return f"{type_name}:{method}" if method else ""


def subtitle(row: Row) -> str:
    """The arguments of a job in a list, in one line; secrets masked."""
    if not access.sees_arguments() or languages.taste().args == "hidden":
        return "••••"
    items, cut = _items_so_far(row.arguments)
    names = _names(definitions().get(":".join(_called(row.call))), len(items))
    shown = [_inline(n, text) for n, text in zip(names, items, strict=True) if text is not None]
    return ", ".join(shown) + (" …" if cut else "")


@functools.lru_cache(maxsize=1024)
def _called(call: str) -> tuple[str, str]:
    """Type and method of a stored call that may have been cut off: many rows of a list have the same."""
    found = cut_object(call)
    type_name = (found.get("Type") or found.get("type") or found.get("t") or "").partition(",")[0].rstrip("…")
    return type_name, (found.get("Method") or found.get("method") or found.get("m") or "").rstrip("…")


def arguments_of(row: Row) -> list[tuple[str | None, Any]]:
    """Names and values of the arguments as far as they are known, for filters."""
    items, _ = _items_so_far(row.arguments)
    known = definitions().get(":".join(_called(row.call)))
    found = []
    for name, text in zip(_names(known, len(items)), items, strict=True):
        if text is not None:
            found.append((name, _loaded(text)))
    return found


def invocation(record: JobRecord) -> Invocation | None:
    """The call of a job; None when it cannot be read."""
    try:
        return read_invocation(record.invocation_data, record.arguments)
    except InvocationUnreadable:
        return None


def full_title(record: JobRecord) -> str:
    """The name of a job on its own page."""
    named = plain(record.parameters.get("JobName"))
    if named:
        return named
    found = invocation(record)
    if found is None:
        return f"#{record.id}"
    known = definitions().get(found.name)
    return known.title if known is not None else found.method


def full_name(record: JobRecord) -> str:
    """Module and function."""
    found = invocation(record)
    return "" if found is None else f"{found.type.partition(',')[0]}.{found.method}"


def arguments(record: JobRecord) -> list[Argument]:
    """All arguments, masked."""
    found = invocation(record)
    if found is None:
        return []
    names = _names(definitions().get(found.name), len(found.arguments))
    texts = [None if a is None else str(a) for a in found.arguments]
    return [Argument(n, *_masked(n, t)) for n, t in zip(names, texts, strict=True) if t is not None]


def arguments_line(record: JobRecord) -> str:
    """All arguments in one line, masked; empty for who may not see them."""
    return ", ".join(_inline(a.name, a.text) for a in arguments(record)) if access.sees_arguments() else ""


def call(record: JobRecord) -> Markup:
    """The job as a call in Python, highlighted."""
    found = invocation(record)
    if found is None:
        return Markup("<em>{}</em>").format(record.invocation_data[:1000])
    shown = [_inline(a.name, a.text) for a in arguments(record)] if access.sees_arguments() else ["…"]
    one_line = f"{found.method}({', '.join(shown)})"
    module = found.type.partition(",")[0]
    if len(one_line) > 90 and shown:
        one_line = f"{found.method}(\n    " + ",\n    ".join(shown) + ",\n)"
    return highlight.code(f"from {module} import {found.method.partition('.')[0]}\n\n{one_line}", "python")


def is_known(record: JobRecord) -> bool:
    """Whether this process knows the function; a web process that imports no jobs knows none."""
    found = invocation(record)
    return not definitions() or found is None or found.name in definitions()


def is_peoples(record: JobRecord) -> bool:
    """Whether somebody enqueued it, and not this package for a purpose of its own."""
    found = invocation(record)
    return found is not None and not found.type.startswith("taskmanager.tasks.")


def attempts(
    record: JobRecord, log: tuple[LogChunk, ...], before: int | None = 0, *, is_newest: bool = True
) -> tuple[dict[int, Attempt], list[dict[str, Any]]]:
    """The runs of a job, by the id of their Processing row, each with its log; and lines of runs that are not here.

    before: how many runs are older than these; None where that is not known. is_newest: none is newer.
    """
    found: dict[int, Attempt] = {}
    for place, state in enumerate(record.history):
        if state.name == "Processing":
            after = record.history[place + 1] if place + 1 < len(record.history) else None
            number = 0 if before is None else before + len(found) + 1
            found[state.id] = Attempt(number, state, after.created_at if after else None, after.name if after else "")
    by_number = {attempt.number: attempt for attempt in found.values() if attempt.number}
    last, strays = max(by_number, default=0) if is_newest else 0, list[dict[str, Any]]()
    for line in log_lines(log):
        mine = by_number.get(min(line["attempt"], last or line["attempt"]))
        (mine.log if mine is not None else strays).append(line)
    return found, strays


def log_lines(log: tuple[LogChunk, ...] | list[LogChunk]) -> list[dict[str, Any]]:
    """The lines of a job's log: attempt, moment, level, message."""
    lines = []
    for chunk in log:
        for raw in chunk.lines.splitlines():
            lines.append(_log_line(chunk, raw))
    return lines


def plain(text: str | None) -> str:
    """A parameter's value without JSON's quotes."""
    value = _loaded(text) if text else ""
    return value if isinstance(value, str) else str(value)


def error_of(data: Mapping[str, str]) -> tuple[str, str]:
    """Type and message of a failure, also of a deleted job that remembers one; no message for who may not see it."""
    if "ExceptionType" in data:
        return data["ExceptionType"], redaction.message(data.get("ExceptionMessage", ""))
    found = _loaded(data.get("Exception", "")) if data.get("Exception") else None
    if isinstance(found, dict):
        return str(found.get("e") or ""), redaction.message(str(found.get("m") or ""))
    return "", ""


def result(text: str | None) -> str:
    """A stored result for people, masked and with line breaks."""
    if text is None:
        return ""
    return _dumped(text)


def server_name(server_id: str | None) -> str:
    """A server's id without its guid."""
    return (server_id or "").rpartition(":")[0] or (server_id or "")


def retry(reason: str | None) -> tuple[str, str] | None:
    """`Retry attempt 2 of 10: message` as (2/10, message)."""
    found = re.match(r"Retry attempt (\d+) of (\d+):? ?(.*)", reason or "", re.DOTALL)
    return (f"{found[1]}/{found[2]}", found[3]) if found else None


def actor(reason: str | None) -> str:
    """What stands behind the machine's words in a reason: never longer than it."""
    return redaction.text(reason)


def _log_line(chunk: LogChunk, raw: str) -> dict[str, Any]:
    value = _loaded(raw)
    if not isinstance(value, dict):
        value = {"message": raw}
    at = formats.parsed(value.get("at")) or chunk.at
    fields = value.get("fields")
    extra = "".join(
        f" {k}={redaction.MASK if redaction.is_secret(k) else v}" for k, v in (fields or {}).items()
    ) if isinstance(fields, dict) else ""  # fmt: skip
    level = str(value.get("level", "INFO")).lower()
    message = redaction.text(str(value.get("message", ""))) + extra
    return {"attempt": chunk.attempt, "at": at, "level": level if level.isalpha() else "info", "message": message}


def _names(known: JobDefinition | None, count: int) -> list[str | None]:
    names: list[str | None] = [] if known is None else [p.name for p in known.signature.parameters]
    return (names + [None] * count)[:count]


def _masked(name: str | None, text: str) -> tuple[str, bool]:
    if name is not None and redaction.is_secret(name):
        return f'"{redaction.MASK}"', True
    return _dumped(text), False


def _dumped(text: str) -> str:
    """JSON text with secrets masked; unchanged when there were none, so that big numbers stay as they are."""
    value = _loaded(text)
    safe = redaction.values(value)
    return text if safe == value else json.dumps(safe, ensure_ascii=False)


def _inline(name: str | None, text: str) -> str:
    """An argument in a call, masked and cut; a number as it was written."""
    value = redaction.MASK if name is not None and redaction.is_secret(name) else redaction.values(_loaded(text))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        shown = text
    else:
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else repr(value)
    if len(shown) > _LONGEST_ARGUMENT:
        shown = shown[:_LONGEST_ARGUMENT] + "…"
    return f"{name}={shown}" if name else shown


def _items_so_far(text: str) -> tuple[list[str | None], bool]:
    """The items of a JSON array of texts whose end may have been cut off."""
    try:
        whole = json.loads(text) if text else []
        return [None if v is None else str(v) for v in whole] if isinstance(whole, list) else [], False
    except (ValueError, RecursionError):
        pass
    items: list[str | None] = []
    for found in re.finditer(r'"((?:[^"\\]|\\.)*)("|$)|(null)', text):
        if found[3]:
            items.append(None)
            continue
        try:
            items.append(json.loads(f'"{found[1]}"'))
        except ValueError:
            items.append(found[1])
    return items, True


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text else text
    except (ValueError, RecursionError, TypeError):
        return text

"""An `appsettings.json` of a .NET Hangfire or TARGCC application, read as settings of taskmanager."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from taskmanager.domain.errors import ConfigurationError

#: Comments and trailing commas, which .NET's reader takes and JSON does not know; texts are passed by.
_EXTRAS = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_QUEUE = re.compile(r"[a-z0-9_-]{1,50}")
_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class Taken:
    """One key: the setting it becomes and its value, or why it becomes none. note: what to know about it."""

    key: str
    setting: str | None = None
    value: Any = None
    note: str = ""


def read(text: str) -> list[Taken]:
    """What the keys of an appsettings.json become. Raises ConfigurationError when it is no JSON object."""
    try:
        found = json.loads(_EXTRAS.sub(lambda match: match[1] or "", text.lstrip("\ufeff")))
    except ValueError as error:
        raise ConfigurationError(f"this is not the JSON of an appsettings file: {error}") from None
    if not isinstance(found, dict):
        raise ConfigurationError("this is not the JSON of an appsettings file: it is no object")
    values = {key.lower(): (key, value) for key, value in _flat(found, "")}
    taken = [_taken(*values[name], rule) for name, rule in _RULES.items() if name in values]
    return _without_doubles(taken)


def as_toml(taken: list[Taken]) -> str:
    """The settings as the text of a taskmanager.toml."""
    lines = ["# From an appsettings.json."]
    lines += [f"{one.setting} = {json.dumps(one.value, ensure_ascii=False)}" for one in taken if one.setting]
    return "\n".join(lines) + "\n"


def database_url(connection: str) -> str:
    """A .NET connection string of MySQL or MariaDB as a URL. Raises ValueError with what is missing."""
    parts = dict(_pairs(connection))
    names = {
        "host": ("server", "host", "data source", "datasource", "address"), "port": ("port",),
        "database": ("database", "initial catalog"), "user": ("uid", "user id", "username", "user", "user name"),
        "password": ("pwd", "password"), "tls": ("sslmode", "ssl mode"),
    }  # fmt: skip
    given = {name: next((parts[k] for k in keys if k in parts), "") for name, keys in names.items()}
    if "trusted_connection" in parts or "integrated security" in parts or "\\" in given["host"]:
        raise ValueError("it names a SQL Server: move the tables to MySQL or MariaDB first")
    if not given["host"] or not given["database"]:
        raise ValueError("it names no server or no database")
    host, _, port = given["host"].removeprefix("tcp:").replace(",", ":").partition(":")
    who = quote(given["user"], safe="")
    who += f":{quote(given['password'], safe='')}" if given["password"] else ""
    where = f"{host}:{given['port'] or port or 3306}/{quote(given['database'], safe='')}"
    mode = _TLS.get(given["tls"].lower(), "")
    return f"mysql://{who}{'@' if who else ''}{where}{f'?ssl_mode={mode}' if mode else ''}"


_TLS = {
    "none": "DISABLED", "disabled": "DISABLED", "required": "REQUIRED", "verifyca": "VERIFY_CA",
    "verifyfull": "VERIFY_IDENTITY",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rule:
    setting: str | None
    convert: Callable[[Any], Any] = lambda value: value
    note: str = ""


def _number(value: Any, *, least: int = 0) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ValueError(f"{text!r} is no whole number from {least}")
    return int(text)


def _workers(value: Any) -> int:
    return _number(value, least=1)


def _switch(value: Any) -> bool:
    if str(value).lower() not in ("true", "false"):
        raise ValueError("it is neither true nor false")
    return str(value).lower() == "true"


def _queues(value: Any) -> list[str]:
    names = value.split(",") if isinstance(value, str) else list(value)
    found = [str(name).strip().lower() for name in names]
    if not found:
        raise ValueError("it names no queue")
    for name in found:
        if _QUEUE.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name of a queue: 1 to 50 of the characters a-z, 0-9, _ and -")
    return found


def _poll(value: Any) -> float:
    match = _SPAN.fullmatch(str(value))
    if match is None:
        raise ValueError("it is no time such as 00:00:15")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total == 0:
        raise ValueError("0 means at once: the doorbell does that")
    return total


#: By the key's path in small letters; of two keys for one setting the first counts.
_RULES: Mapping[str, _Rule] = {
    "connectionstrings:hangfireconnection": _Rule("database_url", database_url),
    "connectionstrings:defaultconnection": _Rule("database_url", database_url),
    "hangfire:servername": _Rule("server_name", str),
    "hangfire:workercount": _Rule("threads", _workers),
    "jobscheduling:workercount": _Rule("threads", _workers),
    "hangfire:queues": _Rule("queues", _queues),
    "hangfire:storage:queuepollinterval": _Rule("poll_interval_seconds", _poll),
    "hangfire:storage:commandbatchmaxtimeout": _Rule(None, note="not needed: batches are bounded by themselves"),
    "hangfire:storage:slidinginvisibilitytimeout": _Rule(None, note="not needed: a heartbeat keeps all claims"),
    "hangfire:dashboard:enabled": _Rule(None, note="start `taskmanager web`, or leave it"),
    "hangfire:dashboard:path": _Rule(None, note="it is /hangfire"),
    "hangfire:dashboard:requireauthentication": _Rule(None, note="the dashboard is closed: set web_users"),
    "targccjobs:autodiscovery": _Rule(None, note="name the packages with jobs in `discover`"),
    "targccjobs:logtodatabase": _Rule("log_to_database", _switch),
    "targccjobs:alertsenabled": _Rule("alerts_enabled", _switch),
    "targccjobs:defaultretryattempts": _Rule("default_retries", _number),
    "targccjobs:defaultqueue": _Rule(None, note="say `queue=` at the job"),
    "jobscheduling:enabled": _Rule("scheduler", _switch),
}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}:{key}" if path else key)
    else:
        yield path, value


def _taken(key: str, value: Any, rule: _Rule) -> Taken:
    if rule.setting is None:
        return Taken(key, note=rule.note)
    try:
        return Taken(key, rule.setting, rule.convert(value), rule.note)
    except (ValueError, TypeError) as error:
        return Taken(key, note=f"not taken: {error}")


def _without_doubles(taken: list[Taken]) -> list[Taken]:
    first: dict[str, str] = {}
    kept = []
    for one in taken:
        if one.setting and one.setting in first:
            kept.append(Taken(one.key, note=f"not taken: {first[one.setting]} says it already"))
            continue
        if one.setting:
            first[one.setting] = one.key
        kept.append(one)
    return kept


def _pairs(connection: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\s*([^=;]+?)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^;]*))\s*(?:;|$)", connection):
        yield match[1].lower(), next(part for part in match.groups()[1:] if part is not None).strip()

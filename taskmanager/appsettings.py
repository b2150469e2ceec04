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
    others = [key for name, (key, _) in values.items() if name not in _RULES and name.startswith(_SECTIONS)]
    return _without_doubles(taken) + [Taken(key, note="not taken: nothing here goes by it") for key in others]


def as_toml(taken: list[Taken]) -> str:
    """The settings as the text of a taskmanager.toml."""
    lines = ["# From an appsettings.json."]
    lines += [f"{one.setting} = {json.dumps(one.value, ensure_ascii=False)}" for one in taken if one.setting]
    return "\n".join(lines) + "\n"


def database_url(connection: str) -> str:
    """A .NET connection string of MySQL, MariaDB or PostgreSQL as a URL. Raises ValueError with what is missing.

    PostgreSQL's is known by its port, by a word that Npgsql alone knows, or by `Host` where others say `Server`.
    """
    parts = dict(_pairs(connection))
    names = {
        "host": ("server", "host", "data source", "datasource", "address"), "port": ("port",),
        "database": ("database", "initial catalog"), "user": ("uid", "user id", "username", "user", "user name"),
        "password": ("pwd", "password"), "tls": ("sslmode", "ssl mode"),
    }  # fmt: skip
    given = {name: next((parts[k] for k in keys if k in parts), "") for name, keys in names.items()}
    if not _OF_SQL_SERVER.isdisjoint(parts) or _SQL_SERVER.search(given["host"]) or given["port"] == "1433":
        raise ValueError("it names a SQL Server: move the tables to MySQL, MariaDB or PostgreSQL first")
    if not given["host"] or not given["database"]:
        raise ValueError("it names no server or no database")
    is_postgresql = given["port"] == "5432" or not _OF_NPGSQL.isdisjoint(parts)
    is_postgresql = is_postgresql or ("host" in parts and not given["port"])
    nodes = [
        _node(one.strip(), given["port"] or ("5432" if is_postgresql else "3306")) for one in given["host"].split(",")
    ]
    who = quote(given["user"], safe="")
    who += f":{quote(given['password'], safe='')}" if given["password"] else ""
    where = f"{','.join(nodes)}/{quote(given['database'], safe='')}"
    kind, known, option = ("postgresql", _TLS_OF_NPGSQL, "sslmode") if is_postgresql else ("mysql", _TLS, "ssl_mode")
    mode = known.get(given["tls"].lower(), "")
    return f"{kind}://{who}{'@' if who else ''}{where}{f'?{option}={mode}' if mode else ''}"


def _node(host: str, port: str) -> str:
    """One host with its port, as a URL has it."""
    if host.count(":") > 1:  # an address of IPv6
        return f"{host if host.startswith('[') else f'[{host}]'}:{port}"
    name, _, own = host.partition(":")
    return f"{name}:{own or port}"


#: Words of a connection string, in small letters, that one product's driver knows alone.
_OF_SQL_SERVER = frozenset({
    "trusted_connection", "integrated security", "trustservercertificate", "trust server certificate",
    "multipleactiveresultsets", "multiple active result sets", "attachdbfilename", "applicationintent",
    "application intent",
})  # fmt: skip
_OF_NPGSQL = frozenset({
    "search path", "searchpath", "include error detail", "includeerrordetail", "no reset on close",
    "target session attributes",
})  # fmt: skip
#: A named instance, a protocol before the host, or a port behind a comma.
_SQL_SERVER = re.compile(r"\\|^tcp:|^\(localdb\)|,\s*\d+$", re.IGNORECASE)


_TLS = {
    "none": "DISABLED", "disabled": "DISABLED", "required": "REQUIRED", "verifyca": "VERIFY_CA",
    "verifyfull": "VERIFY_IDENTITY",
}  # fmt: skip
_TLS_OF_NPGSQL = {
    "disable": "disable", "allow": "allow", "prefer": "prefer", "require": "require", "verifyca": "verify-ca",
    "verifyfull": "verify-full",
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


#: Sections of which each key is told, also one that is not known.
_SECTIONS = ("hangfire:", "targccjobs:", "jobscheduling:")
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

"""Reads one setting's value, from text or from TOML. A ValueError says what the value must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

from taskmanager.domain import alerts
from taskmanager.domain.cron import resolve_zone
from taskmanager.domain.errors import InvalidCron

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
#: The first two letters are the family; those of one family take the same kind of key.
_ALGORITHMS = (
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def switch(value: Any) -> bool:
    """True or false, in the words people use."""
    found = _SWITCHES.get(str(value).strip().lower())
    if found is None:
        raise ValueError("true or false")
    return found


def seconds(value: Any) -> float:
    """A duration in seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*", str(value))
    if isinstance(value, bool) or match is None:
        raise ValueError("a number of seconds, or text like 30s, 5m, 250ms")
    return float(match[1]) * _UNITS[match[2] or "s"]


def pause(value: Any) -> float:
    """A duration that is not 0."""
    found = seconds(value)
    if found == 0:
        raise ValueError("more than 0 seconds, such as 250ms or 5s")
    return found


def size(value: Any) -> int:
    """A number of bytes."""
    match = re.fullmatch(r"\s*(\d+)\s*(B|KB|MB|GB)?\s*", str(value), re.IGNORECASE)
    if isinstance(value, bool) or match is None:
        raise ValueError("a number of bytes, or text like 64KB, 80MB")
    return int(match[1]) * _SIZES[(match[2] or "").upper()]


def text(value: Any) -> str:
    """A text as it is."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def address(value: Any) -> str:
    """A page of the web: a whole address, or a path of this host. Nothing that a browser would run."""
    found = text(value).strip()
    if found and not found.startswith(("http://", "https://")) and (found[:1] != "/" or found[:2] in ("//", "/\\")):
        raise ValueError("an address such as https://example.org/ or /shop")
    return found


def menu(value: Any) -> dict[str, str]:
    """Titles with addresses, at most ten of at most 40 characters."""
    wanted = (
        "titles with addresses, as Wiki:https://wiki.example.org/,Shop:/shop or a table; ten at most, of 40 characters"
    )
    try:
        found = users(value)
        checked = {name.strip(): address(one) for name, one in found.items()}
    except ValueError:
        raise ValueError(wanted) from None
    if len(checked) > 10 or not all(0 < len(name) <= 40 and name.isprintable() for name in checked):
        raise ValueError(wanted)
    return checked


def texts(value: Any) -> tuple[str, ...]:
    """Several texts, in their order."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
        raise ValueError("a list of texts, or text with commas")
    return tuple(p.strip() for p in parts if p.strip())


def callables(value: Any) -> tuple[str, ...]:
    """Paths of functions."""
    paths = texts(value)
    if not all(re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", path) for path in paths):
        raise ValueError("functions such as package.module:function")
    return paths


def queues(value: Any) -> tuple[str, ...]:
    """Names of queues, at least one."""
    names = some_queues(value)
    if not names:
        raise ValueError("queue names of a-z, 0-9, _ and -, at most 50 characters each")
    return names


def some_queues(value: Any) -> tuple[str, ...]:
    """Names of queues, or none."""
    names = texts(value)
    if not all(re.fullmatch(r"[a-z0-9_-]{1,50}", n) for n in names):
        raise ValueError("queue names of a-z, 0-9, _ and -, at most 50 characters each")
    return names


def addresses(value: Any) -> tuple[str, ...]:
    """Mail addresses."""
    found = texts(value)
    if not all(alerts.is_address(address) for address in found):
        raise ValueError("mail addresses: a list, or text with commas")
    return found


def prefix(value: Any) -> str:
    """What is put before tables' names."""
    if not re.fullmatch(r"[A-Za-z0-9_]{0,20}", str(value)):
        raise ValueError("at most 20 of the characters A-Z, a-z, 0-9 and _")
    return str(value)


def users(value: Any) -> dict[str, str]:
    """Names with password hashes."""
    if isinstance(value, str):
        parts = [part.partition(":") for part in texts(value)]
        value = {name.strip(): password_hash.strip() for name, _, password_hash in parts}
    if not isinstance(value, dict) or not all(n and h and isinstance(h, str) for n, h in value.items()):
        raise ValueError("names with password hashes, as name:hash,name2:hash2 or a table")
    return dict(value)


def tokens(value: Any) -> dict[str, str]:
    """Names with a role and the hash of the token."""
    try:
        found = users(value)
    except ValueError:
        found = {"": ""}
    if not all(re.fullmatch(r"(view|manage):sha256:[0-9a-f]{64}", one) for one in found.values()):
        raise ValueError(
            "names with role:sha256:hash, as name:role:sha256:hash,name2:… or a table; "
            "`taskmanager web token add NAME` makes them"
        )
    return found


def algorithms(value: Any) -> tuple[str, ...]:
    """Algorithms that take one and the same key."""
    names = texts(value)
    families = {name[:2] for name in names}
    if len(families) != 1 or not set(names) <= set(_ALGORITHMS):
        raise ValueError(f"algorithms of one family: {', '.join(_ALGORITHMS)}")
    return names


def zone(value: Any) -> str:
    """The name of a time zone."""
    try:
        resolve_zone(text(value))
    except InvalidCron:
        raise ValueError("an IANA name such as Europe/Prague") from None
    return str(value)


def sender(value: Any) -> str:
    """One mail address, with or without a name."""
    address = parseaddr(text(value))[1]
    if not alerts.is_address(address) or len(value.splitlines()) != 1:
        raise ValueError("a mail address, or a name with one: Jobs <jobs@example.com>")
    return str(value)


def roles(value: Any) -> dict[str, str]:
    """Names with view or manage."""
    if isinstance(value, str):
        parts = [part.rpartition(":") for part in texts(value)]
        value = {name.strip(): role.strip() for name, _, role in parts}
    if not isinstance(value, dict) or not all(n and r in ("view", "manage") for n, r in value.items()):
        raise ValueError("names with view or manage, as name:view,name2:manage or a table")
    return dict(value)


def number(low: int, high: int) -> Callable[[Any], int]:
    """A whole number from `low` to `high`."""

    def read(value: Any) -> int:
        match = re.fullmatch(r"\s*(\d{1,20})\s*", str(value))
        if isinstance(value, bool) or match is None or not low <= int(match[1]) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(match[1])

    return read


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of these words, however it is capitalised."""

    def read(value: Any) -> str:
        found = [choice for choice in choices if choice.lower() == str(value).strip().lower()]
        if not found:
            raise ValueError("one of " + ", ".join(choices))
        return found[0]

    return read


def optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same, or nothing."""
    return lambda value: None if value is None or value == "" else read(value)

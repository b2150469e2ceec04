"""What a filter may go on with: keys, then values of the key, each as the whole text that it would be then."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from taskmanager.domain.states import ALL_NAMES
from taskmanager.storage import job_tags, monitoring_directory
from taskmanager.storage.transaction import Tx
from webui import access, filtering, jobviews
from webui.blueprint import manager, read

#: So many suggestions, and seconds for which names of the database are kept.
MOST, _KEPT_SECONDS = 20, 60.0
#: What has been typed last, from the last space on that stands in no quotes.
_LAST = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*"?)*$')
_KEY = re.compile(r'(-?)(?:([A-Za-z][\w.]*):)?((?:(?:[^",]|"(?:[^"\\]|\\.)*")+,)*)"?([^",]*)$')


@dataclass(frozen=True, slots=True)
class Names:
    """What the database knows by name."""

    queues: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    recurring: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Known:
    """The names, read at most once a minute, by whoever asks first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names, self._until = Names(), 0.0

    def get(self) -> Names:
        """The names."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._names, self._until = read(_names), time.monotonic() + _KEPT_SECONDS
            return self._names


def _names(tx: Tx) -> Names:
    found = monitoring_directory.look(tx)
    rows = [one.id for one in manager().recurring_jobs.row_glances(tx, texts=True)]
    servers, recurring = [one.id for one in found.servers], [one.id for one in found.recurring]
    return Names(found.queues, tuple(servers), tuple([*recurring, *rows]), tuple(job_tags.values(tx)))


def suggestions(text: str, known: Callable[[], Names]) -> list[str]:
    """At most `MOST` texts that go on with `text`. known: what the database knows, asked for where it is needed."""
    last = _LAST.search(text)
    typed = last[0] if last else ""
    found = _KEY.fullmatch(typed)
    if found is None:
        return []
    before, (_minus, key, done, part) = text[: len(text) - len(typed)] + found[1], found.groups()
    if key is None:
        return [f"{before}{one}:" for one in _matching(_keys(), part, begin=True)] if not done else []
    values = _values(key.lower(), known)
    return [f"{before}{key}:{done}{filtering.quoted(one)}" for one in _matching(values, part)]


def _keys() -> list[str]:
    keys = [one for one in filtering.KEYS if one != "arg.NAME"]
    if not access.may("args.view"):
        return [one for one in keys if one not in ("arg", "error")]
    takes = {p.name for one in jobviews.definitions().values() for p in one.signature.parameters if not p.injected}
    declared = filtering.declared()
    return keys + [f"arg.{one}" for one in sorted(takes, key=lambda one: (one.lower() not in declared, one))]


def _values(key: str, known: Callable[[], Names]) -> Iterable[str]:
    if key == "state":
        return [one.lower() for one in ALL_NAMES]
    if key == "type":
        kinds = (one for one in jobviews.definitions().values() if not one.is_internal)
        return sorted({one.name.rpartition(":")[2] for one in kinds})
    names = {"queue": "queues", "server": "servers", "recurring": "recurring", "tag": "tags"}
    return getattr(known(), names[key]) if key in names else ()


def _matching(values: Iterable[str], part: str, *, begin: bool = False) -> list[str]:
    """Those that begin with what was typed, then those that have it in them; none that is it."""
    part = part.lower()
    listed = list(values)
    first = [one for one in listed if one.lower().startswith(part) and one.lower() != part]
    rest = [] if begin else [one for one in listed if part in one.lower() and not one.lower().startswith(part)]
    return [*first, *rest][:MOST]

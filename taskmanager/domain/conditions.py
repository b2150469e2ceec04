"""Conditions of an installation that somebody is told of when they come true, and when they are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskmanager.domain.alerts import AlertRule, Event

#: Before the name of a condition where names of jobs stand, too.
PREFIX = "condition: "


class Kind(StrEnum):
    """What may be wrong with an installation."""

    LATENCY = "latency"
    NO_SERVER = "no_server"
    UNSERVED = "unserved"
    FAILURE_RATE = "failure_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A rule about the installation. id: of the rule; title: its name for people, which no other has.

    queue: of latency and unserved, None is any that is not paused. seconds: how long a job may wait, or how long
    there may be no server. percent, runs, minutes: of a failure rate: more than so many of at least so many runs
    within so long.
    """

    id: str
    title: str
    kind: Kind
    queue: str | None = None
    seconds: float = 60.0
    percent: float = 20.0
    runs: int = 10
    minutes: int = 15
    rule: AlertRule = field(default_factory=AlertRule)

    @property
    def name(self) -> str:
        """Under which its messages are counted, and its alert is active."""
        return PREFIX + self.title


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of an installation. waits: seconds that the head of each queue has waited, of paused ones, too.

    served: queues that living servers take jobs from. ended: runs that succeeded and failed, since any moment.
    """

    at: float
    waits: Mapping[str, float]
    paused: frozenset[str]
    served: frozenset[str]
    is_alive: bool
    ended: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a condition. bad_since: unix seconds; counted: runs by day as they were at the last look;
    samples: (unix second, succeeded, failed) that have been counted until then."""

    is_red: bool = False
    bad_since: float | None = None
    counted: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    samples: tuple[tuple[float, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look comes to: how the condition stands now, whether that is another colour, and why in words."""

    standing: Standing
    is_change: bool
    words: str


#: A window is told by so many samples, at most.
_SAMPLES = 60


def judge(one: Condition, before: Standing, look: Look) -> Verdict:
    """What a condition comes to at this look."""
    if one.kind is Kind.FAILURE_RATE:
        return _rate(one, before, look)
    words = {Kind.LATENCY: _latency, Kind.NO_SERVER: _no_server, Kind.UNSERVED: _unserved}[one.kind](one, look)
    since = (before.bad_since if before.bad_since is not None else look.at) if words else None
    lasts = since is not None and (one.kind is Kind.LATENCY or look.at - since >= one.seconds)
    after = Standing(is_red=lasts or (before.is_red and bool(words)), bad_since=since)
    return Verdict(after, after.is_red != before.is_red, words)


def _latency(one: Condition, look: Look) -> str:
    waits = {q: s for q, s in look.waits.items() if (q not in look.paused if one.queue is None else q == one.queue)}
    slow = sorted((seconds, queue) for queue, seconds in waits.items() if seconds > one.seconds)[::-1]
    return "; ".join(f"queue {queue}: a job has waited {seconds:.0f} s" for seconds, queue in slow[:5])


def _no_server(one: Condition, look: Look) -> str:
    return "" if look.is_alive else "no server gives signs of life: no job runs"


def _unserved(one: Condition, look: Look) -> str:
    waits = sorted(q for q in look.waits if (q not in look.paused if one.queue is None else q == one.queue))
    alone = [queue for queue in waits if queue not in look.served]
    return f"jobs wait that no server takes, of queue {', '.join(alone[:10])}" if alone else ""


def _rate(one: Condition, before: Standing, look: Look) -> Verdict:
    """Too few runs within the window say nothing: then it stays as it is."""
    window = one.minutes * 60
    known = [s for s in before.samples if look.at - 2 * window <= s[0] < look.at]
    total = (known[-1][1], known[-1][2]) if known else (0, 0)
    for day, (good, bad) in look.ended.items() if known else ():
        was = before.counted.get(day, (0, 0))
        total = (total[0] + max(0, good - was[0]), total[1] + max(0, bad - was[1]))
    base = next((s for s in reversed(known) if s[0] <= look.at - window), known[0] if known else (look.at, *total))
    good, bad = total[0] - base[1], total[1] - base[2]
    kept = [s for s in known if s[0] >= base[0]]
    if len(kept) > 1 and kept[-1][0] - kept[-2][0] < window / _SAMPLES:
        kept.pop()
    kept.append((look.at, *total))
    enough = good + bad >= one.runs
    is_red = 100 * bad > one.percent * (good + bad) if enough else before.is_red
    words = f"{bad} of {good + bad} runs failed within {one.minutes} min" if is_red else ""
    after = Standing(is_red=is_red, counted=dict(look.ended), samples=tuple(kept))
    return Verdict(after, is_red != before.is_red, words)


def told(one: Condition) -> AlertRule:
    """The rule of a condition, as rules of jobs are: it tells of both changes."""
    rule = one.rule
    on = frozenset({Event.ALARM, Event.RECOVERY})
    return AlertRule(on=on, to=rule.to, slack=rule.slack, teams=rule.teams, max_per_hour=rule.max_per_hour)


def in_words(one: Condition) -> str:
    """What a condition is about."""
    where = f"queue {one.queue}" if one.queue else "any queue"
    return {
        Kind.LATENCY: f"the next job of {where} has waited longer than {one.seconds:g} s",
        Kind.NO_SERVER: f"no server has been alive for {one.seconds:g} s",
        Kind.UNSERVED: f"jobs of {where} have had no server for {one.seconds:g} s",
        Kind.FAILURE_RATE: f"more than {one.percent:g} % of at least {one.runs} runs within {one.minutes} min failed",
    }[one.kind]


def facts(one: Condition, event: Event, at: str, words: str) -> dict[str, Any]:
    """What a message of it says."""
    return {
        "event": str(event),
        "job": one.title,
        "condition": one.id,
        "rule": in_words(one),
        "at": at,
        "message": words,
    }

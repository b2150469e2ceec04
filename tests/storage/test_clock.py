"""The database's clock as a process keeps it: a slow answer does not put it wrong, and a jump is followed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from taskmanager.storage import clock
from taskmanager.storage.clock import Clock

#: What the server's clock shows when the monotonic clock shows 0.
ZERO = datetime(2026, 7, 1, 12)


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


class Host:
    """This host's monotonic clock."""

    def __init__(self) -> None:
        self.shows = 100.0

    def monotonic(self) -> float:
        return self.shows


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(clock, "time", made)
    return made


def ask(known: Clock, host: Host, *, there: float, back: float, jumped: float = 0.0) -> None:
    """The way to the server and back takes so many seconds."""
    asked = host.shows
    host.shows += there + back
    known.set(at(asked + there + jumped), asked=asked)


def wrong_by(known: Clock, host: Host) -> float:
    return (known.now() - at(host.shows)).total_seconds()


@pytest.mark.parametrize("there", [0.0, 1.0, 2.0])
def test_the_first_reading_may_be_behind_but_not_ahead_and_better_ones_mend_it(host: Host, there: float) -> None:
    known = Clock()
    ask(known, host, there=there, back=2.0 - there)
    assert wrong_by(known, host) == pytest.approx(there - 2.0)
    ask(known, host, there=0.5, back=0.5)
    assert -0.5 <= round(wrong_by(known, host), 6) <= 0
    ask(known, host, there=0.001, back=0.001)
    assert -0.002 < wrong_by(known, host) <= 1e-6


@pytest.mark.parametrize(("there", "back"), [(0.0, 3.0), (3.0, 0.0), (1.0, 2.0)])
def test_a_slow_answer_leaves_a_clock_that_was_right(host: Host, there: float, back: float) -> None:
    known = Clock()
    ask(known, host, there=0.001, back=0.001)
    for _ in range(5):
        ask(known, host, there=there, back=back)
        assert abs(wrong_by(known, host)) < 0.002


@pytest.mark.parametrize("jump", [300.0, -300.0])
def test_a_clock_that_was_put_forward_or_back_is_followed_at_once(host: Host, jump: float) -> None:
    known = Clock()
    ask(known, host, there=0.001, back=0.001)
    ask(known, host, there=0.2, back=0.2, jumped=jump)
    assert abs(wrong_by(known, host) - jump) <= 0.4
    ask(known, host, there=0.001, back=0.001, jumped=jump)
    assert abs(wrong_by(known, host) - jump) < 0.002
    assert not known.stale

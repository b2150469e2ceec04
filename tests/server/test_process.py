"""Loops around a tick: when the first one comes."""

from __future__ import annotations

import threading
import time

from taskmanager.server.process import Loop, Process


class Ticker(Process):
    """Tells when it ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.ticked, self.ticks = threading.Event(), 0

    def tick(self) -> float:
        self.ticks += 1
        self.ticked.set()
        return 60.0


def test_the_first_tick_comes_at_once_or_after_its_time() -> None:
    soon, late = Ticker(), Ticker()
    began = time.monotonic()
    loops = [Loop(soon), Loop(late, after=0.3)]
    for loop in loops:
        loop.start()
    assert soon.ticked.wait(5)
    assert not late.ticked.is_set()
    assert late.ticked.wait(5)
    assert time.monotonic() - began >= 0.3
    _end(*loops)


def test_an_alarm_or_the_end_comes_before_that_time() -> None:
    rung, stopped = Ticker(), Ticker()
    loops = [Loop(rung, after=60.0), Loop(stopped, after=60.0)]
    for loop in loops:
        loop.start()
    rung.alarm.set()
    assert rung.ticked.wait(5)
    time.sleep(0.1)
    assert rung.ticks == 1, "one alarm is one tick"
    _end(*loops)
    assert not stopped.ticked.is_set()


def _end(*loops: Loop) -> None:
    for loop in loops:
        loop.stop()
    for loop in loops:
        loop.join(5)
        assert not loop.is_alive()

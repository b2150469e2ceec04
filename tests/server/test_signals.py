"""A signal is answered to whatever the main thread is doing when it comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

#: The main thread holds the lock of the event that the signal is to set, as it does for a moment in each wait.
_IN_THE_MIDDLE_OF_A_WAIT = """
import signal
from taskmanager.server.supervisor import StopSignal
signals = StopSignal().install()
with signals.stop._cond:
    signal.raise_signal(signal.SIGTERM)
assert signals.stop.wait(20)
assert not signals.hurry.is_set()
with signals.stop._cond, signals.hurry._cond:
    signal.raise_signal(signal.SIGTERM)
assert signals.hurry.wait(20)
print("answered")
"""

_AT_ANY_MOMENT = """
import sys
from taskmanager.server.supervisor import StopSignal
signals = StopSignal().install()
print("ready", flush=True)
while not signals.stop.wait(0.00001):
    pass
print("answered")
"""


def test_a_signal_in_the_middle_of_a_wait_is_answered() -> None:
    run = subprocess.run([sys.executable, "-c", _IN_THE_MIDDLE_OF_A_WAIT], capture_output=True, text=True, timeout=60)
    assert run.stdout == "answered\n", run.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there a process is not sent a SIGTERM but ended")
def test_a_signal_at_any_moment_is_answered() -> None:
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", _AT_ANY_MOMENT], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            assert process.stdout.read() == "answered\n"

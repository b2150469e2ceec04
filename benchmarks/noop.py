"""Jobs that do nothing, or wait: for nothing but the time they take."""

import time

from taskmanager import job


@job
def noop() -> None:
    """Nothing."""


@job
def moment() -> float:
    """When it ran: seconds of the system's clock that all processes share."""
    return time.monotonic()


@job
def wait(seconds: float) -> None:
    """As long as a call to another machine takes."""
    time.sleep(seconds)

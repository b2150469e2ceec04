"""Jobs that do nothing, or wait: for nothing but the time they take."""

import time

from taskmanager import job


@job
def noop() -> None:
    """Nothing."""


@job
def wait(seconds: float) -> None:
    """As long as a call to another machine takes."""
    time.sleep(seconds)

"""A job that does nothing."""

from taskmanager import job


@job
def noop() -> None:
    """Nothing."""

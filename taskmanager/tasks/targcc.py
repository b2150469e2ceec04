"""The job behind a row of the older c_Job whose code nobody knows: it fails, saying so."""

from __future__ import annotations

from taskmanager.domain.errors import UnknownJob


def refuse(code: str, reason: str) -> None:
    """Fail as a run of this code, so that it is told and alerted like any other failure."""
    raise UnknownJob(reason)

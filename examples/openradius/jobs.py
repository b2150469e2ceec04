"""Jobs that every workspace has. They are told which workspace they run in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from taskmanager import Inject, JobContext, job


@dataclass(frozen=True)
class Workspace:
    """Whose job it is."""

    id: str


@job(display_name="Data cleanup")
def clean_up_data(ctx: JobContext, workspace: Annotated[Workspace, Inject], older_than_days: int = 90) -> str:
    """Removes old data of the workspace."""
    ctx.log.info("workspace %s: removing what is older than %d days", workspace.id, older_than_days)
    return f"workspace {workspace.id} is clean"


@job(display_name="Report")
def generate_report(ctx: JobContext, workspace: Annotated[Workspace, Inject], report_id: int) -> str:
    """Makes a report of the workspace."""
    for part in ctx.track(range(3)):
        ctx.log.info("workspace %s: part %d of report %d", workspace.id, part, report_id)
    return f"report {report_id} of workspace {workspace.id}"


@job(display_name="External sync")
def sync_external(workspace: Annotated[Workspace, Inject]) -> str:
    """Takes over what another system has."""
    return f"workspace {workspace.id} is in sync"

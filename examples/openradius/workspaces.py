"""A TaskManager for each workspace, on its own database, and all its jobs in the queue `workspace_{id}`."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from examples.openradius.jobs import Workspace
from taskmanager import TaskManager
from taskmanager.storage import schema

JOBS = "examples.openradius.jobs"


class WorkspaceJobs:
    """The jobs of one workspace: run now, later, by a schedule; in its own queue of its own database.

    database_url: with `{workspace}` where the id stands. token: of the programs that may use its API.
    """

    def __init__(self, workspace_id: str, database_url: str, token: str) -> None:
        self.workspace = Workspace(workspace_id)
        self.queue = f"workspace_{workspace_id}"
        digest = hashlib.sha256(token.encode()).hexdigest()
        self.tm = TaskManager(
            database_url=database_url.format(workspace=workspace_id), discover=JOBS, queues=self.queue,
            web_title=f"Workspace {workspace_id}", api_tokens={f"workspace-{workspace_id}": f"manage:sha256:{digest}"},
        )  # fmt: skip
        schema.upgrade(self.tm.database.engine, self.tm.settings.prefix)
        self.tm.discover()
        self.tm.provide(Workspace, lambda: self.workspace)

    def enqueue(self, job: Any, *args: Any, **options: Any) -> int:
        """Run a job as soon as possible, or after `delay`; its id. options: of `TaskManager.enqueue_definition`."""
        return self.tm.enqueue_definition(self.tm.definition(job), args, {}, {"queue": self.queue, **options})

    def schedule(self, job: Any, *args: Any, delay: timedelta) -> int:
        """Run a job later; its id."""
        return self.enqueue(job, *args, delay=delay)

    def add_or_update_recurring(self, recurring_id: str, job: Any, *args: Any, cron: str) -> None:
        """Run a job by a schedule."""
        self.tm.recurring(recurring_id, job, args=args, cron=cron, queue=self.queue)

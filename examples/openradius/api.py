"""The application's addresses, and the door to the workspaces: each has the product's pages and API too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, jsonify, request

from examples.openradius.jobs import clean_up_data, generate_report, sync_external
from examples.openradius.workspaces import WorkspaceJobs
from taskmanager import cron
from webui import create_app
from webui.access import needs
from webui.api import idempotency
from webui.api.problems import problem, refuse_field

SYNC = "external-sync"


def workspace_app(jobs: WorkspaceJobs, *, users: Mapping[str, str] | None = None) -> Flask:
    """The pages and the API of one workspace, with the application's own addresses among them."""
    app = create_app(jobs.tm, users=users)

    def write(job: Any, *args: Any, delay: timedelta | None = None) -> int:
        """Write a job; sent again under its Idempotency-Key, it is the same one."""
        key = idempotency.given()
        options = {"key": key.key, "parameters": key.parameters} if key is not None else {}
        return idempotency.once(key, lambda: jobs.enqueue(job, *args, delay=delay, **options))

    @app.post("/api/jobs/cleanup")
    @needs("jobs.enqueue")
    def cleanup() -> Any:
        return jsonify(jobId=write(clean_up_data), message="Data cleanup is enqueued")

    @app.post("/api/jobs/reports/<int:report_id>")
    @needs("jobs.enqueue")
    def report(report_id: int) -> Any:
        for name in request.args.keys() - {"delayMinutes"}:
            refuse_field(name, "is unknown")
        minutes = request.args.get("delayMinutes", "0")
        if not minutes.isdecimal() or int(minutes) > 525_600:
            refuse_field("delayMinutes", "is a whole number of minutes, at most a year")
        if int(minutes) == 0:
            return jsonify(jobId=write(generate_report, report_id), message=f"Report {report_id} is enqueued")
        job_id = write(generate_report, report_id, delay=timedelta(minutes=int(minutes)))
        return jsonify(jobId=job_id, message=f"Report {report_id} is made in {int(minutes)} minutes")

    @app.post("/api/jobs/sync/recurring")
    @needs("recurring.edit")
    def recurring_sync() -> Any:
        jobs.add_or_update_recurring(SYNC, sync_external, cron=cron.hourly())
        return jsonify(jobId=SYNC, message="The sync runs every hour")

    @app.post("/api/jobs/sync/now")
    @needs("jobs.enqueue")
    def sync_now() -> Any:
        return jsonify(jobId=write(sync_external), message="The sync is enqueued")

    return app


class Workspaces:
    """A WSGI application: `/w/{id}/…` is workspace id's, other paths that of the header X-Workspace.

    Each workspace asks for its own credentials: whoever has those of one gets nowhere in another.
    """

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self.apps = dict(apps)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        chosen = environ.get("HTTP_X_WORKSPACE", "")
        if path.startswith("/w/"):
            chosen, _, rest = path[3:].partition("/")
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/w/{chosen}"
            environ["PATH_INFO"] = f"/{rest}"
        app = self.apps.get(chosen)
        if app is None:
            told = "there is no such workspace: name one by /w/{id}/ or X-Workspace"
            return problem(404, "Workspaces.NotFound", told)(environ, start_response)
        found: Iterable[bytes] = app(environ, start_response)
        return found

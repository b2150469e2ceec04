"""`python -m examples.openradius`: two workspaces, their workers, pages and APIs in one process, until Ctrl-C."""

from __future__ import annotations

import os
import secrets

import waitress.server
from werkzeug.security import generate_password_hash

from examples.openradius.api import Workspaces, workspace_app
from examples.openradius.workspaces import WorkspaceJobs

URL = os.environ.get("OPENRADIUS_DATABASE_URL", "sqlite:///openradius_{workspace}.db")
PORT = int(os.environ.get("OPENRADIUS_PORT", "5000"))


def main() -> None:
    """Serve."""
    password, apps, servers = secrets.token_urlsafe(9), {}, []
    users = {"admin": generate_password_hash(password)}
    made = []
    for workspace in ("1", "2"):
        token = f"tm_{secrets.token_urlsafe(32)}"
        jobs = WorkspaceJobs(workspace, URL, token)
        apps[workspace] = workspace_app(jobs, users=users)
        servers.append((jobs, jobs.tm.server()))
        made.append((workspace, token))
    web = waitress.server.create_server(Workspaces(apps), host="127.0.0.1", port=PORT, threads=8)
    base = f"http://localhost:{web.effective_port}"
    for workspace, token in made:
        print(f"workspace {workspace}: {base}/w/{workspace}/hangfire (admin, {password}), token {token}", flush=True)
    for _, server in servers:
        server.start()
    try:
        web.run()
    except KeyboardInterrupt:
        pass
    finally:
        web.close()
        for jobs, server in servers:
            server.stop()
            jobs.tm.close()


if __name__ == "__main__":
    main()

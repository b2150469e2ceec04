"""Everything in one process: python -m examples.diquis [--port N]."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import time

from werkzeug.security import generate_password_hash

from examples.diquis.infrastructure import folder
from examples.diquis.web import Account, application
from taskmanager import TaskManager
from taskmanager.storage import schema
from webui import Page


def main() -> None:
    """Serve the pages and work, until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.diquis", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="8000; 0 takes a free one")
    port = parser.parse_args().port
    tm = TaskManager(
        database_url=os.environ.get("TASKMANAGER_DATABASE_URL") or f"sqlite:///{folder() / 'jobs.db'}",
        discover=["examples.diquis.infrastructure"],
        jwt_key=secrets.token_urlsafe(32),
    )
    schema.upgrade(tm.database.engine, tm.settings.prefix)
    tm.discover()
    passwords = {"eva": secrets.token_urlsafe(6), "root": secrets.token_urlsafe(6)}
    hashes = {name: generate_password_hash(password) for name, password in passwords.items()}
    accounts = {"eva": Account(hashes["eva"], "Admin"), "root": Account(hashes["root"], "SuperAdmin")}
    server, page = tm.server(), Page(application(tm, accounts), "127.0.0.1", port)
    server.start()
    home = page.url.removesuffix("/hangfire")
    print(f"Diquis is at {home}/ and the dashboard at {page.url}")
    print(f"sign in as eva with {passwords['eva']}, as root (dashboard too) with {passwords['root']}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
    page.close()
    server.stop()
    tm.close()


if __name__ == "__main__":
    main()

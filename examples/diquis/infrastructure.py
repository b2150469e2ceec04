"""How it is done: SQLite files for Diquis and its tenants, mails into a folder, jobs by taskmanager."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from examples.diquis.application import Databases, Mailer, Notifier, ProvisionTenant, Tenants
from examples.diquis.domain import ProvisioningStatus, Tenant
from taskmanager import JobContext, TaskManager, job, provide

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tenants (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, email TEXT NOT NULL, status INTEGER NOT NULL
)
"""
_TENANT_SCHEMA = """
CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE players (id INTEGER PRIMARY KEY, name TEXT NOT NULL, team_id INTEGER NOT NULL REFERENCES teams);
INSERT INTO teams (name) VALUES ('Under 12'), ('Under 15'), ('Under 18');
"""


def folder() -> Path:
    """Where Diquis keeps its files."""
    found = Path(os.environ.get("DIQUIS_DATA", "diquis-data"))
    found.mkdir(parents=True, exist_ok=True)
    return found


class SqliteTenants:
    """The table of tenants."""

    def __init__(self, place: Path) -> None:
        self._place = place
        with self._open() as connection:
            connection.execute(_SCHEMA)

    def add(self, tenant: Tenant) -> bool:
        """False when the name is taken."""
        row = (str(tenant.id), tenant.name, tenant.slug, tenant.email, int(tenant.status))
        with self._open() as connection:
            return connection.execute("INSERT OR IGNORE INTO tenants VALUES (?, ?, ?, ?, ?)", row).rowcount == 1

    def get(self, tenant_id: UUID) -> Tenant | None:
        """One tenant."""
        with self._open() as connection:
            row = connection.execute("SELECT * FROM tenants WHERE id = ?", (str(tenant_id),)).fetchone()
        return None if row is None else _tenant(row)

    def all(self) -> list[Tenant]:
        """All of them, by name."""
        with self._open() as connection:
            return [_tenant(row) for row in connection.execute("SELECT * FROM tenants ORDER BY name")]

    def set_status(self, tenant_id: UUID, status: ProvisioningStatus) -> None:
        """How far it is now."""
        with self._open() as connection:
            connection.execute("UPDATE tenants SET status = ? WHERE id = ?", (int(status), str(tenant_id)))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._place, timeout=30)) as connection, connection:
            yield connection


def _tenant(row: Any) -> Tenant:
    return Tenant(UUID(row[0]), row[1], row[2], row[3], ProvisioningStatus(row[4]))


class SqliteDatabases:
    """A file for each tenant. It is made beside its place and then moved there, so that no half of one is ever seen."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def create_and_migrate(self, tenant: Tenant) -> None:
        """Make it anew."""
        self._place.mkdir(exist_ok=True)
        fresh = self._place / f"{tenant.slug}.{uuid.uuid4().hex}.new"
        try:
            with closing(sqlite3.connect(fresh)) as connection:
                connection.executescript(_TENANT_SCHEMA)
            fresh.replace(self._place / f"{tenant.slug}.db")
        finally:
            fresh.unlink(missing_ok=True)


class Outbox:
    """Mails as files, which any mail program opens."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def send(self, to: str, subject: str, text: str) -> None:
        """Write one."""
        mail = EmailMessage()
        mail["To"], mail["From"], mail["Subject"] = to, "Diquis <hello@diquis.example>", subject
        mail.set_content(text)
        self._place.mkdir(exist_ok=True)
        (self._place / f"{uuid.uuid4().hex}.eml").write_bytes(mail.as_bytes())


class TaskManagerJobs:
    """The application's BackgroundJobs."""

    def __init__(self, tm: TaskManager) -> None:
        self._tm = tm

    def enqueue(self, job: Callable[..., Any], *arguments: Any) -> str:
        """Write a job."""
        return str(self._tm.enqueue(job, *arguments))


# What the worker has to know: that the class is a job, and what its constructor gets.
job(display_name="Provision tenant", retries=1, delays=[15])(ProvisionTenant)


@provide
def tenants() -> Tenants:
    """The table."""
    return SqliteTenants(folder() / "diquis.db")


@provide
def databases() -> Databases:
    """The tenants' own."""
    return SqliteDatabases(folder() / "tenants")


@provide
def notifier(context: JobContext) -> Notifier:
    """The running job itself tells."""
    return context


@provide
def mailer() -> Mailer:
    """The folder."""
    return Outbox(folder() / "outbox")

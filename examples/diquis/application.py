"""What is to be done. This file knows neither the job library, nor the database, nor the web."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from examples.diquis.domain import ProvisioningStatus, Tenant


class BackgroundJobs(Protocol):
    """Does something later, elsewhere; answers the job's number."""

    def enqueue(self, job: Callable[..., Any], *arguments: Any) -> str: ...


class Tenants(Protocol):
    """Where tenants are kept."""

    def add(self, tenant: Tenant) -> bool: ...

    def get(self, tenant_id: UUID) -> Tenant | None: ...

    def all(self) -> list[Tenant]: ...

    def set_status(self, tenant_id: UUID, status: ProvisioningStatus) -> None: ...


class Databases(Protocol):
    """Makes a tenant's own database, with its tables and first rows. Made twice, it is there once."""

    def create_and_migrate(self, tenant: Tenant) -> None: ...


class Notifier(Protocol):
    """Tells a user something on his open pages."""

    def notify(self, user: str, kind: str, message: str) -> Any: ...


class Mailer(Protocol):
    """Sends a mail."""

    def send(self, to: str, subject: str, text: str) -> None: ...


class ProvisionTenant:
    """The job: a tenant from Pending to Active, or to Failed. Run again, it begins again."""

    def __init__(self, tenants: Tenants, databases: Databases, notifier: Notifier, mailer: Mailer) -> None:
        self.tenants, self.databases, self.notifier, self.mailer = tenants, databases, notifier, mailer

    def execute(self, tenant_id: UUID, admin_user_id: str = "") -> None:
        """admin_user_id: who asked for it, and is told on his page; empty when somebody signed up, who gets a mail."""
        tenant = self.tenants.get(tenant_id)
        if tenant is None:
            return
        try:
            self.tenants.set_status(tenant.id, ProvisioningStatus.PROVISIONING)
            self.databases.create_and_migrate(tenant)
            self.tenants.set_status(tenant.id, ProvisioningStatus.ACTIVE)
        except Exception as error:
            self.tenants.set_status(tenant.id, ProvisioningStatus.FAILED)
            if admin_user_id:
                self.notifier.notify(admin_user_id, "Error", f"Provisioning of {tenant.name} failed: {error}")
            raise  # the job fails, is tried again, and is seen in the dashboard
        if admin_user_id:
            self.notifier.notify(admin_user_id, "Success", f"Tenant {tenant.name} is ready.")
        else:
            self.mailer.send(tenant.email, f"{tenant.name} is ready", "Welcome to Diquis. You may sign in now.")


class NotPossible(Exception):
    """A tenant that cannot be asked for, and why."""


class TenantService:
    """What the web asks for."""

    def __init__(self, tenants: Tenants, jobs: BackgroundJobs) -> None:
        self.tenants, self.jobs = tenants, jobs

    def ask_for(self, name: str, *, email: str = "", admin_user_id: str = "") -> tuple[Tenant, str]:
        """A new tenant, Pending, and the job that makes it ready. Raises NotPossible."""
        name = " ".join(name.split())
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ]{1,39}", name):
            raise NotPossible("A name has 2 to 40 letters, digits and blanks.")
        if not admin_user_id and not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,190}", email):
            raise NotPossible("An address such as you@example.com is needed.")
        slug = name.lower().replace(" ", "-")
        tenant = Tenant(uuid.uuid4(), name, slug, email, ProvisioningStatus.PENDING)
        if not self.tenants.add(tenant):
            raise NotPossible(f"There is a tenant {name} already.")
        return tenant, self.jobs.enqueue(ProvisionTenant, tenant.id, admin_user_id)

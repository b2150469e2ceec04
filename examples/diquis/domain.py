"""What a tenant is, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID


class ProvisioningStatus(IntEnum):
    """How far a tenant is; the numbers are stored."""

    PENDING = 0
    PROVISIONING = 1
    ACTIVE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Tenant:
    """One academy. slug: its name in addresses and of its database."""

    id: UUID
    name: str
    slug: str
    email: str
    status: ProvisioningStatus

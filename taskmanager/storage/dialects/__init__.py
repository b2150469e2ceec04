"""How the four products differ, as answers to questions. No other place may ask which product it speaks to."""

from __future__ import annotations

from typing import Any

from taskmanager.storage.dialects.mysql import MariaDB, MySQL
from taskmanager.storage.dialects.postgresql import PostgreSQL
from taskmanager.storage.dialects.product import Plan, Product, Verdict
from taskmanager.storage.dialects.sqlite import SQLite

__all__ = ["MariaDB", "MySQL", "Plan", "PostgreSQL", "Product", "SQLite", "Verdict", "product_of"]


def product_of(dialect: Any) -> Product:
    """The product a SQLAlchemy dialect speaks to; MariaDB is told from MySQL by asking the server."""
    if dialect.name in ("mysql", "mariadb"):
        return MariaDB() if getattr(dialect, "is_mariadb", False) else MySQL()
    return PostgreSQL() if dialect.name == "postgresql" else SQLite()

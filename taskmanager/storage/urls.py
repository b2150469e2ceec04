"""Database URLs of any common form, made into a SQLAlchemy engine's URL and connect arguments."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import pymysql.connections
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as SqlArgumentError

from taskmanager.domain.errors import ConfigurationError

_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
}


def parse(url: str | URL) -> URL:
    """Read a URL and fill in the driver; `mysql://`, `mariadb://`, `postgres://`, `postgresql://`, `sqlite://`.

    Raises ConfigurationError when it is no URL or names a product that is not served. Never shows the password.
    """
    try:
        parsed = make_url(url)
    except SqlArgumentError:
        raise ConfigurationError(
            "database_url is not a database URL; write it like mysql://user:password@host:3306/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("mysql", "mariadb", "postgresql", "postgres", "sqlite"):
        raise ConfigurationError(f"database_url names {backend!r}; use mysql, mariadb, postgresql or sqlite")
    if "+" not in parsed.drivername and backend in _DRIVERS:
        parsed = parsed.set(drivername=_DRIVERS[backend])
    if parsed.get_backend_name() in ("mysql", "mariadb"):
        parsed = parsed.update_query_dict({"charset": "utf8mb4"} | dict(parsed.query))
    return parsed


def hosts(url: URL) -> list[URL]:
    """The nodes of a cluster, in the order given: `mysql://u:p@node1,node2:3307/db` names two."""
    if not url.host or "," not in url.host:
        return [url]
    nodes = []
    for part in url.host.split(","):
        name, _, port = part.partition(":")
        nodes.append(url.set(host=name, port=int(port) if port else url.port))
    return nodes


class Connection(pymysql.connections.Connection):
    """PyMySQL's connection with one TLS context for all: loading the CA certificates costs 50 ms each time."""

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        if isinstance(sslp, ssl.SSLContext):
            return sslp
        return _shared_context(tuple(sorted(sslp.items())))


@functools.lru_cache(maxsize=16)
def _shared_context(options: tuple[tuple[str, Any], ...]) -> ssl.SSLContext:
    settings = dict(options)
    ca = settings.get("ca")
    if ca is None and not settings.get("check_hostname") and settings.get("verify_mode") in (None, False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = ssl.create_default_context(cafile=ca, capath=settings.get("capath"))
        context.check_hostname = bool(settings.get("check_hostname"))
        context.verify_mode = ssl.CERT_REQUIRED
    if settings.get("cert"):
        context.load_cert_chain(settings["cert"], settings.get("key"), settings.get("password"))
    return context

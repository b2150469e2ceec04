"""Database URLs of any common form, made into a SQLAlchemy engine's URL; how it connects: `pymysql_connection.py`."""

from __future__ import annotations

import difflib
import re
import ssl
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError as SqlArgumentError

from taskmanager.domain.errors import ConfigurationError

#: The drivers of each product, the usual one first, and how to install them.
_DRIVERS = {
    "mysql": ("pymysql", "mysqldb"),
    "mariadb": ("pymysql", "mysqldb"),
    "postgresql": ("psycopg",),
    "sqlite": ("pysqlite",),
}
_SYNCHRONOUS = ("NORMAL", "FULL")
_INSTALL = {"mysqldb": "taskmanager[mysqlclient]", "psycopg": "taskmanager[postgresql]"}
_EXAMPLE = "write it like mysql://user:password@host:3306/name"
_ESCAPE = "an @, : or / in a password is written %40, %3A or %2F"
#: A URL that names several hosts: what stands before them, the hosts, what stands after them.
_CLUSTER = re.compile(r"([\w+]+://(?:[^:/@]*(?::[^@]*)?@)?)([^/?@]*,[^/?@]*)([/?].*)?", re.DOTALL)
_NODE = re.compile(r"(\[[^\]]+\]|[^:\[\]@]+)(?::(\d+))?")
_POSTGRES_TLS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_TLS_FILES = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key")
_TLS_SWITCHES = ("ssl", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname")
_TLS = (*_TLS_FILES, *_TLS_SWITCHES, "ssl_mode", "ssl_cipher", "ssl_key_password")
_NUMBERS = ("connect_timeout", "read_timeout", "write_timeout")
_PYMYSQL = (
    "charset", "collation", "unix_socket", "bind_address", "init_command", "sql_mode", "read_default_file",
    "read_default_group", "program_name", "local_infile", "use_unicode", "client_flag", *_NUMBERS, *_TLS,
)  # fmt: skip


def parse(url: str | URL) -> URL:
    """Read a URL, check it, fill in the driver; `mysql://`, `mariadb://`, `postgres://`, `postgresql://`, `sqlite://`.

    Several hosts stay together in `host`, with their ports; `hosts` takes them apart.
    Raises ConfigurationError that names what is wrong and the cure. Never shows the password.
    """
    parsed = _with_driver(_read(url))
    backend, driver = parsed.get_backend_name(), parsed.get_driver_name()
    if backend == "sqlite":
        return _checked_sqlite(parsed)
    nodes = _nodes(parsed)
    if len(nodes) > 1 and driver == "mysqldb":
        raise ConfigurationError("database_url names several hosts, which needs PyMySQL: write mysql+pymysql://")
    if backend == "postgresql":
        return _checked_postgresql(parsed)
    if not parsed.database and "read_default_file" not in parsed.query:
        raise ConfigurationError(f"database_url names no database after the host; {_EXAMPLE}")
    return _with_tls(parsed.update_query_dict({"charset": "utf8mb4"} | dict(parsed.query)), driver)


def hosts(url: URL) -> list[URL]:
    """A URL to try for each node of a cluster, in the order given; each node has its own port or the usual one.

    `mysql://u:p@node1,node2:3307/db` names node1 at 3306 and node2 at 3307. PostgreSQL's library tries the nodes
    itself, so there it is one URL with all of them.
    """
    nodes = _nodes(url)
    if len(nodes) < 2:
        return [url.difference_update_query(["synchronous"])]
    if url.get_backend_name() == "postgresql":
        together = {"host": ",".join(h for h, _ in nodes), "port": ",".join(str(p or 5432) for _, p in nodes)}
        return [_create(url, None, None).update_query_dict(together)]
    return [_create(url, host, port or 3306) for host, port in nodes]


# -- reading ----------------------------------------------------------------------------------------------


def _read(url: str | URL) -> URL:
    cluster = _CLUSTER.fullmatch(url.strip()) if isinstance(url, str) else None
    try:
        if cluster is not None:
            parsed = make_url(f"{cluster[1]}nodes{cluster[3] or ''}")
            return _create(parsed, _unwrapped(cluster[2]), None)
        parsed = make_url(url.strip() if isinstance(url, str) else url)
    except SqlArgumentError:
        raise ConfigurationError(f"database_url is not a database URL; {_EXAMPLE}") from None
    except ValueError:
        raise ConfigurationError(f"database_url has a port that is no number; {_EXAMPLE}; {_ESCAPE}") from None
    if parsed.host and "," in parsed.host and parsed.port:
        return _create(parsed, f"{parsed.host}:{parsed.port}", None)
    return parsed


def _unwrapped(nodes: str) -> str:
    """SQLAlchemy puts [] around hosts that have a colon when it writes a URL."""
    whole = nodes.startswith("[") and nodes.endswith("]")
    return nodes[1:-1] if whole and not all(_NODE.fullmatch(part) for part in nodes.split(",")) else nodes


def _with_driver(url: URL) -> URL:
    backend, plus, driver = url.drivername.lower().partition("+")
    backend = {"postgres": "postgresql"}.get(backend, backend)
    if backend not in _DRIVERS:
        raise ConfigurationError(f"database_url names {backend!r}; use mysql, mariadb, postgresql or sqlite")
    if plus and driver not in _DRIVERS[backend]:
        usual = " or ".join(f"{backend}+{d}" for d in _DRIVERS[backend])
        raise ConfigurationError(f"database_url names the driver {driver!r}, which is not served; use {usual}")
    driver = driver or _DRIVERS[backend][0]
    named = url.set(drivername=f"{backend}+{driver}" if plus or backend != "sqlite" else backend)
    try:
        named.get_dialect().import_dbapi()
    except ImportError as error:
        cure = f"; install it: pip install '{_INSTALL[driver]}'" if driver in _INSTALL else ""
        raise ConfigurationError(f"the driver {driver} of database_url cannot be imported ({error}){cure}") from None
    return named


def _nodes(url: URL) -> list[tuple[str, int | None]]:
    """Host and port of each node. What cannot be read is not shown: it may be a piece of a password."""
    if not url.host:
        return [("", url.port)]
    if "@" in url.host:
        raise ConfigurationError(f"database_url has an @ too many; {_ESCAPE}")
    if "," not in url.host:
        return [(url.host, _port(url.port))]
    nodes: list[tuple[str, int | None]] = []
    for place, part in enumerate(url.host.split(","), 1):
        match = _NODE.fullmatch(part.strip())
        if match is None:
            raise ConfigurationError(f"host {place} of database_url cannot be read; write @node1:3306,node2:3306/name")
        nodes.append((match[1].strip("[]"), _port(int(match[2][:9])) if match[2] else None))
    return nodes


def _port(port: int | None) -> int | None:
    if port is not None and not 0 < port < 65536:
        raise ConfigurationError("database_url has a port that is out of range; a port is a number from 1 to 65535")
    return port


def _create(url: URL, host: str | None, port: int | None) -> URL:
    return URL.create(url.drivername, url.username, url.password, host, port, url.database, url.query)


# -- options of each product ------------------------------------------------------------------------------


def _checked_sqlite(url: URL) -> URL:
    if url.host or url.username:
        raise ConfigurationError(
            "database_url of SQLite has a path after three slashes: sqlite:///folder/file.db, or four for a path from "
            "the root: sqlite:////var/lib/file.db"
        )
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "database_url names an SQLite database in memory, which threads cannot share; name a file: "
            "sqlite:///taskmanager.db"
        )
    if synchronous(url) not in _SYNCHRONOUS:
        raise ConfigurationError(
            f"database_url has synchronous={url.query['synchronous']}; it is {' or '.join(_SYNCHRONOUS)}"
        )
    return url


def synchronous(url: URL) -> str:
    """When SQLite waits for the disk: `FULL` at each COMMIT, `NORMAL` at checkpoints, so that a power cut may take the
    last COMMITs away (the death of a process takes none)."""
    return str(url.query.get("synchronous", "NORMAL")).upper()


def _checked_postgresql(url: URL) -> URL:
    mode = url.query.get("sslmode")
    if mode is not None and mode not in _POSTGRES_TLS:
        raise ConfigurationError(f"database_url has sslmode={mode}; it is one of {', '.join(_POSTGRES_TLS)}")
    seconds = url.query.get("connect_timeout")
    if seconds is not None and not (isinstance(seconds, str) and re.fullmatch(r"\d{1,7}", seconds)):
        raise ConfigurationError(f"database_url has connect_timeout={seconds}; it is a whole number of seconds")
    for name in url.query:
        if name.lower().replace("-", "_") in _TLS:
            raise ConfigurationError(
                f"database_url has {name}, an option of MySQL; PostgreSQL's are sslmode, sslrootcert, sslcert, sslkey"
            )
    return url


def _with_tls(url: URL, driver: str) -> URL:
    """MySQL's TLS options in any of their forms, as the driver takes them from a URL.

    A named authority (ssl_ca, ssl_capath) is always asked; who asks to verify and names none gets the system's.
    """
    options = {}
    for name, value in url.query.items():
        if not isinstance(value, str) or _option_name(name) in options:
            raise ConfigurationError(f"database_url has the option {name} more than once")
        options[_option_name(name)] = value
    if driver == "pymysql":
        _check_names(options)
    for name in _NUMBERS:
        if name in options and not re.fullmatch(r"[1-9]\d{0,6}", options[name]):
            raise ConfigurationError(f"database_url has {name}={options[name]}; it is a whole number of seconds")
    given = {name: options.pop(name) for name in _TLS if name in options}
    given = {name: value for name, value in given.items() if value}
    mode = _mode(given)
    kept = {n: v for n, v in given.items() if n in (*_TLS_FILES, "ssl_cipher", "ssl_key_password")}
    if mode in ("DISABLED", "PREFERRED"):
        kept = {}
    elif mode == "REQUIRED":
        kept = {n: v for n, v in kept.items() if n not in ("ssl_ca", "ssl_capath")}
    elif not {"ssl_ca", "ssl_capath"} & set(kept):
        kept |= _system_authorities(mode)
    _check_files(kept)
    if driver == "mysqldb":
        return url.set(query=options | kept | {"ssl_mode": mode})
    if mode == "DISABLED":
        kept["ssl_disabled"] = "true"
    elif mode != "PREFERRED":
        kept["ssl_check_hostname"] = "true" if mode == "VERIFY_IDENTITY" else "false"
    return url.set(query=options | kept)


def _option_name(name: str) -> str:
    plain = name.lower().replace("-", "_")
    return plain if plain in _TLS else name


def _check_names(options: dict[str, str]) -> None:
    for name in options:
        if name not in _PYMYSQL:
            close = difflib.get_close_matches(name, _PYMYSQL, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(_PYMYSQL))}"
            raise ConfigurationError(f"database_url has an option {name!r}, which MySQL connections do not have{hint}")


def _mode(given: dict[str, str]) -> str:
    """MySQL's word for how much TLS is asked for."""
    on = {name: _switch(name, given[name]) for name in _TLS_SWITCHES if name in given}
    authority = "ssl_ca" in given or "ssl_capath" in given
    asked = given.get("ssl_mode", "").upper().replace("-", "_")
    if asked and asked not in _MODES:
        raise ConfigurationError(f"database_url has ssl_mode={given['ssl_mode']}; it is one of {', '.join(_MODES)}")
    if asked == "DISABLED" or on.get("ssl_disabled") or on.get("ssl") is False:
        return "DISABLED"
    if asked == "VERIFY_IDENTITY" or on.get("ssl_verify_identity") or on.get("ssl_check_hostname"):
        return "VERIFY_IDENTITY"
    if asked == "VERIFY_CA" or on.get("ssl_verify_cert") or (authority and "ssl_verify_cert" not in on):
        return "VERIFY_CA"
    if asked == "REQUIRED" or on.get("ssl") or authority or "ssl_cert" in given:
        return "REQUIRED"
    return "PREFERRED"


def _switch(name: str, value: str) -> bool:
    found = _SWITCHES.get(value.lower())
    if found is None:
        raise ConfigurationError(f"database_url has {name}={value}; it is true or false")
    return found


def _system_authorities(mode: str) -> dict[str, str]:
    paths = ssl.get_default_verify_paths()
    if paths.cafile:
        return {"ssl_ca": paths.cafile}
    if paths.capath:
        return {"ssl_capath": paths.capath}
    raise ConfigurationError(
        f"database_url asks for {mode}, and this system names no certificate authorities; name a file: ssl_ca=ca.pem"
    )


def _check_files(kept: dict[str, str]) -> None:
    kinds: dict[str, tuple[Callable[[Path], bool], str]] = {"ssl_capath": (Path.is_dir, "folder")}
    for name in _TLS_FILES:
        is_there, kind = kinds.get(name, (Path.is_file, "file"))
        if name in kept and not is_there(Path(kept[name])):
            raise ConfigurationError(f"database_url has {name}={kept[name]}, and there is no such {kind}")

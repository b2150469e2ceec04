"""Connecting by PyMySQL: one TLS context for all, values written faster, statements that travel together."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pymysql.connections
from pymysql.constants import CLIENT
from pymysql.constants.COMMAND import COM_QUERY
from pymysql.cursors import RE_INSERT_VALUES

from taskmanager.domain.errors import ConfigurationError

_escape: Callable[..., str] = pymysql.connections.Connection.escape
#: So many bytes of statements wait at most; more are sent at once. The server's own limit is 4 MB at least.
_MOST_WAITING = 256 * 1024


class Connection(pymysql.connections.Connection):
    """PyMySQL's connection with one TLS context for all: loading the CA certificates costs 50 ms each time.

    A password is sent as UTF-8, as MySQL's own client does, and one of a key file reaches it.
    """

    _read_timeout: Any

    def __init__(
        self, *, ssl: Any = None, ssl_key_password: str | None = None, several: bool = False, **options: Any
    ) -> None:
        if isinstance(ssl, dict) and ssl_key_password:
            ssl = ssl | {"password": ssl_key_password}
        if isinstance(options.get("password"), str):
            options["password"] = options["password"].encode()
        #: Statements that travel with the next one, or with COMMIT.
        self._waiting: list[bytes] = []
        #: What was sent last, statement by statement.
        self.parts: list[bytes] = []
        #: Whether the server is asked to take several statements at once.
        self.takes_several = several
        self._is_connecting = False
        if several:
            options["client_flag"] = options.get("client_flag", 0) | CLIENT.MULTI_STATEMENTS
        super().__init__(ssl=ssl, **options)

    def connect(self, sock: Any = None) -> None:
        """As PyMySQL's, with its `connect_timeout` for what the server says, too: one that is frozen says nothing."""
        usual, self._read_timeout = self._read_timeout, self._read_timeout or self.connect_timeout
        self._is_connecting = True
        try:
            super().connect(sock)
        finally:
            self._read_timeout, self._is_connecting = usual, False

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """SET NAMES; not while connecting: SQLAlchemy sends it then, and a call of c_Job pays for each statement."""
        if not self._is_connecting:
            super().set_character_set(charset, collation)

    def later(self, sql: str, parameters: Any) -> None:
        """Send a statement whose answer nobody wants together with the next one, or with COMMIT.

        parameters: a dictionary, or a list of them for an executemany. The server carries the statements out in
        order and stops at the first that fails: its error is that of the statement, or the COMMIT, they go with.
        """
        for text in _texts(self.cursor(), sql, parameters):
            waiting = text.encode(self.encoding, "surrogateescape")
            if sum(map(len, self._waiting)) + len(waiting) > _MOST_WAITING:
                self.query(waiting)
            else:
                self._waiting.append(waiting)

    def query(self, sql: Any, unbuffered: bool = False) -> int:
        """As PyMySQL's, with what waits before it in the same packet. The answer is the last statement's."""
        if not self._waiting:
            self.parts = []
            return int(super().query(sql, unbuffered))
        text = sql.encode(self.encoding, "surrogateescape") if isinstance(sql, str) else bytes(sql)
        if len(text) > _MOST_WAITING:
            self._send(self._waiting, False)
            return int(super().query(text, unbuffered))
        return self._send([*self._waiting, text], unbuffered)

    def _send(self, parts: list[bytes], unbuffered: bool) -> int:
        self._waiting, self.parts = [], parts
        self._execute_command(COM_QUERY, b";".join(parts))  # type: ignore[attr-defined]
        for part in parts:
            self._affected_rows = self._read_query_result(unbuffered and part is parts[-1])  # type: ignore[attr-defined]
        self.parts = []
        return int(self._affected_rows)

    def commit(self) -> None:
        """COMMIT, with what waits before it: one packet. When one of its statements fails, all is rolled back here:
        who only asked for a COMMIT has no reason to.
        """
        if not self._waiting:
            super().commit()
            return
        try:
            self.query("COMMIT")
        except pymysql.err.MySQLError:
            if self.open:
                self.rollback()
            raise

    def rollback(self) -> None:
        """ROLLBACK; what waits is never sent."""
        self._waiting.clear()
        super().rollback()

    def escape(self, obj: Any, mapping: Any = None) -> str:
        """As PyMySQL's, four to nine times faster for numbers, NULL and moments: each value of each row passes here."""
        kind = type(obj)
        if kind is int:
            return str(obj)
        if obj is None:
            return "NULL"
        if kind is datetime and obj.tzinfo is None:
            return f"'{obj.isoformat(' ')}'"
        return _escape(self, obj, mapping)

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        if isinstance(sslp, ssl.SSLContext):
            return sslp
        return _shared_context(tuple(sorted(sslp.items())))


def _texts(cursor: Any, sql: str, parameters: Any) -> Iterator[str]:
    """The statements that PyMySQL's `execute` or `executemany` would send: the rows of an INSERT in one."""
    if not isinstance(parameters, list):
        yield cursor.mogrify(sql, parameters)
        return
    found = RE_INSERT_VALUES.match(sql)
    if found is None:
        yield from (cursor.mogrify(sql, one) for one in parameters)
        return
    head, values, tail = found.group(1) % (), found.group(2).rstrip(), (found.group(3) or "") % ()
    rows, size = list[str](), 0
    for one in parameters:
        rows.append(cursor.mogrify(values, one))
        size += len(rows[-1])
        if size > cursor.max_stmt_length // 2:
            yield f"{head}{','.join(rows)}{tail}"
            rows, size = [], 0
    if rows:
        yield f"{head}{','.join(rows)}{tail}"


@functools.lru_cache(maxsize=16)
def _shared_context(options: tuple[tuple[str, Any], ...]) -> ssl.SSLContext:
    settings = dict(options)
    ca, capath = settings.get("ca"), settings.get("capath")
    try:
        if ca is None and capath is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.create_default_context(cafile=ca, capath=capath)
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates MySQL makes for itself fail it
            context.check_hostname = bool(settings.get("check_hostname"))
        if settings.get("cipher"):
            context.set_ciphers(settings["cipher"])
        if settings.get("cert"):
            # a password is always given: without one OpenSSL would ask for it on the terminal
            context.load_cert_chain(settings["cert"], settings.get("key"), settings.get("password") or "")
    except (ssl.SSLError, OSError) as error:
        named = ", ".join(f"ssl_{name}={value}" for name, value in options if name != "password")
        raise ConfigurationError(f"the TLS options of database_url cannot be used ({error}): {named}") from None
    return context

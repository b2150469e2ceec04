"""A POST of JSON to an address that somebody wrote into a table: nowhere but to public hosts, unless it is allowed.

The name is resolved once, each address is judged, and the connection goes to the very address that was judged: a
name that answers differently the next time gains nothing. Redirects are not followed, proxies not used.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

_ANSWER_BYTES = 64 * 1024
#: Addresses of IPv6 that carry one of IPv4: NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotSent(Exception):
    """A message did not go out by one channel; another try may help. The text holds no URL and no password."""


class Refused(NotSent):
    """A message cannot go out as things are configured; another try would end the same."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a webhook may reach. seconds: for the whole exchange."""

    allow_http: bool = False
    allow_private: bool = False
    seconds: float = 15.0


def post(url: str, payload: Any, bounds: Bounds | None = None) -> None:
    """Send JSON. Raises NotSent, or Refused when no other try would help."""
    bounds = bounds or Bounds()
    parts = _checked(url, bounds)
    host, port = _host(parts), _port(parts)
    body = json.dumps(payload).encode()
    address = _resolve(host, port, bounds)
    connection = _Connection(host, port, address, bounds.seconds, is_secure=parts.scheme == "https")
    timer = threading.Timer(bounds.seconds, connection.abort)
    timer.daemon = True
    timer.start()
    try:
        status = _exchange(connection, parts, body)
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"the certificate of {host} is not trusted: {error.verify_message}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = "it took too long" if connection.aborted else type(error).__name__
        raise NotSent(f"{host} could not be told: {why}") from None  # its own text may hold the path, a secret
    finally:
        timer.cancel()
        connection.close()
    if 300 <= status < 400:
        raise Refused(f"{host} answered with a redirect, {status}, which is not followed")
    if not 200 <= status < 300:
        kind = NotSent if status in (408, 425, 429) or status >= 500 else Refused
        raise kind(f"{host} answered {status}")


def host_of(url: str) -> str:
    """What of a webhook's URL may be shown."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def is_public(address: Address) -> bool:
    """Whether an address lies in the public internet: not private, loopback, link-local, multicast or reserved."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    unusual = address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    return address.is_global and not address.is_private and not unusual and not address.is_unspecified


def _checked(url: str, bounds: Bounds) -> SplitResult:
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise Refused("the webhook's URL holds blanks or control characters")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Refused("the webhook's URL cannot be read") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Refused("the webhook's URL does not begin with https://")
    if parts.scheme == "http" and not bounds.allow_http:
        raise Refused("the webhook's URL is http, not https: setting alert_allow_http allows it")
    if parts.username is not None or parts.password is not None:
        raise Refused("the webhook's URL holds a user name")
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise Refused("the webhook's host name cannot be read") from None


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _resolve(host: str, port: int, bounds: Bounds) -> str:
    """The address to connect to: the first of the host's that is allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent(f"the name {host} cannot be resolved") from None
    for *_, where in found:
        text = str(where[0])
        if bounds.allow_private or is_public(ipaddress.ip_address(text.partition("%")[0])):
            return text
    raise Refused(f"{host} lies in a private network: setting alert_allow_private allows it")


class _Connection(http.client.HTTPConnection):
    """Goes to the address it is given, whatever the name means by now; the certificate must be the name's."""

    def __init__(self, host: str, port: int, address: str, seconds: float, *, is_secure: bool) -> None:
        super().__init__(host, port, timeout=seconds)
        self._address = address
        self._is_secure = is_secure
        self.default_port = 443 if is_secure else 80
        self.aborted = False
        self._line: socket.socket | None = None

    def connect(self) -> None:
        line = self._line = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_secure:
            line = self._line = ssl.create_default_context().wrap_socket(line, server_hostname=self.host)
        self.sock = line

    def abort(self) -> None:
        """End the exchange from another thread: whoever answers a byte at a time is not waited for."""
        self.aborted = True
        if self._line is not None:  # `sock` is None as soon as the answer's head is read
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


def _exchange(connection: _Connection, parts: SplitResult, body: bytes) -> int:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json", "User-Agent": "taskmanager", "Connection": "close"}
    connection.request("POST", target, body, headers)
    answer = connection.getresponse()
    answer.read(_ANSWER_BYTES)  # and no more, however long it is
    return answer.status

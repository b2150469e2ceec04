"""Those who are told: a mail server with TLS and logins, and a receiver of webhooks. Both real, both local."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "jobs", "s3cret-of-smtp"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def server_context(folder: Path) -> ssl.SSLContext:
    """TLS for a server of this folder's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(folder))
    return context


@dataclass
class Mailbox:
    """What a mail server took: (sender, recipients, mail), and what it is to refuse. hangs: it answers no more, and
    `waiting` clients wait."""

    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = ""
    hangs: bool = False
    waiting: int = 0
    port: int = 0
    stop: Callable[[], None] = lambda: None

    async def handle_RCPT(  # the name is the library's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.waiting += 1
        while self.hangs:
            await asyncio.sleep(0.02)
        self.waiting -= 1
        if self.answer:
            return self.answer
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        mail = message_from_bytes(content, policy=policy.default)
        self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), mail))  # type: ignore[arg-type]
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for _, _, mail in self.mails]


def body_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of one part of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def start_mail(context: ssl.SSLContext | None = None, *, tls: str = "off", login: bool = False) -> Mailbox:
    """Start a mail server; stop it by `box.stop()`."""
    box = Mailbox()

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good)

    options: dict[str, Any] = {"enable_SMTPUTF8": True, "hostname": "localhost"}
    if login:
        options |= {"auth_required": True, "authenticator": check, "auth_require_tls": tls == "starttls"}
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # clients hang up in many ways here
    spoken: list[SMTP] = []

    def one() -> SMTP:
        spoken.append(SMTP(box, loop=loop, **options))
        return spoken[-1]

    wrapped = context if tls == "tls" else None
    serving = loop.run_until_complete(loop.create_server(one, "127.0.0.1", 0, ssl=wrapped))
    box.port = serving.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def leave() -> None:
        serving.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for transport in {t for smtp in spoken for t in (smtp.transport, smtp._original_transport) if t is not None}:
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()
        await asyncio.sleep(0.02)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(leave(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()

    box.stop = stop
    return box


class Receiver:
    """Takes POSTs. status, headers, body: what it answers."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.pause = 0.0
        self.body: bytes = b"ok"
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.calls.append((self.path, json.loads(content)))
                time.sleep(receiver.pause)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                receiver.write(self.wfile)

            def do_GET(self) -> None:
                receiver.calls.append((self.path, None))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]  # who hangs up is no error
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.scheme = "http" if context is None else "https"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def write(self, out: Any) -> None:
        """Write the body of an answer."""
        out.write(self.body)

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """A webhook of this receiver."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

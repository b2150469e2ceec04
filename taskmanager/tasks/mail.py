"""Mail by SMTP, with TLS and a login."""

from __future__ import annotations

import logging
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage

from taskmanager.tasks.webhooks import NotSent, Refused

log = logging.getLogger("taskmanager.alerts")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. tls: `starttls`, `tls` from the first byte on, or `off`."""

    host: str
    port: int = 587
    tls: str = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 20.0


def send(server: MailServer, mail: EmailMessage, sender: str, recipients: tuple[str, ...]) -> list[str]:
    """Hand one mail over; returns the recipients that the server refused. Raises NotSent, or Refused."""
    try:
        smtp = _open(server)
    except smtplib.SMTPException as error:
        raise _told(server, error) from None
    except (OSError, ValueError) as error:
        raise NotSent(f"the mail server {server.host} cannot be reached: {_brief(error)}") from None
    try:
        if server.username:
            smtp.login(server.username, server.password or "")
        refused = smtp.send_message(mail, sender, [_ascii_host(r) for r in recipients])
    except smtplib.SMTPException as error:
        raise _told(server, error) from None
    except (OSError, ValueError) as error:
        raise NotSent(f"the mail server {server.host} broke off: {_brief(error)}") from None
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()  # the mail is out: how they part changes nothing
        smtp.close()
    if refused:
        log.warning("the mail server %s refused %s", server.host, ", ".join(sorted(refused)))
    return sorted(refused)


def _open(server: MailServer) -> smtplib.SMTP:
    name = socket.gethostname() or "localhost"
    if server.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.seconds, context=context)
    smtp = smtplib.SMTP(server.host, server.port, name, timeout=server.seconds)
    if server.tls == "starttls":
        try:
            smtp.starttls(context=ssl.create_default_context())
        except BaseException:
            smtp.close()
            raise
    return smtp


def _told(server: MailServer, error: smtplib.SMTPException) -> NotSent:
    """What the server said, without what we said to it."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Refused(f"the mail server {server.host} refuses the login ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {int(code) for code, _ in error.recipients.values()}
        kind = Refused if all(code >= 500 for code in codes) else NotSent
        return kind(f"the mail server {server.host} refuses all recipients: {', '.join(sorted(error.recipients))}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Refused(f"the mail server {server.host} cannot do what smtp_tls and smtp_username ask for, or this mail")
    if isinstance(error, smtplib.SMTPResponseException):
        kind = Refused if error.smtp_code >= 500 else NotSent
        return kind(f"the mail server {server.host} answered {error.smtp_code}")
    return NotSent(f"the mail server {server.host} broke off: {type(error).__name__}")


def _brief(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    return getattr(error, "strerror", None) or type(error).__name__


def _ascii_host(address: str) -> str:
    """The address with its host as it is in the name system; the name before @ is the server's own matter."""
    name, _, host = address.rpartition("@")
    with suppress(UnicodeError):
        return f"{name}@{host if host.isascii() else host.encode('idna').decode()}"
    return address

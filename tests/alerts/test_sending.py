"""How a message goes out: mail with TLS and logins, webhooks that reach no private network, Apprise."""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import time
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from taskmanager.tasks import mail, messages, webhooks
from taskmanager.tasks.mail import MailServer
from taskmanager.tasks.notify import _apprise
from taskmanager.tasks.webhooks import Bounds, NotSent, Refused
from tests.alerts import receivers
from tests.alerts.receivers import PASSWORD, USER, Mailbox, Receiver, body_of

OPEN = Bounds(allow_http=True, allow_private=True, seconds=5)
NASTY = "Zł\u00f3wek \N{FIRE}\r\nBcc: thief@example.com\u2028<script>alert(1)</script> <!channel> [x](http://evil)"


def message(**facts: Any) -> messages.Message:
    return messages.compose(
        {"event": "failure", "job": "Printer", "message": "no paper"} | facts, environment="staging"
    )


def made(text: messages.Message, *recipients: str) -> Any:
    return messages.as_mail(
        text,
        sender="Jobs <jobs@example.com>",
        recipients=recipients,
        message_id="<1@example.com>",
        at=datetime.now(UTC),
    )


def send(server: MailServer, *recipients: str, text: messages.Message | None = None) -> list[str]:
    return mail.send(server, made(text or message(), *recipients), "jobs@example.com", recipients)


# -- mail ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_mail_goes_out_with_tls_and_a_login(tls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = receivers.start_mail(receivers.server_context(tmp_path), tls=tls, login=tls == "starttls")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    user, password = (USER, PASSWORD) if tls == "starttls" else (None, None)
    try:
        assert send(MailServer("localhost", box.port, tls, user, password), "a@b.c", "d@e.f") == []
    finally:
        box.stop()
    ((_, recipients, sent),) = box.mails
    assert recipients == ["a@b.c", "d@e.f"]
    assert sent["To"] == "a@b.c, d@e.f"
    assert [part.get_content_type() for part in sent.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    box = receivers.start_mail(receivers.server_context(tmp_path), tls="starttls")
    try:
        with pytest.raises(NotSent, match="certificate is not trusted"):
            send(MailServer("localhost", box.port), "a@b.c")
    finally:
        box.stop()
    assert box.mails == []


def test_a_server_without_tls_is_told_no_password(mailbox: Mailbox) -> None:
    with pytest.raises(Refused, match="cannot do what smtp_tls"):
        send(MailServer("127.0.0.1", mailbox.port, "starttls", USER, PASSWORD), "a@b.c")
    assert mailbox.mails == []


def test_a_wrong_password_is_not_tried_again_nor_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = receivers.start_mail(receivers.server_context(tmp_path), tls="starttls", login=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    server = MailServer("localhost", box.port, "starttls", USER, "wrong-SECRET")
    try:
        with pytest.raises(Refused, match="refuses the login") as caught:
            send(server, "a@b.c")
    finally:
        box.stop()
    assert "SECRET" not in str(caught.value) + repr(server)


def test_one_recipient_that_is_refused_costs_the_others_nothing(mailbox: Mailbox) -> None:
    mailbox.refused = {"gone@example.com"}
    server = MailServer("127.0.0.1", mailbox.port, "off")
    assert send(server, "gone@example.com", "here@example.com") == ["gone@example.com"]
    assert mailbox.mails[0][1] == ["here@example.com"]
    with pytest.raises(Refused, match=r"refuses all recipients: gone@example\.com"):
        send(server, "gone@example.com")


@pytest.mark.parametrize(("answer", "kind"), [("451 later", NotSent), ("554 never", Refused)])
def test_what_passes_is_tried_again_what_stays_is_not(mailbox: Mailbox, answer: str, kind: type) -> None:
    mailbox.answer = answer
    with pytest.raises(NotSent) as caught:
        send(MailServer("127.0.0.1", mailbox.port, "off"), "a@b.c")
    assert type(caught.value) is kind


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="cannot be reached") as caught:
        send(MailServer("127.0.0.1", port, "off"), "a@b.c")
    assert not isinstance(caught.value, Refused)


def test_a_name_can_neither_add_headers_nor_markup(mailbox: Mailbox) -> None:
    text = message(job=NASTY, message=NASTY, server=NASTY)
    send(MailServer("127.0.0.1", mailbox.port, "off"), "a@b.c", text=text)
    ((_, recipients, sent),) = mailbox.mails
    assert recipients == ["a@b.c"]
    assert sent["Bcc"] is None
    assert sent["Subject"].startswith("[staging] FAILED: Złówek \N{FIRE} Bcc: thief@example.com <script>")
    assert "<script>" not in body_of(sent, "html")
    assert "Złówek \N{FIRE}" in body_of(sent)
    assert "Złówek \N{FIRE}" in body_of(sent, "html")


def test_broken_text_still_makes_a_mail() -> None:
    text = message(job="\ud800\0x", message="\udfff" * 3 + "\0")
    assert message_from_bytes(made(text, "a@b.c").as_bytes(), policy=policy.default)["Subject"]
    json.dumps([messages.as_slack(text), messages.as_teams(text)]).encode()


# -- webhooks -----------------------------------------------------------------------------------------------------


def test_slack_gets_blocks_in_which_nothing_of_a_job_is_markup(receiver: Receiver) -> None:
    webhooks.post(receiver.url("/a?b=c"), messages.as_slack(message(job=NASTY, message="``` <!here> " * 900)), OPEN)
    ((path, payload),) = receiver.calls
    assert path == "/a?b=c"
    assert [block["type"] for block in payload["blocks"]] == ["header", "section", "section"]
    assert payload["blocks"][0]["text"]["type"] == "plain_text"
    assert len(payload["blocks"][0]["text"]["text"]) <= 150
    assert all(len(field["text"]) <= 2000 for field in payload["blocks"][1]["fields"])
    assert len(payload["blocks"][2]["text"]["text"]) <= 3000
    shown = payload["text"] + json.dumps(payload["blocks"][1:], ensure_ascii=False)
    assert "<!" not in shown
    assert "&lt;!channel&gt;" in shown


def test_teams_gets_an_adaptive_card_in_which_nothing_of_a_job_is_markup(receiver: Receiver) -> None:
    text = messages.compose({"event": "failure", "job": NASTY, "message": "x" * 9000}, suppressed=3)
    receiver.status = 202
    webhooks.post(receiver.url(), messages.as_teams(text), OPEN)
    ((_, payload),) = receiver.calls
    (attachment,) = payload["attachments"]
    assert (payload["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}, "text that knows no markup"
    assert card["body"][-1]["inlines"][0]["text"] == "(3 alerts suppressed)"
    assert len(json.dumps(payload)) < 28_000


def test_https_is_checked_against_the_name_though_the_address_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver(receivers.server_context(tmp_path))
    bounds = Bounds(allow_private=True)
    try:
        with pytest.raises(NotSent, match="the certificate of localhost is not trusted"):
            webhooks.post(receiver.url(host="localhost"), {}, bounds)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        webhooks.post(receiver.url(host="localhost"), {"a": 1}, bounds)
        resolve = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: resolve("127.0.0.1", *a, **k))
        with pytest.raises(NotSent, match=r"the certificate of other\.example is not trusted"):
            webhooks.post(receiver.url(host="other.example"), {}, bounds)
    finally:
        receiver.close()
    assert [payload for _, payload in receiver.calls] == [{"a": 1}]


def test_http_and_private_networks_are_refused_unless_allowed(receiver: Receiver) -> None:
    with pytest.raises(Refused, match="alert_allow_http"):
        webhooks.post(receiver.url(), {}, Bounds(allow_private=True))
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(NotSent) as caught:
            webhooks.post(receiver.url(host=host), {}, Bounds(allow_http=True))
        assert "alert_allow_private" in str(caught.value) or "resolved" in str(caught.value)
    assert receiver.calls == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False), ("127.0.0.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("ff02::1", False), ("fec0::1", False),
        ("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("2001:0:7f00:1::", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_public_internet_are_public(address: str, public: bool) -> None:
    assert webhooks.is_public(ipaddress.ip_address(address)) is public


def test_a_name_is_resolved_once_and_that_very_address_is_dialled(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    dialled: list[Any] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"  # it answers differently the second time
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def dial(where: tuple[str, int], timeout: float) -> socket.socket:
        dialled.append(where[0])
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(NotSent):
        webhooks.post(receiver.url(host="rebind.example"), {}, Bounds(allow_http=True))
    assert (asked, dialled) == (["rebind.example"], ["93.184.216.34"])


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url("/elsewhere")}
    with pytest.raises(Refused, match="redirect, 302"):
        webhooks.post(receiver.url(), {}, OPEN)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(("status", "kind"), [(500, NotSent), (429, NotSent), (404, Refused), (410, Refused)])
def test_answers_tell_whether_another_try_would_help(receiver: Receiver, status: int, kind: type) -> None:
    receiver.status = status
    with pytest.raises(NotSent, match=f"answered {status}") as caught:
        webhooks.post(receiver.url("/SECRET"), {}, OPEN)
    assert type(caught.value) is kind
    assert "SECRET" not in str(caught.value)


def test_an_endless_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    written = [0]

    def endless(out: Any) -> None:
        for _ in range(10_000):
            out.write(b"x" * 65536)
            written[0] += 65536

    receiver.write = endless  # type: ignore[method-assign]
    webhooks.post(receiver.url(), {}, OPEN)
    assert written[0] < 50_000_000


def test_who_answers_a_byte_at_a_time_is_not_waited_for(receiver: Receiver) -> None:
    def slowly(out: Any) -> None:
        for _ in range(100):
            out.write(b"x")
            out.flush()
            time.sleep(0.1)

    receiver.write = slowly  # type: ignore[method-assign]
    began = time.monotonic()
    webhooks.post(receiver.url(), {}, Bounds(allow_http=True, allow_private=True, seconds=0.6))
    assert time.monotonic() - began < 5


def test_who_does_not_answer_is_tried_again(receiver: Receiver) -> None:
    receiver.pause = 1.5
    with pytest.raises(NotSent, match=r"127\.0\.0\.1 could not be told"):
        webhooks.post(receiver.url(), {}, Bounds(allow_http=True, allow_private=True, seconds=0.3))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x", "https://", "https://user:pw@example.com/", "https://example.com:99999/", "file:///etc",
        "https://example.com/a b", "https://example.com/\r\nX: y", "https://[::1", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="the webhook's"):
        webhooks.post(url, {}, OPEN)


# -- any other channel --------------------------------------------------------------------------------------------


#: Apprise looks for a module that Python 3.13 has no more.
_IMGHDR = pytest.mark.filterwarnings("ignore:.*imghdr.*:DeprecationWarning")


@_IMGHDR
def test_apprise_takes_a_message_anywhere(receiver: Receiver) -> None:
    pytest.importorskip("apprise")
    _apprise(f"json://127.0.0.1:{receiver.port}/SECRET")(message())
    ((_, payload),) = receiver.calls
    assert payload["title"] == "[staging] FAILED: Printer"
    assert "no paper" in payload["message"]


@_IMGHDR
def test_apprise_tells_what_is_wrong_without_the_url(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise")
    caplog.set_level(logging.DEBUG)
    receiver.status = 500
    with pytest.raises(NotSent) as failed:
        _apprise(f"json://user:SECRET@127.0.0.1:{receiver.port}")(message())
    with pytest.raises(Refused) as unknown:
        _apprise("nothing-of-this-kind://SECRET")(message())
    assert "SECRET" not in f"{failed.value}{unknown.value}{caplog.text}"


def test_without_apprise_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(Refused, match=r"pip install 'taskmanager\[alerts\]'"):
        _apprise("json://127.0.0.1")(message())

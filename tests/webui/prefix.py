"""A proxy that serves an application below a path of its own, and strips that path from what it passes on."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PREFIX = "/ops/jobs"
_OF_THIS_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host"})


class StrippingProxy:
    """Listens on a free port and passes on what is asked below PREFIX; all else is not found."""

    def __init__(self, backend: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.backend = urlsplit(backend).netloc  # type: ignore[attr-defined]
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    def _pass_on(self) -> None:
        if not self.path.startswith(PREFIX + "/"):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THIS_HOP}
        said |= {
            "X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": PREFIX,
            "X-Forwarded-Host": self.headers["Host"], "Connection": "close",
        }  # fmt: skip
        link = http.client.HTTPConnection(self.server.backend, timeout=30)  # type: ignore[attr-defined]
        try:
            link.request(self.command, self.path.removeprefix(PREFIX), body, said)
            self._answer(link.getresponse())
        finally:
            link.close()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THIS_HOP:
                self.send_header(name, value)
        self.end_headers()
        try:
            while part := answer.read1(65536):
                self.wfile.write(part)
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True  # a stream whose listener has left, or that says nothing more

    do_GET = do_POST = do_DELETE = do_PUT = _pass_on

    def log_message(self, *told: Any) -> None:
        """Nothing: tests read their own output."""

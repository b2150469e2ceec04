"""The number of each request: as who asks gives it, or of our own. Answers, error pages and the audit log tell it."""

from __future__ import annotations

import re
import uuid

from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
#: What is taken as it is given; all else is not ours to write into logs.
_SANE = re.compile(r"[A-Za-z0-9._:=+/@-]{1,64}")


def install(app: Flask) -> None:
    """Number requests before anything else looks at them."""

    @app.before_request
    def begin() -> None:
        number()

    @app.after_request
    def told(response: Response) -> Response:
        response.headers[HEADER] = number()
        return response


def number() -> str:
    """The number of this request."""
    if "request_number" not in g:
        given = request.headers.get(HEADER, "")
        g.request_number = given if _SANE.fullmatch(given) else uuid.uuid4().hex
    found: str = g.request_number
    return found

"""Security headers on every answer, and what may be kept in caches."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_talisman import Talisman

POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "object-src": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_YEAR = 31_536_000


def protect(app: Flask) -> None:
    """Set the headers; TLS itself is the proxy's business."""
    Talisman(
        app, force_https=False, strict_transport_security=False, session_cookie_secure=False,
        session_cookie_http_only=True, session_cookie_samesite="Strict", content_security_policy=POLICY,
        referrer_policy="same-origin", frame_options="DENY", permissions_policy={},
    )  # fmt: skip

    @app.after_request
    def more(response: Response) -> Response:
        response.headers["X-Robots-Tag"] = "none"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if request.endpoint == "pages.static" and "v" in request.args:
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        elif request.endpoint != "pages.static":
            response.headers["Cache-Control"] = "no-store"
        return response

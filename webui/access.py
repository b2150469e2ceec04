"""Who gets in, and what they may. One guard stands before every handler; templates only hide what it would refuse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from taskmanager.engine.audit import Actor
from webui import bearer, hosting, passwords, requests, restricting
from webui.blueprint import PATIENCE_SECONDS, READING_SECONDS
from webui.hosting import Host
from webui.sessions import SignedSessions
from webui.signins import WrongPasswords
from webui.users import VIEW

log = logging.getLogger("taskmanager.web")
F = TypeVar("F", bound=Callable[..., Any])

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: How long a change is tried again while the database is away or busy, in seconds: somebody waits in front of it.
_PATIENCE_OF_CHANGES = 3.0


def needs(action: str) -> Callable[[F], F]:
    """Say what a handler needs; without it a page needs `jobs.view`, and whatever changes something is refused."""

    def mark(view: F) -> F:
        view.needs = action  # type: ignore[attr-defined]
        return view

    return mark


def reads_only(view: F) -> F:
    """Say that a handler of POST changes nothing (Hangfire's /stats), so that it needs no token."""
    view.reads_only = True  # type: ignore[attr-defined]
    view.needs = "jobs.view"  # type: ignore[attr-defined]
    return view


def for_any_user(view: F) -> F:
    """Say that a handler is for whoever signs in, whatever he may: it shows what is his own."""
    view.is_for_any_user = True  # type: ignore[attr-defined]
    return view


def token_in_address(view: F) -> F:
    """Say that a handler takes a bearer token as `access_token` too: browsers' streams cannot send a header."""
    view.takes_token_in_address = True  # type: ignore[attr-defined]
    return view


def may(action: str, resource: str = "") -> bool:
    """Whether who is signed in may do this, to this resource or in general."""
    return hosting.allowed(g.get("user"), action, resource)


def sees_arguments() -> bool:
    """Whether who is signed in may see arguments and messages: lists have hundreds, so that it is asked once."""
    try:
        found: bool = g.sees_arguments
    except AttributeError:
        found = g.sees_arguments = may("args.view")
    return found


def guard(app: Flask, *, users: Mapping[str, str], roles: Mapping[str, str], read_only: bool) -> None:
    """Put the guard before every request."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_SSL_STRICT"] = False  # Sec-Fetch-Site and Origin are looked at instead of Referer
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a page may be open all day; the token dies with the session
    app.session_interface = SignedSessions()
    app.config["WRONG_PASSWORDS"] = WrongPasswords(app.config["TASKMANAGER"].audit)
    csrf = CSRFProtect(app)
    host: Host = app.config["HOST"]
    auth = passwords.authentication(users, roles, read_only)
    check = auth.login_required(lambda: None)
    passwords.limit_guesses(app)
    _hurry(app)

    @app.before_request
    def stand_guard() -> Any:
        view = current_app.view_functions.get(request.endpoint or "")
        if request.endpoint == "pages.static" or getattr(view, "is_public", False):
            return None
        token = bearer.presented(in_address=getattr(view, "takes_token_in_address", False))
        if token is not None:
            refused = _by_bearer(token)
        elif host.who is not None:
            g.user = host.user()
            refused = hosting.unknown() if g.user is None else None
        elif not users:
            return Response(_SETUP, 503, mimetype="text/plain")
        else:
            refused = check()
            g.user = auth.current_user()
        if refused is not None:
            if passwords.is_quiet() and "WWW-Authenticate" in refused.headers:
                del refused.headers["WWW-Authenticate"]
            return refused
        g.user = restricting.narrowed(g.user)
        _permit(view)
        if told := restricting.refusal():
            _denied(view, told)
            abort(403 if not restricting.has(request.endpoint) else 404, told)
        if request.method not in _SAFE and not getattr(view, "reads_only", False):
            if token is None:  # a browser sends a password by itself, but never a bearer token
                _same_site(view)
                _check_form(csrf, view)
            _open_audit(view)
        return None

    @app.after_request
    def end_audit(response: Response) -> Response:
        return _close_audit(response)

    @app.teardown_request
    def abandon_audit(error: BaseException | None) -> None:
        opened = g.pop("audited", None)  # an error that no page is made of
        if opened is not None:
            opened.__exit__(error and type(error), error, None)


def _hurry(app: Flask) -> None:
    """Bound what a request waits for the database: somebody sits before it."""

    @app.before_request
    def hurry() -> None:
        g.haste = current_app.config["TASKMANAGER"].database.hasty(
            PATIENCE_SECONDS if request.method in _SAFE else _PATIENCE_OF_CHANGES,
            reading_seconds=READING_SECONDS,
        )
        g.haste.__enter__()

    @app.teardown_request
    def hurry_no_more(error: BaseException | None) -> None:
        if "haste" in g:
            g.pop("haste").__exit__(None, None, None)


def _by_bearer(token: str) -> Response | None:
    g.user = bearer.user_of(token)
    if g.user is not None:
        return None
    refused = Response("This token lets nobody in.\n", 401, mimetype="text/plain")
    refused.headers["WWW-Authenticate"] = 'Bearer realm="taskmanager", error="invalid_token"'
    return refused


def _check_form(csrf: CSRFProtect, view: Any) -> None:
    try:
        csrf.protect()
    except CSRFError:
        _denied(view, "the form's token was missing or expired")
        raise


_SETUP = """Nobody may sign in yet.

Make a user with a password, or a token for a program, and start anew:

  taskmanager web user add admin --role manage --write
  taskmanager web token add ci --role manage --write

This writes web_users and api_tokens into taskmanager.toml.
"""


def _permit(view: Any) -> None:
    if getattr(view, "is_for_any_user", False):
        return
    wanted = getattr(view, "needs", None) or ("jobs.view" if request.method in _SAFE else "nothing grants this")
    kind, target = _target()
    if view is not None and not may(wanted, f"{kind}:{target}" if kind else ""):
        log.warning("%s may not %s: %s %s refused", g.user.name, wanted, request.method, request.path)
        _denied(view, f"lacks the permission {wanted}")
        abort(403, wanted)


def actor(door: str = "dashboard") -> Actor:
    """Who is signed in, for the audit log. door: dashboard or api."""
    return Actor(g.user.name, door, request.remote_addr, requests.number())


def about(kind: str, target: object, **facts: Any) -> None:
    """Say what the handler changes next, and what it was and will be (`before`, `after`, `note`), for the audit log."""
    g.change.about(kind, target, **facts)


def _open_audit(view: Any) -> None:
    """Whatever a handler changes from here on is written to the audit log, in the transactions it changes it in."""
    action = getattr(view, "needs", "")
    if action in VIEW:  # somebody's own taste, which stands in cookies
        return
    audit = current_app.config["TASKMANAGER"].audit
    g.audited = audit.changing(actor(getattr(view, "door", "dashboard")), action)
    g.change = g.audited.__enter__()
    kind, target = _target()
    if kind:
        g.change.about(kind, target)
        g.change.is_guess = True


def _close_audit(response: Response) -> Response:
    opened = g.pop("audited", None)
    if opened is not None:
        status = response.status_code
        told = _Answered(f"answered {status}") if status >= 400 else None
        opened.__exit__(told and _Answered, told, None)
    return response


class _Answered(Exception):
    """A handler ended in an answer that tells of an error."""


def _denied(view: Any, why: str) -> None:
    """Write a change that was refused to the audit log; looking at a page without permission changes nothing."""
    if request.method in _SAFE:
        return
    action = getattr(view, "needs", "") or request.path
    kind, target = _target()
    who = actor(getattr(view, "door", "dashboard"))
    current_app.config["TASKMANAGER"].audit.denied(who, action, kind or "page", target or request.path, why)


def _target() -> tuple[str, str]:
    """What a request is about, by its address or its fields."""
    given = request.view_args or {}
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "door", "") == "api":  # whose body is no form
        named = getattr(view, "names", None)
        return (named[0], str(given[named[1]])) if named else ("", "")
    for name, kind in (("job_id", "job"), ("recurring_id", "recurring"), ("queue", "queue"), ("server", "server")):
        if name in given or name in request.form:
            return kind, str(given.get(name, request.form.get(name)))
    chosen = request.form.getlist("jobs[]") or request.form.getlist("jobs")
    if chosen:
        kind = "recurring" if "/recurring/" in request.path else "job"
        return kind, ", ".join(chosen[:10])[:100]
    return "", ""


def _same_site(view: Any) -> None:
    """A browser says whether a form was sent from these pages; one that does not say still names its origin."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site != "same-origin"
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign:
        log.warning("%s: a change was sent from another site (%s): refused", g.user.name, origin or site)
        _denied(view, f"sent from another site: {origin or site}")
        abort(403, "same-origin")

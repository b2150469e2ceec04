"""The pages of Diquis, and beside them the dashboard and the hub of notifications, in one WSGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import jwt
from flask import Flask, Response, abort, jsonify, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash

from examples.diquis.application import NotPossible, TenantService
from examples.diquis.infrastructure import SqliteTenants, TaskManagerJobs, folder
from taskmanager import TaskManager
from webui import create_app

_TOKEN_SECONDS = 300
_POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in. role: Admin, or SuperAdmin, who may open the dashboard too."""

    password_hash: str
    role: str


def application(tm: TaskManager, accounts: Mapping[str, Account]) -> Flask:
    """The dashboard's application with Diquis before it: /hangfire and /hubs are the dashboard's, all else is Diquis'.

    tm: with a `jwt_key`, by which the tokens of the pages are signed.
    """
    supers = {name: one.password_hash for name, one in accounts.items() if one.role == "SuperAdmin"}
    jobs, diquis = create_app(tm, users=supers), _diquis(tm, accounts)
    pages = jobs.wsgi_app

    def choose(environ: Any, start_response: Any) -> Any:
        first = environ.get("PATH_INFO", "").split("/")[1:2]
        return (pages if first in (["hangfire"], ["hubs"]) else diquis.wsgi_app)(environ, start_response)

    jobs.wsgi_app = choose  # type: ignore[method-assign]
    return jobs


def _diquis(tm: TaskManager, accounts: Mapping[str, Account]) -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY=tm.settings.jwt_key, SESSION_COOKIE_NAME="diquis", SESSION_COOKIE_SAMESITE="Strict")
    service = TenantService(SqliteTenants(folder() / "diquis.db"), TaskManagerJobs(tm))

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    _sessions(app, accounts)
    _requests_of_admins(app, tm, service)
    _sign_ups(app, service)
    return app


def _sessions(app: Flask, accounts: Mapping[str, Account]) -> None:
    @app.get("/")
    def home() -> Any:
        if "user" not in session:
            return redirect(url_for("sign_in"))
        return render_template("tenants.html", user=session["user"])

    @app.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Any:
        known = accounts.get(request.form.get("user", ""))
        if known is not None and check_password_hash(known.password_hash, request.form.get("password", "")):
            session["user"] = request.form["user"]
            return redirect(url_for("home"))
        wrong = "That is no user and password." if request.method == "POST" else ""
        return render_template("sign_in.html", wrong=wrong), 401 if wrong else 200

    @app.post("/sign-out")
    def sign_out() -> Any:
        session.clear()
        return redirect(url_for("sign_in"))


def _requests_of_admins(app: Flask, tm: TaskManager, service: TenantService) -> None:
    """Scenario A: an admin asks, and is told on his page."""

    @app.get("/api/token")
    @_signed_in
    def token() -> Any:
        """For the hub of notifications."""
        claims = {"sub": session["user"], "exp": int(time.time()) + _TOKEN_SECONDS}
        return jsonify(token=jwt.encode(claims, tm.settings.jwt_key or "", "HS256"))

    @app.get("/api/tenants")
    @_signed_in
    def tenants() -> Any:
        return jsonify(
            [{"name": t.name, "status": int(t.status), "label": t.status.name.title()} for t in service.tenants.all()]
        )

    @app.post("/api/tenants")
    @_signed_in
    def create() -> Any:
        wanted = request.get_json()
        if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str):
            abort(400)
        try:
            tenant, job = service.ask_for(wanted["name"], admin_user_id=session["user"])
        except NotPossible as reason:
            return jsonify(error=str(reason)), 422
        return jsonify(id=str(tenant.id), job=job), 202


def _sign_ups(app: Flask, service: TenantService) -> None:
    """Scenario B: somebody signs up, and is written to."""

    @app.route("/sign-up", methods=["GET", "POST"])
    def sign_up() -> Any:
        if request.method == "GET":
            return render_template("sign_up.html")
        try:
            tenant, _ = service.ask_for(request.form.get("name", ""), email=request.form.get("email", ""))
        except NotPossible as reason:
            return render_template("sign_up.html", wrong=str(reason)), 422
        return render_template("sign_up.html", tenant=tenant), 202


def _signed_in(view: Callable[[], Any]) -> Callable[[], Any]:
    @wraps(view)
    def checked() -> Any:
        if "user" not in session:
            abort(401)
        return view()

    return checked

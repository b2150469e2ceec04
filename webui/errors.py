"""Pages for what went wrong: they say what it means and what to do, and never show a stack trace."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from taskmanager.domain.errors import DatabaseSlow, ReadOnlyDatabase, StorageError
from webui import passwords, requests, restricting, shell
from webui.api import problems

log = logging.getLogger("taskmanager.web")


def explain(app: Flask) -> None:
    """Register the pages."""
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(StorageError, _database_away)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, title: str, text: str, *, hint: str = "", headers: dict[str, str] | None = None) -> Any:
    """An error as a page, or as JSON for a program."""
    if problems.is_api():
        return problems.of_status(status, title, text, headers)
    if not shell.wants_page():
        made: Response = jsonify(error=title, detail=text)
        made.status_code = status
    else:
        g.shell_from_memory = status >= 500
        made = Response(
            render_template("error.html", status=status, heading=title, text=text, hint=hint, number=requests.number()),
            status,
        )
    made.headers.update(headers or {})
    return made


def _expired(error: CSRFError) -> Any:
    if problems.is_api():
        text = "a change that is sent with a password needs a form's token (X-CSRFToken); programs send a bearer token"
        return problems.problem(400, "Access.FormTokenNeeded", text)
    return answer(400, _("The form expired"), _("Reload the page and try again; nothing was changed."))


def _database_away(error: StorageError) -> Any:
    log.warning("a page cannot be shown (request %s): %s", requests.number(), error)
    if isinstance(error, ReadOnlyDatabase):
        return answer(
            503, _("The database cannot be written"), _("It is read-only at the moment. Nothing was changed.")
        )
    if isinstance(error, DatabaseSlow):
        text = _("It did not answer in time, and was not asked further. Narrow the filter, or try again later.")
        return answer(503, _("The database is slow"), text, headers={"Retry-After": "5"})
    text = _("The pages come back by themselves as soon as it does. Jobs are safe: they are in the database.")
    return answer(503, _("The database does not answer"), text, headers={"Retry-After": "5"})


def _http(error: HTTPException) -> Any:
    if error.code is not None and error.code < 400:
        return error.get_response()
    status = error.code or 500
    wanted = str(error.description or "")
    texts = {
        400: (_("This request cannot be read"), wanted),
        403: (_("You may not do this"), _("Your account lacks the permission %(name)s.", name=wanted)),
        404: (
            _("Nothing is here"),
            _("There is nothing at this address. A job that has expired is gone with its history."),
        ),
        405: (_("Not this way"), _("This address takes another method: changes are sent by POST.")),
        413: (_("Too much at once"), _("The form is larger than these pages take.")),
        422: (_("Nothing was changed"), wanted),
        429: (_("Too many wrong passwords"), _("Wait a minute, then sign in again.")),
    }  # fmt: skip
    title, text = texts.get(status, (error.name, wanted))
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
    if status == 429:
        headers["Retry-After"] = str(passwords.WAIT_SECONDS)
    if status == 403 and wanted == "same-origin":
        text = _("The form was sent from another site.")
    if status == 403 and restricting.queues() and wanted.startswith("this dashboard"):
        text = _("This dashboard shows only jobs of these queues: %(names)s.", names=", ".join(restricting.queues()))
    return answer(status, title, text, headers=headers)


def _unexpected(error: Exception) -> Any:
    if current_app.testing and current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    number = requests.number()
    log.error("error %s at %s %s", number, request.method, request.path, exc_info=error)
    text = _("The log of the web process has the details under number %(number)s.", number=number)
    return answer(InternalServerError.code, _("Something broke"), text)

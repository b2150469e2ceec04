"""Errors of the API, as RFC 9457 has them: application/problem+json, each with a code that programs can tell apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Response, request

from taskmanager.domain import errors
from taskmanager.domain.invocation import InvocationUnreadable
from webui import redaction

#: Where the API stands; what goes wrong below it is answered as a problem.
PREFIX = "/api"
MEDIA_TYPE = "application/problem+json"
#: Codes by status, where nothing more exact is known.
_CODES = {
    400: "Request.Malformed", 401: "Access.Unauthorized", 403: "Access.Forbidden", 404: "Request.NotFound",
    405: "Request.MethodNotAllowed", 409: "Request.Conflict", 413: "Request.TooLarge",
    415: "Request.UnsupportedMediaType", 422: "Request.Invalid", 429: "Access.TooManyAttempts",
    500: "Server.Error", 503: "Storage.Unavailable",
}  # fmt: skip
#: Our own errors, the first that fits: status and code.
_KNOWN: tuple[tuple[type[Exception], int, str], ...] = (
    (errors.JobNotFound, 404, "Jobs.NotFound"),
    (errors.RecurringJobNotFound, 404, "Jobs.NotFound"),
    (errors.AmbiguousJob, 409, "Jobs.Ambiguous"),
    (errors.UnknownJob, 404, "Jobs.NotFound"),
    (errors.RecurringJobExists, 409, "Jobs.Exists"),
    (errors.ChangedMeanwhile, 409, "Jobs.ChangedMeanwhile"),
    (errors.PayloadTooLarge, 413, "Request.TooLarge"),
    (errors.CreationCancelled, 422, "Jobs.TriggerFailed"),
    (errors.InvalidCron, 422, "Jobs.InvalidCron"),
    (errors.ArgumentError, 422, "Jobs.InvalidArguments"),
    (InvocationUnreadable, 422, "Jobs.TriggerFailed"),
    (errors.InvalidArgument, 422, "Request.Invalid"),
)
Fault = tuple[str, str]


class Refusal(Exception):
    """A request that is refused. faults: the fields that are wrong, and why."""

    def __init__(
        self, status: int, code: str, detail: str, *, faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.faults, self.headers = tuple(faults), dict(headers or {})

    def answer(self) -> Response:
        """The refusal as a response."""
        return problem(self.status, self.code, self.detail, faults=self.faults, headers=self.headers)


def refuse(status: int, code: str, detail: str, *, faults: Sequence[Fault] = ()) -> NoReturn:
    """Raises Refusal."""
    raise Refusal(status, code, detail, faults=faults)


def refuse_field(field: str, message: str, *, code: str = "Request.Invalid") -> NoReturn:
    """Raises Refusal of one field."""
    refuse(422, code, f"{field}: {message}", faults=[(field, message)])


@contextmanager
def told(*, code: str | None = None, field: str | None = None) -> Iterator[None]:
    """Turn our own errors into problems. code: instead of that of errors which are no look-ups; field: whose they are.

    Raises Refusal.
    """
    try:
        yield
    except tuple(kind for kind, _, _ in _KNOWN) as error:
        status, known = next((s, c) for kind, s, c in _KNOWN if isinstance(error, kind))
        text = redaction.text(str(error))
        faults = [(field, text)] if field is not None and status == 422 else []
        raise Refusal(status, code if code and status == 422 else known, text, faults=faults) from error


def problem(
    status: int, code: str, detail: str, *, title: str | None = None, faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """A response that tells of an error."""
    body: dict[str, Any] = {
        "type": "about:blank", "title": title or HTTPStatus(status).phrase, "status": status, "code": code,
        "detail": detail,
    }  # fmt: skip
    if faults:
        body["errors"] = [{"field": field, "message": message} for field, message in faults]
    made = Response(json.dumps(body), status, mimetype=MEDIA_TYPE)
    made.headers.update(headers or {})
    return made


def of_status(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The problem of an error that has no code of its own."""
    return problem(status, _CODES.get(status, "Request.Failed"), detail or title, title=title, headers=headers)


def is_api() -> bool:
    """Whether the request is one of a program, below the API's path."""
    return request.path == PREFIX or request.path.startswith(PREFIX + "/")


def install(app: Flask) -> None:
    """Answer refusals, and give what the guard says in plain text the form of a problem."""
    app.register_error_handler(Refusal, Refusal.answer)

    @app.after_request
    def shaped(response: Response) -> Response:
        if response.status_code < 400 or not is_api() or response.mimetype == MEDIA_TYPE:
            return response
        text = response.get_data(as_text=True).strip() if response.mimetype == "text/plain" else ""
        status = response.status_code
        # The guard is the only one to answer 503 in plain text: nobody may sign in yet.
        code = "Access.NotConfigured" if status == 503 and text else _CODES.get(status, "Request.Failed")
        made = problem(status, code, text or HTTPStatus(status).phrase)
        made.headers.extend([(n, v) for n, v in response.headers if not n.lower().startswith("content-")])
        return made

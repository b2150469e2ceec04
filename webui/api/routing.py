"""How an operation of the API is declared: address, permission, what it reads and gives; all of it is in the document.

@operation(jobs, "POST", "/api/jobs/<path:jobName>/trigger", needs="jobs.enqueue", gives=Started, creates=True)
def trigger_job(job_name): ...
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from flask import Response, url_for
from flask_smorest import Blueprint
from marshmallow import Schema

from webui import access
from webui.api import problems
from webui.api.parsing import Parser
from webui.api.schemas import ProblemSchema

View = Callable[..., Any]

_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same request sent twice under one key is done once; another body under it is refused.",
}  # fmt: skip


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A group of operations."""

    ARGUMENTS_PARSER = Parser()

    @property
    def tag(self) -> str:
        """What the document calls it."""
        return str(self.name).removeprefix("api-")


def group(name: str, description: str) -> ApiBlueprint:
    """A group of operations, which the document heads with this name."""
    return ApiBlueprint(f"api-{name}", __name__, description=description)


def operation(
    group: ApiBlueprint, method: str, rule: str, *, needs: str = "jobs.view", gives: Any = None, status: int = 200,
    body: type[Schema] | None = None, query: type[Schema] | None = None, creates: bool = False, about: str = "",
    also: dict[int, str] | None = None,
) -> Callable[[View], View]:  # fmt: skip
    """Declare an operation. The function gets the query's values, then the body's, then path parameters by name.

    gives: the schema of the answer, with `status`; None for 204 without a body. creates: it takes an Idempotency-Key.
    about: what kind of thing the first path parameter names, for the audit log. also: further statuses and what they
    mean.
    """
    status = status if gives is not None else 204
    name = re.findall(r"<(?:\w+:)?(\w+)>", rule)[:1]

    def declare(view: View) -> View:
        made = _told(view)
        if body is not None:
            made = group.arguments(body, location="json")(made)
        if query is not None:
            made = group.arguments(query, location="query")(made)
        made = group.response(status, gives() if gives is not None else None)(made)
        for code, text in _statuses(method, body or query, name, also or {}).items():
            made = group.alt_response(code, schema=ProblemSchema(), content_type=problems.MEDIA_TYPE, description=text)(
                made
            )
        facts: dict[str, Any] = {"operationId": _camel(view.__name__), "x-permission": needs}
        if creates:
            facts["parameters"] = [_KEY]
        made = group.doc(**facts)(made)
        guarded: Any = access.needs(needs)(made)
        guarded.door = "api"
        guarded.names = (about, name[0]) if about and name else None
        group.route(rule, methods=[method], tags=[group.tag])(guarded)
        return view

    return declare


def _told(view: View) -> View:
    """The view with path parameters by Python's names, and our own errors as problems."""

    @functools.wraps(view)
    def run(*args: Any, **path: Any) -> Any:
        for value in path.values():
            if isinstance(value, str) and "\0" in value:
                problems.refuse(404, "Request.NotFound", "no name holds a NUL")
        with problems.told():
            answer = view(*args, **{_snake(name): value for name, value in path.items()})
        return Response(status=204) if answer is None else answer

    return run


def _statuses(method: str, reads: Any, names: list[str], also: dict[int, str]) -> dict[int, str]:
    found = {401: "not signed in", 403: "the permission is missing", 429: "too many wrong credentials"}
    if reads is not None or method == "POST":
        found |= {422: "a field is wrong"}
    if method != "GET":
        found |= {400: "the body is not JSON, or a form's token is missing", 413: "the body is too large"}
        found |= {415: "the body is not application/json"} if reads is not None else {}
    if names:
        found |= {404: "there is none of this name"}
    return found | {503: "the database does not answer, or cannot be written"} | also


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "_" + m[1].lower(), name)


def created(view: str, body: Any, status: int = 201, **values: Any) -> tuple[Any, int, dict[str, str]]:
    """An answer 201, or 202 for what has only begun, with the address of what was made."""
    return body, status, {"Location": url_for(view, **values)}

"""The API's document, made of what its operations declare: at the first time somebody asks, for it takes a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Flask
from flask_smorest import Api

import taskmanager
from webui.api.routing import ApiBlueprint

T = TypeVar("T")

_ABOUT = """Run jobs by their names, look at them, and operate an installation of taskmanager.

Send a token as `Authorization: Bearer …`: an API token, or a JWT. Errors are `application/problem+json` with a `code`.
Unknown fields are refused. A list's `next` is the `after` of its following page.
"""
_SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API token, or a JWT"},
    "basic": {"type": "http", "scheme": "basic", "description": "changes also need a form's token (X-CSRFToken)"},
}


class _Api(Api):  # type: ignore[misc]
    """flask-smorest, but for its handling of errors: ours are problems, and those of the pages are left alone."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return


class Document:
    """The document of an application's operations."""

    def __init__(self, app: Flask, groups: Sequence[ApiBlueprint]) -> None:
        self._app, self._groups = app, groups
        self._lock = threading.Lock()
        self._made: dict[str, Any] | None = None
        self._written: dict[Callable[..., Any], Any] = {}

    def get(self) -> dict[str, Any]:
        """The whole document."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def written(self, write: Callable[[dict[str, Any]], T]) -> T:
        """What `write` makes of the document, made once: it is some hundred kilobytes."""
        if write not in self._written:
            self._written[write] = write(self.get())
        found: T = self._written[write]
        return found

    def _make(self) -> dict[str, Any]:
        self._app.config.update(API_TITLE="taskmanager", API_VERSION=taskmanager.__version__, OPENAPI_VERSION="3.1.0")
        security: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]
        api = _Api(self._app, spec_kwargs={"info": {"description": _ABOUT}, "security": security})
        spec = api.spec
        for name, scheme in _SCHEMES.items():
            spec.components.security_scheme(name, scheme)
        for group in self._groups:
            group.register_views_in_doc(api, self._app, spec, name=group.name, parameters=None)
            spec.tag({"name": group.tag, "description": group.description})
        found: dict[str, Any] = spec.to_dict()
        return found


def document_of(app: Flask) -> Document:
    """The document of an application that `create_app` made."""
    found: Document = app.config["OPENAPI"]
    return found

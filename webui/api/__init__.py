"""The REST API: /api/jobs for jobs by name, /api/v1 for all that the pages show and do; its document is OpenAPI 3.1.

Views here ask the same reads and verbs as the pages do. The guard of webui/access.py stands before both.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_smorest import Api

import taskmanager
from webui.api import admin, bulk, byname, document, problems, records, rules, schedules, system, work
from webui.api.schemas import ProblemSchema

GROUPS = (
    byname.named, admin.admin, work.jobs, bulk.bulk, schedules.schedules, system.system, records.records, rules.rules,
)  # fmt: skip

_ABOUT = """Run jobs by their names, look at them, and operate an installation of taskmanager.

Send a token as `Authorization: Bearer …`: an API token, or a JWT. Errors are `application/problem+json` with a `code`.
Unknown fields are refused. A list's `next` is the `after` of its following page.
"""


class _Api(Api):  # type: ignore[misc]
    """flask-smorest, whose errors are problems, and which leaves those of the pages alone."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return


def install(app: Flask) -> None:
    """Put the API beside the pages."""
    app.config.update(API_TITLE="taskmanager", API_VERSION=taskmanager.__version__, OPENAPI_VERSION="3.1.0")
    schemes: dict[str, Any] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "an API token, or a JWT"},
        "basic": {"type": "http", "scheme": "basic", "description": "changes also need a form's token (X-CSRFToken)"},
    }
    api = _Api(
        app, spec_kwargs={"info": {"description": _ABOUT}, "security": [{"bearer": []}, {"basic": []}]}
    )  # fmt: skip
    for name, scheme in schemes.items():
        api.spec.components.security_scheme(name, scheme)
    for group in GROUPS:
        api.register_blueprint(group)
    app.config["OPENAPI"] = api.spec
    app.register_blueprint(document.document)
    problems.install(app)

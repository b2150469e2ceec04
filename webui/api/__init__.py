"""The REST API: /api/jobs for jobs by name, /api/v1 for all that the pages show and do; its document is OpenAPI 3.1.

Views here ask the same reads and verbs as the pages do. The guard of webui/access.py stands before both.
"""

from __future__ import annotations

from flask import Flask

from webui.api import (
    admin,
    bulk,
    byname,
    conditions,
    document,
    edits,
    looks,
    pauses,
    problems,
    records,
    rules,
    schedules,
    searches,
    system,
    work,
)
from webui.api.spec import Document

GROUPS = (
    byname.named, admin.admin, work.jobs, bulk.bulk, schedules.schedules, edits.edits, system.system, records.records,
    rules.rules, conditions.of_all, looks.looks, searches.searches,
    pauses.pauses,
)  # fmt: skip


def install(app: Flask) -> None:
    """Put the API beside the pages."""
    for group in GROUPS:
        app.register_blueprint(group)
    app.config["OPENAPI"] = Document(app, GROUPS)
    app.register_blueprint(document.document)
    problems.install(app)

"""The API's document: OpenAPI 3.1 as JSON, and as a page to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, jsonify, render_template, request

from webui.api.spec import document_of

document = Blueprint("api-document", __name__)


@document.get("/api/v1/openapi.json")
def openapi() -> Any:
    """The document, for programs that make clients of it."""
    made = document_of(current_app)
    return jsonify(made | {"servers": [{"url": request.script_root or "/"}]})


@document.get("/api/v1/docs")
def docs() -> str:
    """The document, for people."""
    made = document_of(current_app)
    return render_template(
        "api.html", here="api", made=made, groups=_groups(made), schemas=made["components"]["schemas"]
    )


def _groups(made: Mapping[str, Any]) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Operations by tag: name, description, operations."""
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for path, methods in made["paths"].items():
        shared = methods.get("parameters", [])
        for method, one in methods.items():
            if method != "parameters":
                parameters = [*shared, *one.get("parameters", [])]
                shown = one | {"path": path, "method": method.upper(), "parameters": parameters}
                by_tag.setdefault(one["tags"][0], []).append(shown)
    told = {tag["name"]: tag.get("description", "") for tag in made["tags"]}
    return [(tag, told.get(tag, ""), operations) for tag, operations in by_tag.items()]

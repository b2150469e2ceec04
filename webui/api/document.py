"""The API's document: OpenAPI 3.1 as JSON, and as a page to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from markupsafe import Markup

from webui.api.spec import document_of

document = Blueprint("api-document", __name__)
#: Stands in the kept text for the address of the application, which a proxy or a host application may change.
_HERE = "{here}"


@document.get("/api/v1/openapi.json")
def openapi() -> Any:
    """The document, for programs that make clients of it."""
    text = document_of(current_app).written(_as_json)
    here = json.dumps(request.script_root or "/")
    return Response(text.replace(json.dumps(_HERE), here, 1), mimetype="application/json")


@document.get("/api/v1/docs")
def docs() -> str:
    """The document, for people."""
    return render_template("api.html", here="api", document=document_of(current_app).written(_as_page))


def _as_json(made: Mapping[str, Any]) -> str:
    return jsonify({**made, "servers": [{"url": _HERE}]}).get_data(as_text=True)


def _as_page(made: Mapping[str, Any]) -> Markup:
    """What stands in the page: the same for all who look, whatever their language."""
    schemas = made["components"]["schemas"]
    return Markup(render_template("api_document.html", made=made, groups=_groups(made), schemas=schemas))


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

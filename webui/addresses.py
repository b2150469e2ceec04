"""Names in addresses: one segment for each, whatever characters it has, so that no two pages share an address."""

from __future__ import annotations

import re

from flask import Flask, g, url_for
from markupsafe import Markup, escape
from werkzeug.routing import BaseConverter

#: Segments that mean something else: a page of ours, and what browsers take for a way up.
_TAKEN = frozenset({"new", ".", ".."})
_CODES = {"~0": "~", "~1": "/"}


def segment(name: str) -> str:
    """A name as a segment: as in JSON pointers `~0` is a tilde and `~1` a slash; a tilde alone only marks a name."""
    text = name.replace("~", "~0").replace("/", "~1")
    return f"~{text}" if text in _TAKEN else text


def name_of(text: str) -> str:
    """The name that a segment stands for."""
    return re.sub("~[01]?", lambda found: _CODES.get(found[0], ""), text)


def job_address(job_id: int) -> Markup:
    """The address of a job. Lists have hundreds: what stands before its number is built once for an answer."""
    try:
        before: Markup = g.before_job_id
    except AttributeError:
        before = g.before_job_id = escape(url_for("pages.job_details", job_id=0).removesuffix("0"))
    return Markup(f"{before}{int(job_id)}")


class NameConverter(BaseConverter):
    """`<name:recurring_id>`: a name with slashes and all."""

    def to_python(self, value: str) -> str:
        return name_of(value)

    def to_url(self, value: str) -> str:
        return super().to_url(segment(value))


def install(app: Flask) -> None:
    """Let routes have names."""
    app.url_map.converters["name"] = NameConverter

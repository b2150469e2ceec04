"""Names in addresses: one segment for each, whatever characters it has, so that no two pages share an address."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from flask import Flask, g, url_for
from markupsafe import Markup, escape
from werkzeug.routing import BaseConverter

#: Segments that mean something else: a page of ours, and what browsers take for a way up.
_TAKEN = frozenset({"new", ".", ".."})
#: What may stand in a query as it is.
IN_QUERIES = "!$'()*,/:;?@"
_CODES = {"~0": "~", "~1": "/"}


def segment(name: str) -> str:
    """A name as a segment: as in JSON pointers `~0` is a tilde and `~1` a slash; a tilde alone only marks a name."""
    text = name.replace("~", "~0").replace("/", "~1")
    return f"~{text}" if text in _TAKEN else text


def quoted(name: str) -> str:
    """A name as a segment of an address, with what the URL standard lets stand in one."""
    return quote(segment(name), safe="!$&'()*+,/:;=@")


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


def recurring_address(recurring_id: str) -> Markup:
    """The address of a recurring job, in the same way."""
    try:
        before: Markup = g.before_recurring_id
    except AttributeError:
        some = url_for("pages.recurring_job", recurring_id="0")
        before = g.before_recurring_id = escape(some.removesuffix("0"))
    return before + quoted(recurring_id)


def asking(endpoint: str, **query: str) -> Markup:
    """The address of a page with a query: each is built once for an answer, for rows of lists share many."""
    try:
        built: dict[tuple[object, ...], Markup] = g.asking
    except AttributeError:
        built = g.asking = {}
    key = (endpoint, *query.items())
    if key not in built:
        if (endpoint,) not in built:
            built[endpoint,] = escape(url_for(endpoint))
        built[key] = built[endpoint,] + f"?{urlencode(query, safe=IN_QUERIES)}"
    return built[key]


class NameConverter(BaseConverter):
    """`<name:recurring_id>`: a name with slashes and all."""

    def to_python(self, value: str) -> str:
        return name_of(value)

    def to_url(self, value: str) -> str:
        return quoted(value)


def install(app: Flask) -> None:
    """Let routes have names."""
    app.url_map.converters["name"] = NameConverter

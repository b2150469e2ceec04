"""Texts of pages in the reader's language: the catalogue of an answer is found once, and not for each text of it."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_babel import Domain, get_translations
from markupsafe import Markup


class Catalogues(Domain):  # type: ignore[misc,unused-ignore]
    """Flask-Babel's, with what it found kept for the rest of the answer."""

    def get_translations(self) -> Any:
        """The translations of this answer's language."""
        if "catalogue" not in g:
            g.catalogue = super().get_translations()
        return g.catalogue


def install(app: Flask) -> None:
    """Let pages and templates find their texts here."""
    app.extensions["babel"].instance.domain_instance = Catalogues()
    app.jinja_env.globals.update(gettext=told, _=told)


def told(message: str, **variables: Any) -> Markup:
    """A text of a template. It is a format, as Jinja has it, also without variables: a % in it is written twice."""
    if variables:
        return Markup(_catalogue().gettext(message)) % variables
    try:
        known: dict[str, Markup] = g.texts
    except AttributeError:
        # The texts without variables that this language was asked for before: as many as templates have, at most.
        known = g.texts = vars(_catalogue()).setdefault("told", {})
    found = known.get(message)
    if found is None:
        found = known[message] = Markup(_catalogue().gettext(message)) % {}
    return found


def _catalogue() -> Any:
    """The same without Flask-Babel's way to it: rows of lists have texts with variables."""
    try:
        return g.catalogue
    except AttributeError:
        return get_translations()

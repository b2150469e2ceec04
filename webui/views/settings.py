"""Settings: what somebody likes, kept in cookies; and what this installation is, for who looks after it."""

from __future__ import annotations

import functools
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from flask import render_template

import taskmanager
from taskmanager import config
from taskmanager.domain import times
from taskmanager.storage import catalogue
from taskmanager.storage.doctor import Finding
from taskmanager.storage.transaction import Tx
from webui import access, examining, filtering
from webui.access import needs
from webui.blueprint import manager, pages, read

#: What a page is made of and what speaks to the database, as it is called where packages are.
_PACKAGES = ("SQLAlchemy", "PyMySQL", "psycopg", "Flask", "Werkzeug", "Jinja2", "waitress", "Flask-Babel")


@pages.get("/settings")
def personal_settings() -> str:
    """What somebody may choose for himself."""
    return render_template("settings.html", here="settings", keys=filtering.KEYS)


@pages.get("/settings/system")
@needs("system.view")
def system_settings() -> str:
    """What this installation is made of, how large its tables are, and how it is set."""
    return _system(None)


@pages.post("/settings/system")
@needs("system.view")
def examine_system() -> str:
    """The same, and what `taskmanager doctor` finds: dozens of statements, so only for who asks."""
    access.about("system", "findings")
    return _system(examining.findings())


def _system(findings: list[Finding] | None) -> str:
    tm = manager()

    def work(tx: Tx) -> Any:
        return catalogue.sizes(tx), catalogue.lacking(tx), tx.now()

    sizes, lacking, now = read(work)
    known = [one for one in config.describe(tm.settings) if one[0] != "database_url"]
    shown = ".".join(map(str, tm.database.engine.dialect.server_version_info or ()))
    return render_template(
        "system.html", here="settings", sizes=sizes, lacking=lacking, now=now, application=times.utcnow(),
        product_version=shown, findings=findings, listed=known, vendored=_vendored(),
        versions=[("taskmanager", taskmanager.__version__), ("Python", platform.python_version()), *_installed()],
    )  # fmt: skip


@functools.cache
def _installed() -> list[tuple[str, str]]:
    found = []
    for name in _PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:  # the driver of another product
            continue
    return found


@functools.cache
def _vendored() -> list[tuple[str, str, str, str]]:
    """Package, version, licence and the file with its text, of what browsers load from us."""
    manifest = json.loads((Path(__file__).parents[1] / "static" / "vendor" / "MANIFEST.json").read_text("utf-8"))
    return sorted({(f["package"], f["version"], f["licence"], f["licence_file"]) for f in manifest.values()})

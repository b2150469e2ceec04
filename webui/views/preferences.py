"""What somebody likes: language, theme, times, live updates, panels, in cookies; whether this process answers."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask_babel import gettext as _

from webui import columns, languages, shell
from webui.access import needs
from webui.blueprint import pages
from webui.views.actions import back
from webui.views.overview import PANELS


@pages.post("/preferences")
@needs("jobs.view")
def preferences() -> Any:
    """Remember what was chosen, or forget all of it, and go back."""
    answer: Any = redirect(back(), 303)
    if request.form.get("forget"):
        for name in (*languages.CHOICES, "zone", "locale", "panels"):
            languages.forget(answer, name)
        columns.forget(answer)
        flash(_("All choices are forgotten."), "done")
        return answer
    if request.form.get("panels"):
        shown = request.form.getlist("panel")
        languages.keep(answer, "panels", ".".join(one for one in PANELS if one not in shown))
    for name in (*languages.CHOICES, "zone", "locale"):
        chosen = request.form.get(name)
        if chosen is None:
            continue
        if languages.may_be(name, chosen.strip()):
            languages.keep(answer, name, chosen.strip())
        elif name == "zone":
            flash(_("“%(zone)s” is no time zone; one is called Europe/Prague.", zone=chosen[:60]), "warn")
        elif name == "locale":
            flash(_("“%(name)s” is no locale; one is called en-GB.", name=chosen[:60]), "warn")
    return answer


@pages.get("/health")
def health() -> Any:
    """200 when the database answers, 503 when it does not; nothing more, for this address is open to all."""
    found = shell.seen()
    return ("ok\n", 200) if found is not None and not found.stale else ("the database does not answer\n", 503)


health.is_public = True  # type: ignore[attr-defined]

"""What somebody likes: language, theme, times, live updates. Kept in cookies; and whether this process answers."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from webui import languages, shell
from webui.access import needs
from webui.blueprint import pages
from webui.views.actions import back


@pages.post("/preferences")
@needs("jobs.view")
def preferences() -> Any:
    """Remember what was chosen, and go back."""
    answer: Any = redirect(back(), 303)
    for name, allowed in languages.CHOICES.items():
        chosen = request.form.get(name)
        if chosen in allowed:
            languages.keep(answer, name, chosen)
    return answer


@pages.get("/health")
def health() -> Any:
    """200 when the database answers, 503 when it does not; nothing more, for this address is open to all."""
    found = shell.seen()
    return ("ok\n", 200) if found is not None and not found.stale else ("the database does not answer\n", 503)


health.is_public = True  # type: ignore[attr-defined]

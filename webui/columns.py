"""Which columns a list of jobs has: what the address says, else what who is looking chose, else the usual ones."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l

from webui import languages

_LABELS: dict[str, Any] = {
    "state": _l("State"), "runs": _l("Runs"), "reason": _l("Reason"), "server": _l("Server"),
    "progress": _l("Progress"), "started": _l("Running for"), "latency": _l("Latency"), "duration": _l("Duration"),
    "result": _l("Result"), "error": _l("Error"), "attempts": _l("Attempts"), "parent": _l("Waits for"),
    "starts": _l("Starts"), "queue": _l("Queue"), "since": _l("Since"), "created": _l("Created"),
    "expires": _l("Expires"), "recurring": _l("Recurring job"),
}  # fmt: skip
_OF: dict[str, tuple[str, ...]] = {
    "all": ("state", "queue", "since"), "enqueued": ("queue", "since"), "scheduled": ("runs", "reason", "queue"),
    "processing": ("server", "progress", "started", "queue"),
    "succeeded": ("latency", "duration", "result", "queue", "since"), "failed": ("error", "attempts", "queue", "since"),
    "deleted": ("reason", "queue", "since"), "awaiting": ("parent", "starts", "queue", "since"),
}  # fmt: skip
#: What lists do not show by themselves.
_MORE = ("created", "expires", "recurring")


def offered(state: str) -> dict[str, Any]:
    """The columns that a list may have beside the job's name, with their labels, in their order."""
    return {name: _LABELS[name] for name in (*_OF[state], *_MORE)}


def shown(state: str) -> frozenset[str]:
    """Those that this list has."""
    for text in (",".join(request.args.getlist("cols")), request.cookies.get(f"tm_{_cookie(state)}", "")):
        if text:
            return frozenset(_known(state, text))
    return frozenset(_OF[state])


def listed(state: str, names: frozenset[str], states: int) -> dict[str, Any]:
    """These columns of a list with their labels, in their order. states: of how many its jobs are, 0 for all.

    Where they are of several the state is told; among all jobs it may be left out.
    """
    is_told = "state" in names if state == "all" else states != 1
    first = {"state": _LABELS["state"]} if is_told else {}
    return first | {name: text for name, text in offered(state).items() if name in names and name != "state"}


def keep(answer: Any, state: str) -> None:
    """Remember what the address says; an empty choice is one."""
    languages.keep(answer, _cookie(state), ".".join(_known(state, ",".join(request.args.getlist("cols")))) or "-")


def forget(answer: Any) -> None:
    """Take all choices back."""
    for state in _OF:
        if f"tm_{_cookie(state)}" in request.cookies:
            languages.forget(answer, _cookie(state))


def _known(state: str, text: str) -> list[str]:
    wanted = set(text.replace(".", ",").split(","))
    return [name for name in (*_OF[state], *_MORE) if name in wanted]


def _cookie(state: str) -> str:
    return f"cols_{state}"

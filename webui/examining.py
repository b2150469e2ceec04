"""What `taskmanager doctor` finds, for pages: looked for when somebody asks, by one at a time, kept for a moment."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from flask import Flask, current_app

from taskmanager.storage.doctor import Finding
from webui import redaction
from webui.blueprint import manager

#: How long findings are told again, and how long all that is read for them may take.
_KEPT_SECONDS, _READING_SECONDS = 10.0, 20.0


class Examined:
    """The newest findings of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = float("-inf")
        self.findings: list[Finding] = []


def install(app: Flask) -> None:
    """Let pages examine."""
    app.config["EXAMINED"] = Examined()


def findings() -> list[Finding]:
    """All findings, what is wrong first; texts that hold what looks like a secret are masked."""
    kept: Examined = current_app.config["EXAMINED"]
    tm = manager()
    with kept.lock:
        if time.monotonic() - kept.at > _KEPT_SECONDS:
            with tm.database.hasty(_READING_SECONDS, reading_seconds=_READING_SECONDS):
                found = tm.examine()
            order = ("bad", "warn", "ok")
            kept.findings = sorted(found, key=lambda one: order.index(one.level))
            kept.at = time.monotonic()
        told = list(kept.findings)
    return [replace(one, text=redaction.text(one.text), cure=redaction.text(one.cure)) for one in told]

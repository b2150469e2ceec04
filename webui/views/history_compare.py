"""Two runs of c_LoggedJob beside each other."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from taskmanager.storage import monitoring_logged
from taskmanager.storage.transaction import Tx
from webui.blueprint import pages, read

#: What is compared, in the order in which it is shown.
FIELDS = (
    "JobName", "JobType", "Success", "StartedAt", "CompletedAt", "DurationMs", "ServerName", "TriggeredBy",
    "CpuTimeMs", "MemoryUsedMB", "ErrorMessage", "ResultMessage", "StackTrace",
)  # fmt: skip


@pages.get("/history/compare")
def history_compare() -> Any:
    """Two runs by their numbers, and where they differ."""
    ids = [request.args.get(name, type=int) for name in ("a", "b")]
    a, b = read(lambda tx: [run_of(tx, one) for one in ids])
    return render_template(
        "history_compare.html", here="history", ids=ids, a=a, b=b,
        differing=differing(a, b) if a is not None and b is not None else (),
    )  # fmt: skip


def run_of(tx: Tx, run_id: int | None) -> dict[str, Any] | None:
    """One run; None when there is none."""
    return monitoring_logged.run(tx, run_id) if run_id is not None and 0 <= run_id < 1 << 62 else None


def differing(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """The columns in which two runs differ."""
    return [name for name in FIELDS if (a[name] or None) != (b[name] or None)]

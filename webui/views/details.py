"""One job: its call, its history with every attempt, stack trace, log and result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain import tags
from taskmanager.domain.records import JobRecord, StateRecord
from taskmanager.engine.client import MADE_FROM, MADE_INTO, new_key
from taskmanager.engine.history import TRIGGERED_BY
from taskmanager.engine.placing import MOVABLE
from taskmanager.engine.transitions import STOPPED_AT
from taskmanager.storage import monitoring_details, monitoring_logged_statistics, recurring_runs
from taskmanager.storage.job_pauses import JobPause
from taskmanager.storage.monitoring_details import Details
from taskmanager.storage.monitoring_logged import Run
from taskmanager.storage.recurring_runs import RecurringRun
from webui import (
    access,
    callforms,
    errors,
    formats,
    joblogs,
    jobviews,
    panels,
    pausing,
    redaction,
    restricting,
    serverviews,
    shell,
)
from webui.blueprint import pages, read
from webui.bulks import ACTIONS
from webui.progress import remaining, share_of, told_progress
from webui.runviews import Runs

#: Parameters that the page shows in words elsewhere.
_TOLD = frozenset({"Continuations", "Progress", STOPPED_AT, MADE_FROM, MADE_INTO, TRIGGERED_BY, tags.PARAMETER})
#: Runs that the chart of a job shows.
_CHARTED = 60

#: How long a run that was asked to end may take before the page says that it did not react.
_PATIENCE_MS = 60_000


@pages.get("/jobs/details/<int:job_id>")
def job_details(job_id: int) -> Any:
    """The page of a job."""
    found = _must(job_id)
    if found is None:
        return _gone(job_id)
    seen = shell.seen()
    now = seen.snapshot.at if seen else found.job.created_at
    if request.args.get("form") == "json":
        return _as_json(found)
    newer, older = (None, None) if restricting.queues() else _neighbours(found)
    until = now if found.is_newest else None
    spans = _spans(found.job.history, until)
    attempts, strays = joblogs.attempts(found.job, found.log, found.runs_before, is_newest=found.is_newest)
    progress = share_of(found.job.parameters.get("Progress"))
    state = (found.job.state or "").lower()
    return render_template(
        "details.html", here="jobs", details=found, job=found.job, state=state, now=now, attempts=attempts,
        spans=spans, figures=_figures(found.job.history, spans) if found.is_newest else (None, None), newer=newer,
        older=older, strays=strays, log_after=_log_after(),
        triggered_by=jobviews.plain(found.job.parameters.get(TRIGGERED_BY)),
        strip=_strip(found.job.history, until), actions=ACTIONS.get(state, ()),
        parameters=parameters_of(found), held=_held(found), warning=_warning(found, now),
        progress=progress, told_progress=told_progress(progress, remaining(found.job, now)),
        tags=tags.of_parameter(found.job.parameters.get(tags.PARAMETER)),
        retry_count=jobviews.plain(found.job.parameters.get("RetryCount")),
        recurring_id=jobviews.plain(found.job.parameters.get("RecurringJobId")),
        last_log=found.log[-1].id if found.log else 0, redaction=redaction,
        runs=Runs(()) if restricting.queues() else runs_of(found),
        made_from=ids_of(found.job, MADE_FROM), made_into=ids_of(found.job, MADE_INTO),
        panels=panels.of(found.job) if access.may("args.view") else (),
        editable=_is_editable(found.job), stopping=_stopping(found, now), places=_places(state), once=new_key(),
        copyable=access.may("jobs.enqueue") and jobviews.is_peoples(found.job),
        server=found.job.current.data.get("ServerId", "") if found.job.current else "",
    )  # fmt: skip


@pages.get("/jobs/details/<int:job_id>.json")
def job_json(job_id: int) -> Any:
    """The same for a program."""
    found = _must(job_id)
    return _gone(job_id) if found is None else _as_json(found)


def _must(job_id: int) -> Details | None:
    if job_id >= 1 << 62:
        return None
    return read(lambda tx: monitoring_details.details(tx, job_id, before=_before(), log_after=_log_after()))


def _before() -> int | None:
    """The state before which the history is shown; None for its newest part."""
    return monitoring_details.bounded(request.args.get("states_before", type=int))


def _log_after() -> int:
    return monitoring_details.bounded(request.args.get("log_after", type=int)) or 0


def _gone(job_id: int) -> Any:
    title = _("Job #%(id)s is not here", id=job_id)
    text = _("It has expired and was removed with its history, or never existed. Runs are kept longer in the history.")
    return errors.answer(404, title, text, hint=url_for("pages.history"))


def _neighbours(found: Details) -> tuple[int | None, int | None]:
    """Those next to it in the list of its state; not of what runs or has a long history: so much is asked already."""
    state = found.job.state
    if state is None or found.servers or found.older:
        return None, None
    return read(lambda tx: monitoring_details.neighbours(tx, found.job.id, state))


def _figures(history: tuple[StateRecord, ...], spans: dict[int, float]) -> tuple[float | None, float | None]:
    """How long the last run waited, and how long it took, in milliseconds."""
    places = [n for n, state in enumerate(history) if state.name == "Processing"]
    if not places:
        return None, None
    last = places[-1]
    before = history[last - 1] if last else None
    return spans.get(before.id) if before is not None and before.name == "Enqueued" else None, spans.get(
        history[last].id
    )


def runs_of(found: Details) -> Runs:
    """The last runs of the recurring job, or of the job's name."""
    recurring_id = jobviews.plain(found.job.parameters.get("RecurringJobId"))
    if recurring_id:
        return Runs(read(lambda tx: recurring_runs.newest(tx, [recurring_id], _CHARTED))[recurring_id])
    name = jobviews.full_title(found.job)
    known = read(lambda tx: monitoring_logged_statistics.statistics(tx, name, shown=_CHARTED, measured=_CHARTED))
    return Runs(tuple(_charted(r) for r in known.last if r.started is not None and (r.job_id or "").isdigit()))


def _charted(run: Run) -> RecurringRun:
    ended = "succeeded" if run.succeeded else "failed"
    started = run.started or datetime(1970, 1, 1)
    return RecurringRun("", int(run.job_id or 0), started, run.duration_ms or 0, None, ended)


def ids_of(job: JobRecord, name: str) -> list[int]:
    """The jobs that a parameter names."""
    return [int(one) for one in job.parameters.get(name, "").split(",") if one.isdigit() and len(one) < 19]


def remarks_of(found: Details) -> list[str]:
    """What is to be said of a job that is not as it looks."""
    seen = shell.seen()
    now = seen.snapshot.at if seen else found.job.created_at
    return [text for text in (_warning(found, now), _stopping(found, now)) if text]


def _is_editable(job: JobRecord) -> bool:
    return callforms.may_edit() and callforms.known_call(job.invocation_data, job.arguments) is not None


def _places(state: str) -> tuple[str, ...]:
    """What of a job's place who is looking may change: its time, its queue."""
    if not access.may("jobs.requeue") or restricting.queues():
        return ()
    return ("at", "queue") if state.capitalize() in MOVABLE else ("queue",)


def _spans(history: tuple[StateRecord, ...], now: datetime | None) -> dict[int, float]:
    """How long each state lasted, or lasts so far, in milliseconds; now: None where newer states are not here."""
    found = {}
    for place, state in enumerate(history):
        if place + 1 < len(history):
            found[state.id] = max(0.0, formats.span(state.created_at, history[place + 1].created_at) or 0.0)
        elif now is not None and state.name in ("Enqueued", "Scheduled", "Processing", "Awaiting"):
            found[state.id] = max(0.0, formats.span(state.created_at, now) or 0.0)
    return found


def _strip(history: tuple[StateRecord, ...], now: datetime | None) -> list[dict[str, Any]]:
    """The history as bars on a line of 1000 units; what is short is still seen."""
    spans = _spans(history, now)
    shown = [(s, spans.get(s.id, 0.0)) for s in history if s.name not in ("Succeeded", "Failed", "Deleted")][-60:]
    total = sum(length for _, length in shown)
    if not total or len(shown) < 2:
        return []
    least = 8.0
    scale = (1000 - least * len(shown)) / total
    bars, x = [], 0.0
    for state, length in shown:
        width = least + length * scale
        bars.append({"x": round(x, 1), "width": round(width - 1.5, 1), "state": state.name.lower(), "ms": length})
        x += width
    return bars


def parameters_of(found: Details) -> list[tuple[str, str]]:
    """The parameters that the page lists, masked."""
    shown = []
    for name, value in sorted(found.job.parameters.items()):
        if name not in _TOLD:
            hidden = redaction.is_secret(name) or not access.may("args.view")
            shown.append((name, redaction.MASK if hidden else jobviews.result(value)))
    return shown


def _held(found: Details) -> Sequence[JobPause]:
    """The pauses by type or tag for which the job waits; a dashboard of some queues tells of none."""
    return (
        () if restricting.queues() else pausing.of_job(found.job.state, found.job.invocation_data, found.job.parameters)
    )


def _warning(found: Details, now: datetime) -> str:
    """Whether a job that is said to run can still be running."""
    current = found.job.current
    if found.job.state != "Processing" or current is None:
        return ""
    server = current.data.get("ServerId", "")
    mine = next((s for s in found.servers if s.id == server), None)
    if mine is None:
        return str(_("The server that performs this job is gone. Its jobs are given back to their queues soon."))
    if serverviews.view(mine, now).stage != "active":
        return str(_("The server that performs this job has not been heard of for over a minute."))
    return ""


def _stopping(found: Details, now: datetime) -> str:
    """Whether a run that was cancelled has ended; empty when there was none."""
    history = found.job.history
    if found.job.state != "Deleted" or len(history) < 2 or not found.is_newest or history[-2].name != "Processing":
        return ""
    asked = history[-1].created_at
    stopped = formats.parsed(found.job.parameters.get(STOPPED_AT))
    if stopped is not None and stopped >= history[-2].created_at:
        took = formats.duration(max(0.0, formats.span(asked, stopped) or 0.0))
        return str(_("The run was asked to end, and has ended after %(span)s.", span=took))
    if history[-2].data.get("ServerId", "") not in {s.id for s in found.servers}:
        return str(_("The run was asked to end. The server that performed it is gone."))
    waited = formats.span(asked, now) or 0.0
    if waited < _PATIENCE_MS:
        return str(_("The run was asked to end, and has not ended yet."))
    text = _("The run was asked to end %(span)s ago and did not react: it goes on until it ends by itself.",
             span=formats.duration(waited))  # fmt: skip
    return str(text)


def _as_json(found: Details) -> Response:
    job, shown = found.job, access.may("args.view")
    made: Response = jsonify(
        id=job.id, state=job.state, name=jobviews.full_name(job), queue=job.queue,
        created_at=formats.iso(job.created_at),
        expire_at=formats.iso(job.expire_at) if job.expire_at else None,
        arguments=[{"name": a.name, "value": a.text} for a in jobviews.arguments(job)] if shown else None,
        parameters=dict(parameters_of(found)),
        history=[
            {
                "state": s.name, "reason": redaction.message(s.reason), "at": formats.iso(s.created_at),
                "data": {k: redaction.text(v) for k, v in s.data.items()} if shown else {},
            }
            for s in job.history
        ],
    )  # fmt: skip
    # Somebody opens the address as a page: whatever a browser takes it for, there is no markup in it.
    made.set_data(made.get_data().replace(b"<", b"\\u003c"))
    return made

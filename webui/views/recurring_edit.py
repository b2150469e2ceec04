"""A recurring job in a form: checked at each field, previewed before it is saved, never over what somebody changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import (
    ChangedMeanwhile,
    InvalidArgument,
    InvalidCron,
    InvalidFields,
    RecurringJobNotFound,
)
from taskmanager.domain.invocation import Invocation
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine import definitions
from taskmanager.engine.client import check_queue
from taskmanager.engine.definitions import Edit
from taskmanager.engine.legacy import row_of
from taskmanager.engine.legacy_edits import RowEdits, RowForm
from taskmanager.storage import recurring as rows
from taskmanager.storage.legacy_shape import Shape
from webui import access, callforms, cron_builder, crons, restricting, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.jobforms import Field
from webui.recurring_marks import server_zone

MISFIRES = [misfire.name.lower() for misfire in Misfire]
#: Fields of the hash, as the form names them.
_NAMES = {
    "Cron": "cron", "TimeZoneId": "time_zone", "Queue": "queue", "Misfire": "misfire", "DaysAnd": "days_and",
    "Job": "arguments",
}  # fmt: skip
_FLAGS = frozenset({"IsActive", "EmailOnFailure", "Active"})


@dataclass(slots=True)
class Form:
    """What the page shows. values: by field; now: what is stored where that is another, after a conflict.

    not_built: what is wrong with the fields of a common schedule.
    """

    version: str
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    now: dict[str, str] = field(default_factory=dict)
    arguments: list[Field] = field(default_factory=list)
    problem: str = ""
    is_stale: bool = False
    not_built: str = ""


@pages.get("/cron/preview")
@needs("recurring.edit")
def cron_preview() -> str:
    """What a cron means and when it fires next; a part of a page."""
    given = request.args
    zone = given.get("time_zone", "UTC")
    if given.get("server"):
        zone = server_zone()
    found = crons.preview(
        given.get("cron", given.get("CronExpression", ""))[:200], zone[:80], days_and=bool(given.get("days_and"))
    )
    return render_template("cron_preview.html", preview=found, zone=zone)


@pages.route("/recurring/<name:recurring_id>/edit", methods=["GET", "POST"])
@needs("recurring.edit")
def recurring_edit(recurring_id: str) -> Any:
    """The form; and what was typed in it."""
    row_id = row_of(recurring_id)
    if row_id is not None:
        return _row(recurring_id, row_id)
    record = read(lambda tx: rows.load(tx, recurring_id))
    if record is None:
        abort(404)
    form = Form(definitions.version(record), _values(record))
    known = callforms.known_call(record.job) if callforms.may_edit() else None
    form.arguments = callforms.fields(*known) if known else []
    if request.method == "GET":
        return _page(record, form, known is not None)
    call: Invocation | None = None
    take(form, _values(record))
    if known is not None:
        form.arguments, call, form.problem = callforms.changed(*known, request.form)
    if request.form.get("version") != definitions.version(record):
        return _conflict(form, record, known is not None)
    if is_built(form):
        return _page(record, form, known is not None), 422 if form.not_built else 200
    check(form)
    is_whole = not (form.errors or form.problem or any(one.error for one in form.arguments))
    if request.form.get("preview"):
        access.about("", "")  # nothing is changed
    if request.form.get("preview") or not is_whole:
        return _page(record, form, known is not None), 200 if is_whole else 422
    wanted = _wanted(form.values, call)
    before, after = _facts(record, None), _facts(record, wanted)
    access.about(
        "recurring", recurring_id, before={n: before[n] for n in before if before[n] != after[n]},
        after={n: after[n] for n in after if before[n] != after[n]},
    )  # fmt: skip
    try:
        done = manager().recurring_jobs.edit(recurring_id, wanted, version=request.form.get("version", ""))
    except ChangedMeanwhile:
        return _conflict(form, record, known is not None)
    except RecurringJobNotFound:
        abort(404)
    except (InvalidCron, InvalidArgument) as error:
        form.problem = str(error)
        return _page(record, form, known is not None), 422
    return _saved(recurring_id, done)


@pages.post("/recurring/revert")
@needs("recurring.edit")
def recurring_revert() -> Any:
    """Make a definition again what the code says."""
    recurring_id = request.form.get("recurring_id", "")
    record = read(lambda tx: rows.load(tx, recurring_id))
    if record is None:
        abort(404)
    if to_code(record):
        flash(_("%(id)s is as the code says again.", id=recurring_id), "done")
    else:
        flash(_("%(id)s was as the code says already.", id=recurring_id), "warn")
    return redirect(url_for("pages.recurring_edit", recurring_id=recurring_id), 303)


def to_code(record: RecurringRecord) -> bool:
    """Make a definition again what the code says; whether anything was another."""
    restricting.must_show(record.in_code.get("Queue", record.queue))
    names = [_NAMES.get(n, n.lower()) for n in record.overrides if n != "Job"]
    was = definitions.facts(definitions.fields_of(record))
    in_code = definitions.facts(definitions.fields_of(record) | dict(record.in_code))
    access.about(
        "recurring", record.id, before={n: was[n] for n in names}, after={n: in_code[n] for n in names},
        note="as the code says",
    )  # fmt: skip
    return manager().recurring_jobs.revert(record.id)


def _values(record: RecurringRecord) -> dict[str, str]:
    misfire = record.misfire if record.misfire in (0, 1, 2) else 0
    return {
        "cron": record.cron, "time_zone": record.time_zone, "queue": record.queue,
        "misfire": Misfire(misfire).name.lower(), "days_and": "1" if record.days_and else "",
        "enabled": "" if record.paused else "1",
    }  # fmt: skip


def take(form: Form, stored: Mapping[str, str]) -> None:
    """What was typed, or a common schedule that was built; a box that is not checked is not sent."""
    flags = {"days_and", "enabled"} | _FLAGS
    form.values = {
        name: request.form.get(name, "" if name in flags else value).strip()[:1000] for name, value in stored.items()
    }
    cron = next((name for name in ("cron", "CronExpression") if name in form.values), None)
    if cron is not None and request.form.get("preview") == "build":
        try:
            form.values[cron] = cron_builder.build(request.form)
        except cron_builder.NotBuilt as error:
            form.not_built = str(error)


def is_built(form: Form) -> bool:
    """Whether the press was only to fill in a common schedule: what else is wrong is not told yet."""
    if request.form.get("preview") != "build":
        return False
    access.about("", "")  # nothing is changed
    form.errors, form.problem = {}, ""
    for one in form.arguments:
        one.error = ""
    return True


def check(form: Form) -> None:
    """Cron, zone, queue and misfire; what is wrong stands at the field."""
    values = form.values
    form.errors = crons.problems(values["cron"], values["time_zone"])
    try:
        check_queue(values["queue"])
    except InvalidArgument as error:
        form.errors["queue"] = str(error)
    if not restricting.shows(values["queue"]):
        form.errors["queue"] = _("is none of the queues of this dashboard")
    if values["misfire"] not in MISFIRES:
        form.errors["misfire"] = _("is none of the choices")


def _wanted(values: Mapping[str, str], call: Invocation | None) -> Edit:
    return Edit(
        cron=values["cron"], time_zone=values["time_zone"], queue=values["queue"],
        misfire=Misfire.parse(values["misfire"]), days_and=bool(values["days_and"]), enabled=bool(values["enabled"]),
        by=g.user.name, invocation=call,
    )  # fmt: skip


def _facts(record: RecurringRecord, wanted: Edit | None) -> dict[str, Any]:
    """A definition for the audit log, its arguments by name; as it is, or as it is wanted."""
    fields = definitions.fields_of(record) if wanted is None else definitions.edited(record, wanted)
    paused = record.paused if wanted is None else not wanted.enabled
    facts = definitions.facts(fields) | {"paused": paused}
    known = callforms.known_call(fields["Job"])
    return facts | {"arguments": callforms.named(*known) if known else None}


def _conflict(form: Form, seen: RecurringRecord, editable: bool) -> Any:
    """Somebody else was quicker: what is typed stays, and what is stored now stands beside it."""
    record = read(lambda tx: rows.load(tx, seen.id))
    if record is None:
        abort(404)
    form.is_stale, form.version = True, definitions.version(record)
    for one in form.arguments:
        one.error = ""
    form.now = {name: value for name, value in _values(record).items() if value != form.values[name]}
    known = callforms.known_call(record.job) if callforms.may_edit() else None
    stored = {f.name: f.text for f in callforms.fields(*known)} if known else {}
    typed = {f.name: f.text for f in form.arguments if not f.is_secret}
    form.now |= {f"arg-{name}": text for name, text in stored.items() if name in typed and typed[name] != text}
    return _page(record, form, editable), 409


def _saved(recurring_id: str, done: bool) -> Any:
    flash(_("Saved.") if done else _("Nothing was to be changed."), "done")
    if not shell.wants_page():
        return "", 204
    return redirect(url_for("pages.recurring_job", recurring_id=recurring_id), 303)


def _page(record: RecurringRecord, form: Form, editable: bool) -> str:
    zone = form.values["time_zone"]
    overridden = {_NAMES.get(n, n): record.in_code.get(n, "") for n in record.overrides}
    return render_template(
        "recurring_edit.html", here="recurring", is_new=False, record=record, form=form, editable=editable,
        misfires=MISFIRES,
        zones=crons.zones(), zone=zone, overridden=overridden,
        preview=crons.preview(form.values["cron"], zone, days_and=bool(form.values["days_and"])),
    )  # fmt: skip


# -- rows of c_Job ------------------------------------------------------------------------------------------------


def _row(recurring_id: str, row_id: int) -> Any:
    edits = manager().row_edits
    if edits is None:
        abort(404)
    row = _row_or_404(edits, row_id)
    form = Form(row.version, dict(row.values))
    if request.method == "GET":
        return _row_page(row, form)
    take(form, row.values)
    if is_built(form):
        return _row_page(row, form), 422 if form.not_built else 200
    if request.form.get("preview"):
        access.about("", "")  # nothing is changed
        return _row_page(row, form)
    changed = [n for n, v in form.values.items() if v != row.values[n].strip()]
    access.about(
        "recurring", recurring_id, before={n: row.values[n] for n in changed},
        after={n: form.values[n] for n in changed},
    )  # fmt: skip
    try:
        done = edits.edit(row_id, form.values, version=request.form.get("version", ""))
    except InvalidFields as error:
        form.errors = error.errors
        return _row_page(row, form), 422
    except ChangedMeanwhile:
        row = _row_or_404(edits, row_id)
        form.is_stale, form.version = True, row.version
        form.now = {n: v for n, v in row.values.items() if v.strip() != form.values[n]}
        return _row_page(row, form), 409
    except RecurringJobNotFound:
        abort(404)
    return _saved(recurring_id, done)


def _row_or_404(edits: RowEdits, row_id: int) -> RowForm:
    try:
        return edits.read(row_id)
    except RecurringJobNotFound:
        abort(404)


def _row_page(row: RowForm, form: Form) -> str:
    zone = server_zone() if row.shape is Shape.SPECIFICATION else ""
    cron = form.values.get("CronExpression", "")
    preview = crons.preview(cron, zone) if zone and re.search(r"\S", cron) else None
    return render_template(
        "recurring_row.html", here="recurring", row=row, form=form, zone=zone, preview=preview, flags=_FLAGS
    )

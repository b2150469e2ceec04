"""A new recurring job out of a registered function's signature, with the preview of its schedule."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import (
    ArgumentError,
    InvalidArgument,
    InvalidCron,
    PayloadTooLarge,
    RecurringJobExists,
)
from taskmanager.engine import definitions
from taskmanager.engine.definitions import Definition
from taskmanager.engine.registry import JobDefinition
from webui import access, crons, jobforms, shell
from webui.access import needs
from webui.blueprint import manager, pages
from webui.views import recurring_edit
from webui.views.newjob import choosable, definition_of
from webui.views.recurring_edit import MISFIRES, Form


@pages.get("/recurring/new")
@needs("recurring.edit")
def recurring_new() -> Any:
    """The functions to choose from, or the form of one."""
    name = request.args.get("type", "")
    if not name:
        return render_template(
            "recurring_new.html", here="recurring", definition=None, definitions=choosable()
        )  # fmt: skip
    definition = definition_of(name)
    form = Form("", _defaults(definition))
    form.arguments = jobforms.fields(definition)
    return _page(definition, form)


@pages.post("/recurring/new")
@needs("recurring.edit")
def recurring_create() -> Any:
    """Write what the form says; never over one that is there."""
    definition = definition_of(request.form.get("type", ""))
    form = Form("", _defaults(definition))
    recurring_edit.take(form, form.values)
    form.arguments = jobforms.fields(definition, request.form.to_dict())
    args, kwargs = jobforms.call(form.arguments)
    if recurring_edit.is_built(form):
        return _page(definition, form), 422 if form.not_built else 200
    recurring_edit.check(form)
    if not form.values["id"]:
        form.errors["id"] = _("needs a name")
    is_whole = not (form.errors or any(one.error for one in form.arguments))
    if request.form.get("preview"):
        access.about("", "")  # nothing is changed
        return _page(definition, form), 200 if is_whole else 422
    if is_whole and (saved := _save(definition, form, args, kwargs)) is not None:
        flash(_("Saved."), "done")
        if not shell.wants_page():
            return {"id": saved.id}, 201
        return redirect(url_for("pages.recurring_job", recurring_id=saved.id), 303)
    return _page(definition, form), 422


def _save(
    definition: JobDefinition, form: Form, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Definition | None:  # fmt: skip
    """Write it; None with what is wrong in the form."""
    tm, values = manager(), form.values
    try:
        wanted = tm.recurring_definition(
            values["id"], definition, cron=values["cron"], args=args, kwargs=kwargs, time_zone=values["time_zone"],
            queue=values["queue"], misfire=values["misfire"], days_and=bool(values["days_and"]),
        )  # fmt: skip
        access.about("recurring", wanted.id, after=definitions.facts(definitions.fields_of(wanted)))
        tm.recurring_jobs.add(wanted)
    except RecurringJobExists:
        form.errors["id"] = _("is the id of another recurring job")
    except (ArgumentError, InvalidArgument, InvalidCron, PayloadTooLarge) as error:
        form.problem = str(error)
    else:
        return wanted
    return None


def _defaults(definition: JobDefinition) -> dict[str, str]:
    return {
        "id": "", "cron": definition.cron or "0 2 * * *", "time_zone": definition.time_zone, "queue": definition.queue,
        "misfire": Misfire.parse(definition.misfire).name.lower(), "days_and": "1" if definition.days_and else "",
        "enabled": "1",
    }  # fmt: skip


def _page(definition: JobDefinition, form: Form) -> str:
    values = form.values
    return render_template(
        "recurring_new.html", here="recurring", definition=definition, form=form, misfires=MISFIRES, is_new=True,
        editable=True, overridden={}, zones=crons.zones(), zone=values["time_zone"],
        preview=crons.preview(values["cron"], values["time_zone"], days_and=bool(values["days_and"])),
    )  # fmt: skip

"""Recurring jobs, the rows of c_Job among them: the list; and what the code defines, brought back."""

from __future__ import annotations

from typing import Any

from flask import flash, jsonify, redirect, render_template, request
from flask_babel import gettext as _

from taskmanager.schedules import Restoration
from taskmanager.storage import jobs, recurring_runs
from taskmanager.storage.transaction import Tx
from webui import access, recurring_marks, recurringrows, recurrings, redaction, runviews, shell
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.views.actions import back
from webui.views.lists import SIZES, size

#: Ids that a message names; the audit log has all.
_TOLD = 20
#: Rows of a page: one of them, with 30 runs, is as dear as five of other lists.
_SIZES = SIZES[:-1]


@pages.get("/recurring")
def recurring() -> str:
    """The list."""
    q = request.args.get("q", "").strip()
    wanted, sort = request.args.get("state", ""), request.args.get("sort", "id")
    wanted, sort = wanted if wanted in recurrings.STATES else "", sort if sort in recurrings.SORTS else "id"
    found = recurrings.find(q, wanted, sort)
    start = max(0, request.args.get("from", 0, type=int) or 0)
    rows = min(size(), _SIZES[-1])
    whole = found.whole(start, rows)
    page, pasts = [record for record, _ in whole], {record.id: past for record, past in whole}
    last = {r.last_job_id for r in page if r.last_job_id is not None}

    def work(tx: Tx) -> Any:
        states = jobs.current_states(tx, last) if last else {}
        behind = {i: past.tally.upto for i, past in pasts.items()}
        return states, recurring_runs.newest(tx, pasts, recurring_marks.READ, behind=behind)

    states, runs = read(work)
    now = manager().database.clock.now()
    about = recurringrows.About(
        states=states,
        runs={i: runviews.Runs(listed[-runviews.BARS :]) for i, listed in runs.items()},
        rates={i: recurring_marks.rate(pasts[i], listed, recurring_marks.READ, now) for i, listed in runs.items()},
        lates={record.id: recurring_marks.late(record, past, now) for record, past in whole},
    )
    return render_template(
        "recurring.html", here="recurring", rows=page, total=found.total, matching=len(found.matching),
        counts=found.counts, q=q, wanted=wanted, sort=sort, start=start, size=rows, sizes_list=_SIZES,
        draw=recurringrows.Rows(about),
    )  # fmt: skip


@pages.post("/recurring/restore")
@needs("recurring.restore")
def recurring_restore() -> Any:
    """Bring back what the code defines."""
    access.about("recurring", "*")
    done = manager().restore_recurring()
    if not shell.wants_page():
        return jsonify(
            restored=[
                {"id": r.target, "missing": r.missing, "paused": r.paused, "differed": r.differed}
                for r in done.restored
            ],
            unchanged=done.unchanged, problems={n: redaction.text(t) for n, t in done.problems.items()},
        )  # fmt: skip
    _tell(done)
    return redirect(back(), 303)


def _tell(done: Restoration) -> None:
    """What restoring did, in words."""
    if done.is_empty:
        flash(_("This process imports no code that defines recurring jobs (setting discover)."), "warn")
        return
    for missing, text in (
        (True, _("Brought back, for they were missing: %(ids)s.")), (False, _("As the code says again: %(ids)s.")),
    ):  # fmt: skip
        ids = [f"{r.target} ({_('paused')})" if r.paused else r.target for r in done.restored if r.missing is missing]
        if ids:
            shown = ", ".join(ids[:_TOLD]) + (" …" if len(ids) > _TOLD else "")
            flash(text % {"ids": shown}, "done")
    if not done.restored and not done.problems:
        flash(_("Nothing was to be restored: all definitions are as the code says."), "done")
    for name, problem in list(done.problems.items())[:5]:
        flash(_("%(name)s is not scheduled: %(why)s", name=name, why=redaction.text(problem)), "warn")

"""A row of c_Job edited in a form: in place, only what was changed, and never over what somebody else wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import ChangedMeanwhile, InvalidFields, RecurringJobNotFound
from taskmanager.engine.legacy_edits import RowEdits, RowForm
from tests.engine.test_recurring_rows import row
from tests.walks.test_legacy import insert, sql


@pytest.fixture
def edits(tm: TaskManager) -> RowEdits:
    """Row 1, and who edits it."""
    insert(tm, "0 2 * * *", "SP_Report", "Daily Sales Report")
    tm.legacy_jobs.fire_due()
    assert tm.row_edits
    return tm.row_edits


def number(tm: TaskManager) -> int:
    return int(tm.recurring_list()[0].id[6:])


def change(tm: TaskManager, seen: RowForm | None = None, **given: str) -> bool:
    seen = seen or tm.row_edits.read(number(tm))
    return tm.row_edits.edit(seen.row_id, given, version=seen.version)


def test_the_operators_row_is_edited_in_place(tm: TaskManager, edits: RowEdits) -> None:
    before = row(tm, number(tm))
    assert before["NextRun"] is not None
    assert edits.read(number(tm)).values == {
        "JobName": "Daily Sales Report", "CronExpression": "0 2 * * *", "StoredProcName": "SP_Report", "IsActive": "1",
        "EmailOnFailure": "",
    }  # fmt: skip
    assert change(tm, JobName="Umsätze", CronExpression=" 30 6 * * * ", EmailOnFailure="1")
    after = row(tm, number(tm))
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {"JobName": "Umsätze", "CronExpression": "30 6 * * *", "EmailOnFailure": 1}
    tm.legacy_jobs.fire_due()
    assert row(tm, number(tm))["NextRun"].strftime("%H:%M") == "06:30"
    assert not change(tm, JobName="Umsätze")


def test_a_row_that_is_switched_off_and_on_is_planned_anew(tm: TaskManager, edits: RowEdits) -> None:
    assert change(tm, IsActive="")
    assert (row(tm, number(tm))["IsActive"], row(tm, number(tm))["NextRun"]) == (0, None)
    assert tm.recurring_list()[0].paused
    assert change(tm, IsActive="1")
    assert tm.legacy_jobs.fire_due() == 0
    assert row(tm, number(tm))["NextRun"] > tm.database.clock.local_now()


def test_what_a_person_did_not_change_is_left_as_strange_as_it_is(tm: TaskManager, edits: RowEdits) -> None:
    q = tm.database.product.quote
    strange = f"{q('IsActive')} = 2, {q('StoredProcName')} = NULL, {q('CronExpression')} = '61 * * * *'"
    sql(tm, f"UPDATE {q('c_Job')} SET {strange}")
    assert change(tm, JobName="x")
    after = row(tm, number(tm))
    assert (after["IsActive"], after["StoredProcName"], after["CronExpression"]) == (2, None, "61 * * * *")
    assert change(tm, CronExpression="")
    assert row(tm, number(tm))["CronExpression"] is None


def test_what_cannot_be_is_told_at_its_column_and_nothing_is_written(tm: TaskManager, edits: RowEdits) -> None:
    before = row(tm, number(tm))
    with pytest.raises(InvalidFields) as caught:
        change(tm, JobName="n" * 101, CronExpression="61 * * * *", StoredProcName="SP_X; DROP TABLE c_Job", IsActive="")
    assert set(caught.value.errors) == {"JobName", "CronExpression", "StoredProcName"}
    with pytest.raises(InvalidFields, match="column takes 50"):
        change(tm, CronExpression=",".join(map(str, range(20))) + " * * * *")
    assert row(tm, number(tm)) == before


def test_who_edits_a_row_that_somebody_has_changed_by_sql_is_told(tm: TaskManager, edits: RowEdits) -> None:
    q, seen = tm.database.product.quote, edits.read(number(tm))
    sql(tm, f"UPDATE {q('c_Job')} SET {q('NextRun')} = NULL, {q('LastResult')} = 'noted'")
    assert change(tm, seen, EmailOnFailure="1"), "what the scheduler writes is no edit"
    seen = edits.read(number(tm))
    sql(tm, f"UPDATE {q('c_Job')} SET {q('CronExpression')} = '1 1 * * *'")
    with pytest.raises(ChangedMeanwhile, match="c_job:"):
        change(tm, seen, JobName="mine")
    assert row(tm, number(tm))["JobName"] == "Daily Sales Report"
    sql(tm, f"DELETE FROM {q('c_Job')}")
    with pytest.raises(RecurringJobNotFound):
        edits.edit(seen.row_id, {}, version=seen.version)
    with pytest.raises(RecurringJobNotFound):
        edits.read(99)


def test_an_edit_whose_commit_was_in_doubt_is_no_conflict(
    tm: TaskManager, edits: RowEdits, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tm.database.run

    def twice(work: Any, **options: Any) -> Any:
        run(work, **options)
        return run(work, **options)

    monkeypatch.setattr(tm.database, "run", twice)
    assert change(tm, JobName="once")
    assert isinstance(row(tm, number(tm))["LastRun"], datetime | None)

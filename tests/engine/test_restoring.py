"""Definitions of the code brought back, and changed by people: who survives what (R37, R67 to R71)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.cron import Misfire
from taskmanager.domain.errors import ChangedMeanwhile, InvalidArgument, InvalidCron, RecurringJobNotFound
from taskmanager.domain.records import RecurringRecord
from taskmanager.engine.audit import Actor
from taskmanager.engine.definitions import Edit, version
from taskmanager.storage import audit as audit_rows
from taskmanager.storage import recurring

ANN = Actor("ann", "dashboard")


def totals(day: str = "today") -> str:
    return day


def clean() -> None: ...


def wrong() -> None: ...


@pytest.fixture
def code(tm: TaskManager) -> TaskManager:
    """Two recurring jobs in code, written as a server writes them at its start."""
    tm.job("0 2 * * *", display_name="Totals", time_zone="Europe/Prague", queue="reports")(totals)
    tm.job("*/15 * * * *", display_name="Clean")(clean)
    tm.register_recurring()
    return tm


def one(tm: TaskManager, recurring_id: str) -> RecurringRecord:
    return next(r for r in tm.recurring_list() if r.id == recurring_id)


def ids(tm: TaskManager) -> list[str]:
    return [r.id for r in tm.recurring_list()]


def edit(record: RecurringRecord, **changes: Any) -> Edit:
    made = Edit(
        cron=record.cron, time_zone=record.time_zone, queue=record.queue, misfire=Misfire(record.misfire),
        days_and=record.days_and, enabled=not record.paused,
    )  # fmt: skip
    return replace(made, **changes)


def change(tm: TaskManager, recurring_id: str, **changes: Any) -> bool:
    known = one(tm, recurring_id)
    return tm.recurring_jobs.edit(recurring_id, edit(known, **changes), version=version(known))


def test_what_is_missing_comes_back_and_what_is_there_is_left_alone(code: TaskManager) -> None:
    before = one(code, "Clean")
    assert code.remove("Totals")
    done = code.restore_recurring()
    assert [(r.target, r.missing, r.paused) for r in done.restored] == [("Totals", True, False)]
    assert (done.unchanged, dict(done.problems)) == (1, {})
    assert one(code, "Clean") == before
    back = one(code, "Totals")
    assert (back.cron, back.time_zone, back.queue, back.from_code) == ("0 2 * * *", "Europe/Prague", "reports", True)
    assert back.next_execution is not None
    again = code.restore_recurring()
    assert (again.restored, again.unchanged) == ((), 2)


def test_r69_removed_by_the_api_while_paused_it_comes_back_running(code: TaskManager) -> None:
    code.pause("Totals")
    code.remove("Totals")
    assert "Totals" not in code.database.read(recurring.lock_free_paused)
    code.restore_recurring()
    back = one(code, "Totals")
    assert (back.paused, back.next_execution is not None) == (False, True)


@pytest.mark.parametrize("by", ["restore", "a server's start"])
def test_r70_removed_in_the_dashboard_while_paused_it_comes_back_paused(code: TaskManager, by: str) -> None:
    code.pause("Totals")
    code.remove("Totals", keep_pause=True)
    assert ids(code) == ["Clean"]
    if by == "restore":
        assert [r.paused for r in code.restore_recurring().restored] == [True]
    else:
        code.register_recurring()
    back = one(code, "Totals")
    assert (back.paused, back.next_execution, back.cron) == (True, None, "0 2 * * *")
    code.resume("Totals")
    assert one(code, "Totals").next_execution is not None


def test_r67_a_paused_job_that_is_restored_never_fires_until_it_is_resumed(code: TaskManager, hands: Any) -> None:
    code.pause("Clean")
    code.restore_recurring()
    code.database.clock.shift(timedelta(days=1))
    worker = hands()
    worker.recurring.tick()
    assert one(code, "Clean").last_job_id is None
    assert one(code, "Totals").last_job_id is not None


def test_what_others_wrote_over_a_definition_is_as_the_code_says_again(code: TaskManager) -> None:
    code.recurring("Totals", clean, cron="1 1 * * *", queue="other")
    code.recurring("Clean", clean, cron="*/15 * * * *")
    code.recurring("by hand", clean, cron="5 5 * * *")
    done = {r.target: r for r in code.restore_recurring().restored}
    assert set(done) == {"Totals", "Clean"}
    assert set(done["Totals"].differed) == {"cron", "time_zone", "queue", "job"}
    assert done["Clean"].differed == ()
    back = one(code, "Totals")
    assert (back.cron, back.queue, back.from_code) == ("0 2 * * *", "reports", True)
    assert one(code, "by hand").cron == "5 5 * * *"


def test_a_definition_that_is_wrong_is_told_of_and_costs_no_other(code: TaskManager) -> None:
    code.remove("Clean")
    code.job("61 * * * *", display_name="Wrong")(wrong)
    done = code.restore_recurring()
    assert [r.target for r in done.restored] == ["Clean"]
    assert "61" in next(iter(done.problems.values()))
    assert "Wrong" not in ids(code)


def test_each_that_is_restored_has_its_row_in_the_audit_log(code: TaskManager) -> None:
    code.remove("Clean")
    change(code, "Totals", cron="7 7 * * *")
    with code.audit.changing(ANN, "recurring.restore") as told:
        told.about("recurring", "*")
        code.restore_recurring()
    with code.audit.changing(ANN, "recurring.restore") as told:
        told.about("recurring", "*")
        code.restore_recurring()
    rows = code.database.read(lambda tx: audit_rows.page(tx, audit_rows.Sought(), limit=9))[0][::-1]
    assert [(r.target, r.outcome) for r in rows] == [("Clean", "done"), ("Totals", "done"), ("*", "unchanged")]
    assert json.loads(rows[1].before or "") == {"cron": "7 7 * * *"}
    assert json.loads(rows[1].after or "") == {"cron": "0 2 * * *"}


def test_what_a_person_changed_survives_a_servers_start_and_not_a_restore(code: TaskManager) -> None:
    assert change(code, "Totals", cron="30 6 * * 1-5")
    known = one(code, "Totals")
    assert (known.cron, known.overrides, known.in_code["Cron"]) == ("30 6 * * 1-5", ("Cron",), "0 2 * * *")
    definition = code.registry.find("Totals")
    code.registry._by_name[definition.name] = replace(definition, queue="mail", cron="0 3 * * *")
    code.register_recurring()
    known = one(code, "Totals")
    assert (known.cron, known.queue, known.in_code["Cron"]) == ("30 6 * * 1-5", "mail", "0 3 * * *")
    assert not change(code, "Totals")
    assert [r.differed for r in code.restore_recurring().restored] == [("cron",)]
    known = one(code, "Totals")
    assert (known.cron, known.overrides, dict(known.in_code)) == ("0 3 * * *", (), {})


def test_an_edit_that_is_as_the_code_says_is_no_override_and_one_is_reverted(code: TaskManager) -> None:
    change(code, "Totals", cron="1 1 * * *", queue="mail")
    change(code, "Totals", cron="0 2 * * *")
    assert one(code, "Totals").overrides == ("Queue",)
    assert code.recurring_jobs.revert("Totals")
    assert (one(code, "Totals").queue, one(code, "Totals").overrides) == ("reports", ())
    assert not code.recurring_jobs.revert("Totals")


def test_who_edits_what_somebody_else_has_changed_meanwhile_is_told(code: TaskManager) -> None:
    for meanwhile in (
        lambda: change(code, "Totals", queue="mail"), lambda: code.pause("Totals"), lambda: code.resume("Totals"),
        lambda: code.recurring("Totals", totals, cron="0 2 * * *", args=("yesterday",)),
    ):  # fmt: skip
        seen = one(code, "Totals")
        meanwhile()
        with pytest.raises(ChangedMeanwhile, match="Totals"):
            code.recurring_jobs.edit("Totals", edit(seen, cron="9 9 * * *"), version=version(seen))
    seen = one(code, "Totals")
    assert seen.cron == "0 2 * * *"
    code.trigger("Totals")
    assert code.recurring_jobs.edit("Totals", edit(seen, cron="9 9 * * *"), version=version(seen)), "a run is no edit"
    code.remove("Totals")
    with pytest.raises(RecurringJobNotFound):
        code.recurring_jobs.edit("Totals", edit(seen), version=version(seen))


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"cron": "99 * * * *"}, InvalidCron), ({"time_zone": "Mars"}, InvalidCron), ({"queue": "A B"}, InvalidArgument)],
)
def test_an_edit_that_cannot_be_is_refused_whole(
    code: TaskManager, changes: dict[str, Any], error: type[Exception]
) -> None:
    before = one(code, "Totals")
    with pytest.raises(error):
        change(code, "Totals", **({"enabled": False} | changes))
    assert one(code, "Totals") == before


def test_an_edit_plans_anew_pauses_and_resumes(code: TaskManager, hands: Any) -> None:
    first = one(code, "Totals").next_execution
    change(code, "Totals", queue="mail")
    assert one(code, "Totals").next_execution == first
    change(code, "Totals", enabled=False)
    assert (one(code, "Totals").paused, one(code, "Totals").next_execution) == (True, None)
    code.database.clock.shift(timedelta(days=3))
    change(code, "Totals", enabled=True, misfire=Misfire.STRICT)
    now = code.database.read(lambda tx: tx.now())
    known = one(code, "Totals")
    assert known.next_execution is not None
    assert known.next_execution > now
    worker = hands()
    worker.recurring.tick()
    assert one(code, "Totals").last_job_id is None, "nobody owes the slots of a pause"


def test_an_edit_changes_the_arguments_of_the_next_run(code: TaskManager) -> None:
    code.recurring("yesterday's", totals, args=("yesterday",), cron="0 5 * * *")
    call = code.registry.find("Totals").invocation(("2026-01-01",), {})
    assert change(code, "yesterday's", invocation=call)
    assert json.loads(code.get(code.trigger("yesterday's")).arguments) == ['"2026-01-01"']
    assert not change(code, "yesterday's", invocation=call)


def test_an_edit_whose_commit_was_in_doubt_is_done_once_and_no_conflict(
    code: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = code.database.run

    def twice(work: Callable[[Any], Any], **options: Any) -> Any:
        run(work, **options)
        return run(work, **options)

    monkeypatch.setattr(code.database, "run", twice)
    assert change(code, "Totals", cron="9 9 * * *")
    assert one(code, "Totals").cron == "9 9 * * *"

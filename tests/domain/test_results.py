"""What a job returns to say how it went."""

from __future__ import annotations

from typing import Any

import pytest

from taskmanager import JobResult, TaskManager


def test_a_result_is_a_success_or_a_failure_with_a_message_and_facts() -> None:
    good = JobResult.ok()
    assert (good.success, good.message, good.metadata) == (True, "Job completed successfully", {})
    assert JobResult.ok("12 orders").with_metadata("orders", 12).with_metadata("late", 0).metadata == {
        "orders": 12, "late": 0,
    }  # fmt: skip
    bad = JobResult.fail("no orders")
    assert (bad.success, bad.message, bad.metadata) == (False, "no orders", {})


def test_a_failure_keeps_the_type_of_its_exception_and_the_stack() -> None:
    try:
        raise KeyError("orders")
    except KeyError as error:
        bad = JobResult.fail("no orders", error)
    assert bad.metadata["Exception"] == "KeyError"
    assert "Traceback" in bad.metadata["StackTrace"]
    assert "test_results.py" in bad.metadata["StackTrace"]


@pytest.mark.parametrize("message", ["12 orders", "יום טוב"])
def test_the_message_is_in_the_history_and_the_facts_stand_with_the_job(
    tm: TaskManager, hands: Any, message: str
) -> None:
    from taskmanager.storage import logged

    def report() -> JobResult:
        return JobResult.ok(message).with_metadata("orders", 12)

    job_id = tm.job(display_name="report")(report).enqueue()
    hands().work()
    (row,) = tm.database.read(lambda tx: logged.history(tx, name="report", limit=9))
    assert (row["Success"], row["ResultMessage"]) == (1, message)
    assert tm.get(job_id).result["metadata"] == {"orders": 12}

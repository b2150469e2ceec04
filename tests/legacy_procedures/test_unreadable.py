"""What people write into a row of c_Job on SQLite, which takes any text, stops no other row."""

from __future__ import annotations

import pytest

from tests.legacy_procedures.bench import Bench, wait_for


@pytest.mark.parametrize("written", ["tomorrow", "2026-13-45 99:00:00", "12", ""])
def test_an_unreadable_next_run_is_planned_anew_and_the_other_rows_go_on(sqlite: Bench, written: str) -> None:
    odd, other = sqlite.job(sqlite.simple("SP_Odd")), sqlite.job(sqlite.simple("SP_Other"), name="Other")
    one = sqlite.tm.server()
    one.start()
    try:
        wait_for(lambda: sqlite.row(odd)["NextRun"] and sqlite.row(other)["NextRun"], 10, "the rows were not planned")
        sqlite.sql(f"UPDATE c_Job SET NextRun = '{written}' WHERE ID = {odd}")
        sqlite.sql(f"UPDATE c_Job SET NextRun = datetime('now', 'localtime') WHERE ID = {other}")
        wait_for(lambda: sqlite.row(other)["LastResult"] == "ran", 10, "the other row did not run")
        wait_for(lambda: "-01-01 02:00:00" in str(sqlite.row(odd)["NextRun"]), 10, "the odd row was not planned anew")
    finally:
        one.stop(1)
    assert sqlite.row(odd)["LastRun"] is None

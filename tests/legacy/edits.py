"""What people do to rows of c_Job every day (L1 to L20 of the contract), each on rows of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

import pymysql

from tests.legacy.operator import Console, Quiet, Script, Until


def a_row_inserted_by_four_columns_is_planned_and_not_run(sql: Console) -> Script:
    row = sql.insert("L1", "0 2 * * *", sql.procedure("SP_L1", "SELECT 1"))
    yield sql.planned(row)
    found, now = sql.job(row), sql.now()
    following = now.replace(hour=2, minute=0, second=0) + timedelta(days=1 if now.hour >= 2 else 0)
    assert found["NextRun"] == following
    assert (found["FailureCount"], found["EmailOnFailure"], found["LastRun"]) == (None, None, None)
    yield Quiet(2)
    assert sql.calls("SP_L1") == 0


def a_row_inserted_by_position_keeps_its_ten_columns(sql: Console) -> Script:
    sql.run("INSERT INTO c_Job VALUES (NULL,'L2','0 2 * * *','SP_X',1,NULL,NULL,NULL,0,1)")
    row = int(sql.value("SELECT ID FROM c_Job WHERE JobName = 'L2'"))
    yield sql.planned(row)
    assert list(sql.job(row)) == [
        "ID", "JobName", "CronExpression", "StoredProcName", "IsActive", "LastRun", "NextRun", "LastResult",
        "FailureCount", "EmailOnFailure",
    ]  # fmt: skip


def a_row_is_stopped_and_comes_back_without_an_immediate_run(sql: Console) -> Script:
    row = sql.insert("L3", "*/5 * * * *", sql.procedure("SP_L3", "SELECT 1"))
    yield sql.planned(row)
    sql.run("UPDATE c_Job SET IsActive = 0 WHERE JobName = 'L3'")
    yield sql.unplanned(row)
    sql.run("UPDATE c_Job SET IsActive = 1 WHERE JobName = 'L3'")
    yield sql.planned(row)
    assert sql.job(row)["NextRun"] > sql.now()
    yield Quiet(1.5)
    assert sql.calls("SP_L3") == 0


def a_row_switched_on_with_next_run_now_runs_once(sql: Console) -> Script:
    row = sql.insert("L4", "0 2 * * *", sql.procedure("SP_L4", "SELECT 1"), 0)
    yield Quiet(1.5)
    sql.run("UPDATE c_Job SET IsActive = 1, NextRun = NOW() WHERE ID = %s", row)
    yield sql.runs("L4", 1, 2.5)
    yield Quiet(2)
    assert sql.calls("SP_L4") == 1
    assert sql.job(row)["NextRun"].hour == 2


def next_run_now_runs_once_and_tells_what_came_of_it(sql: Console) -> Script:
    row = sql.insert("L5", "0 2 * * *", sql.procedure("SP_L5", "SELECT '12 orders' AS Result"))
    yield sql.planned(row)
    planned = sql.job(row)["NextRun"]
    before = sql.now()
    sql.run("UPDATE c_Job SET NextRun = NOW() WHERE JobName = 'L5'")
    yield Until(2, lambda: sql.calls("SP_L5") == 1, "it did not start")
    yield sql.runs("L5", 1, 2)
    found, (run,) = sql.job(row), sql.history("L5")
    assert (found["LastResult"], found["FailureCount"], found["NextRun"]) == ("12 orders", 0, planned)
    assert (run["TriggeredBy"], run["JobType"], run["Success"]) == ("SQL", "Recurring", 1)
    assert before <= run["StartedAt"] <= sql.now()
    assert found["LastRun"] == run["StartedAt"]
    yield Quiet(2)
    assert sql.calls("SP_L5") == 1
    assert sql.rows("SELECT * FROM c_Job WHERE LastRun > NOW() - INTERVAL 1 HOUR AND ID = %s", row)
    assert sql.rows("SELECT * FROM c_LoggedJob WHERE Success = 1 AND JobName = 'L5' ORDER BY RunDate DESC")
    assert len(sql.history("L5")[0]) == 16, "RunDate is there, and not in SELECT *"


def next_run_now_of_an_inactive_row_runs_nothing(sql: Console) -> Script:
    row = sql.insert("L6", "0 2 * * *", sql.procedure("SP_L6", "SELECT 1"), 0)
    sql.force(row)
    yield sql.unplanned(row)
    yield Quiet(1.5)
    assert sql.calls("SP_L6") == 0


def a_next_run_of_ones_own_counts_and_then_the_cron_again(sql: Console) -> Script:
    row = sql.insert("L7", "0 2 * * *", sql.procedure("SP_L7", "SELECT 1"))
    yield sql.planned(row)
    planned = sql.job(row)["NextRun"]
    sql.run("UPDATE c_Job SET NextRun = NOW() + INTERVAL 3 SECOND WHERE ID = %s", row)
    wanted = sql.job(row)["NextRun"]
    yield Until(6, lambda: sql.calls("SP_L7") == 1, "it did not start")
    begun = sql.value("SELECT Begun FROM Calls WHERE Name = 'SP_L7'")
    assert wanted <= begun <= wanted + timedelta(seconds=2)
    assert sql.job(row)["NextRun"] == planned


def next_run_null_is_planned_anew_and_not_run(sql: Console) -> Script:
    row = sql.insert("L8", "0 2 * * *", sql.procedure("SP_L8", "SELECT 1"), 1, NextRun=datetime(2999, 1, 1))
    yield Quiet(1.5)
    assert sql.job(row)["NextRun"] == datetime(2999, 1, 1)
    sql.run("UPDATE c_Job SET NextRun = NULL WHERE ID = %s", row)
    yield sql.planned(row)
    assert sql.job(row)["NextRun"].hour == 2
    assert sql.calls("SP_L8") == 0


def a_changed_cron_is_a_new_schedule(sql: Console) -> Script:
    row = sql.insert("L9", "0 2 * * *", "SP_X")
    yield sql.planned(row)
    sql.run("UPDATE c_Job SET CronExpression = '*/5 * * * *' WHERE ID = %s", row)
    yield Until(2.5, lambda: sql.job(row)["NextRun"] - sql.now() <= timedelta(minutes=5), "the old plan stayed")
    assert sql.job(row)["NextRun"].minute % 5 == 0
    assert sql.history("L9") == []


def a_changed_procedure_counts_from_the_next_start(sql: Console) -> Script:
    row = sql.insert("L10", "0 2 * * *", sql.procedure("SP_L10A", "DO SLEEP(3); SELECT 'A'"))
    sql.procedure("SP_L10B", "SELECT 'B'")
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_L10A") == 1)
    sql.run("UPDATE c_Job SET StoredProcName = 'SP_L10B', NextRun = NOW() WHERE ID = %s", row)
    yield sql.runs("L10", 2, 8)
    assert [run["ResultMessage"] for run in sql.history("L10")] == ["A", "B"]
    assert (sql.calls("SP_L10A"), sql.calls("SP_L10B"), sql.job(row)["LastResult"]) == (1, 1, "B")


def a_count_set_back_is_counted_from_there(sql: Console) -> Script:
    wrong = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no stock'"
    row = sql.insert("L14", "0 2 * * *", sql.procedure("SP_L14", wrong), 1, FailureCount=4)
    sql.force(row)
    yield sql.runs("L14", 1)
    assert (sql.job(row)["FailureCount"], sql.job(row)["LastResult"]) == (5, "no stock")
    sql.run("UPDATE c_Job SET FailureCount = 0, LastResult = NULL WHERE ID = %s", row)
    yield Quiet(1.5)
    assert (sql.job(row)["FailureCount"], sql.job(row)["LastResult"]) == (0, None)
    sql.force(row)
    yield sql.runs("L14", 2)
    assert sql.job(row)["FailureCount"] == 1
    assert sql.history("L14")[0]["ErrorMessage"] == "no stock"


def mail_on_failure_and_alert_rules_are_only_read(sql: Console) -> Script:
    row = sql.insert("L15", "0 2 * * *", "SP_X")
    sql.run("UPDATE c_Job SET EmailOnFailure = 1 WHERE ID = %s", row)
    sql.run("INSERT INTO c_JobAlert (JobName, EmailRecipients, MaxAlertsPerHour) VALUES ('L15', 'a@b.c', 5)")
    sql.run("UPDATE c_JobAlert SET MaxAlertsPerHour = 7 WHERE JobName = 'L15'")
    yield sql.planned(row)
    assert sql.job(row)["EmailOnFailure"] == 1
    assert sql.value("SELECT MaxAlertsPerHour FROM c_JobAlert WHERE JobName = 'L15'") == 7
    try:
        sql.run("INSERT INTO c_JobAlert (JobName, EmailRecipients) VALUES ('L15', 'd@e.f')")
    except pymysql.err.IntegrityError:
        return
    raise AssertionError("a second rule for the same job was taken")


def a_deleted_row_runs_no_more_and_a_running_one_is_logged(sql: Console) -> Script:
    row = sql.insert("L16", "*/2 * * * * *", sql.procedure("SP_L16", "DO SLEEP(2); SELECT 'done'"))
    yield Until(4, lambda: sql.calls("SP_L16") == 1)
    sql.run("DELETE FROM c_Job WHERE ID = %s", row)
    yield sql.runs("L16", 1)
    yield Quiet(3)
    assert (sql.calls("SP_L16"), len(sql.history("L16"))) == (1, 1)
    assert sql.rows("SELECT 1 FROM c_Job WHERE ID = %s", row) == []
    assert sql.history("L16")[0]["Success"] == 1


def a_call_by_hand_beside_a_run_is_nothing_to_the_engine(sql: Console) -> Script:
    row = sql.insert("L20", "0 2 * * *", sql.procedure("SP_L20", "DO SLEEP(1); SELECT 'done'"))
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_L20") == 1)
    sql.run("CALL SP_L20()")
    yield sql.runs("L20", 1)
    assert (sql.calls("SP_L20"), len(sql.history("L20"))) == (2, 1)


def an_edit_during_the_run_survives_its_end(sql: Console) -> Script:
    sql.procedure("SP_A14", "DO SLEEP(3); SELECT 'done'")
    stopped, changed = sql.insert("A14 stopped", "0 2 * * *", "SP_A14"), sql.insert("A14 cron", "0 2 * * *", "SP_A14")
    for row in (stopped, changed):
        sql.force(row)
    yield Until(3, lambda: sql.calls("SP_A14") == 2)
    sql.run("UPDATE c_Job SET IsActive = 0 WHERE ID = %s", stopped)
    sql.run("UPDATE c_Job SET CronExpression = '0 4 * * *', JobName = 'A14 renamed' WHERE ID = %s", changed)
    yield sql.runs("A14 stopped", 1)
    yield sql.runs("A14 cron", 1, 3)
    assert (sql.job(stopped)["IsActive"], sql.job(stopped)["NextRun"]) == (0, None)
    found = sql.job(changed)
    assert (found["CronExpression"], found["NextRun"].hour, found["JobName"]) == ("0 4 * * *", 4, "A14 renamed")
    assert (found["LastResult"], sql.job(stopped)["LastResult"]) == ("done", "done")
    assert sql.history("A14 renamed") == [], "a run has the name that the row had at its start"


def next_run_now_during_the_run_means_exactly_one_more(sql: Console) -> Script:
    row = sql.insert("A14 again", "0 2 * * *", sql.procedure("SP_A14C", "DO SLEEP(4)"))
    sql.force(row)
    yield Until(2.5, lambda: sql.calls("SP_A14C") == 1)
    for _ in range(3):
        sql.force(row)
        yield Quiet(0.3)
    assert sql.calls("SP_A14C") == 1
    yield sql.runs("A14 again", 2, 12)
    yield Quiet(2)
    calls = sql.rows("SELECT Begun, Ended FROM Calls WHERE Name = 'SP_A14C'")
    assert (len(calls), sql.overlaps("SP_A14C")) == (2, 0), calls
    assert sql.job(row)["NextRun"].hour == 2

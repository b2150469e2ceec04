"""What the users of the older c_Job do by SQL works while a worker runs; T1 to T12, and what surrounds them."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta

import pymysql
import pytest
from click.testing import CliRunner

from taskmanager.cli import main
from taskmanager.domain.errors import ChangedMeanwhile, InvalidArgument, InvalidFields
from taskmanager.storage import alerts, doctor, targcc_marks
from tests.targcc.office import TABLES, Office

pytestmark = pytest.mark.slow


def planned(office: Office, row_id: int) -> datetime:
    """NextRunTime, once it is there."""
    return office.until(lambda: office.row(row_id)["NextRunTime"], f"row {row_id} is not planned")


def test_the_upgrade_left_the_tables_of_their_owners_as_they_were(office: Office) -> None:
    assert {name: office.definition(name) for name in TABLES} == office.before


def test_T1_a_row_is_run_now_and_made_active_again(office: Office) -> None:
    row_id = office.insert("BackupDB", Active=0)
    office.run_now(row_id)
    row, run = office.until_ended(row_id, seconds=30)  # its worker has only just been started
    assert (row["enmJobStatus"], row["Active"], row["WarningMailSent"]) == ("Success", 1, 0)
    assert row["ActivatingUser"].startswith("System on ")
    assert row["NextRunTime"] > office.now()
    assert (run["Remarks"], run["ActivatingUser"], run["enmRunStatus_JobStatus"]) == ("backed up", "ops", "Success")


def test_T2_a_time_that_is_taken_away_is_computed_anew_without_a_run(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "T2", NextRunTime="2099-01-01 00:00:00")
    time.sleep(1.1)
    assert office.row(row_id)["NextRunTime"] == datetime(2099, 1, 1)
    office.sql("UPDATE c_Job SET NextRunTime=NULL WHERE ID=%s", row_id)
    at = planned(office, row_id)
    assert (at.hour, at.minute) == (2, 0)
    assert timedelta(0) < at - office.now() <= timedelta(days=1)
    assert not office.logged(row_id)


def test_T3_a_row_made_inactive_has_no_next_time_and_does_not_run(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "T3")
    planned(office, row_id)
    office.sql("UPDATE c_Job SET Active=0 WHERE ID=%s", row_id)
    office.until(lambda: office.row(row_id)["NextRunTime"] is None, "NextRunTime stays")
    assert office.row(row_id)["ActivatingUser"].startswith("System on ")
    office.sql("UPDATE c_Job SET NextRunTime=NOW() WHERE ID=%s", row_id)
    office.until(lambda: office.row(row_id)["NextRunTime"] is None, "NextRunTime stays")
    assert not office.logged(row_id)


def test_T4_every_15_minutes_counts_from_the_last_start(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "T4")
    office.run_now(row_id)
    _, run = office.until_ended(row_id)
    office.sql("UPDATE c_Job SET enmJobType='CyclicMin', CyclicCount=15, NextRunTime=NULL WHERE ID=%s", row_id)
    at = planned(office, row_id)
    assert abs(at - run["WhenStarted"] - timedelta(minutes=15)) <= timedelta(seconds=1)


def test_T5_a_new_row_is_planned_and_its_procedure_answers_in_any_script(office: Office) -> None:
    row_id = office.insert("mnTM_Sales")
    at = planned(office, row_id)
    assert (at.hour, at.minute, at.second) == (2, 0, 0)
    assert not office.logged(row_id)
    office.sql("UPDATE c_Job SET NextRunTime=NOW() WHERE ID=%s", row_id)
    row, run = office.until_ended(row_id)
    assert run["Remarks"] == "יום טוב 12 rows"
    assert row["NextRunTime"] == at


def test_T6_history_joins_as_people_write_it(office: Office) -> None:
    row_id = office.due["mnTM_Long", "due"]
    office.until_ended(row_id)
    found = office.sql(
        "SELECT j.lkpJob, l.WhenStarted, l.ExecutionTimeSec, l.enmRunStatus_JobStatus, l.Remarks FROM c_LoggedJob l "
        "JOIN c_Job j ON j.ID=l.c_JobID WHERE j.ID=%s ORDER BY l.ID DESC LIMIT 20", row_id,
    )  # fmt: skip
    assert [(r["lkpJob"], r["enmRunStatus_JobStatus"]) for r in found] == [("mnTM_Long", "Success")]
    assert len(found[0]["Remarks"]) <= 1000
    assert found[0]["Remarks"].startswith("x" * 960 + " …[cut; see job ")
    assert found[0]["ExecutionTimeSec"] <= 5
    assert abs(found[0]["WhenStarted"] - office.now()) < timedelta(minutes=1)


def test_T7_and_T8_a_hung_run_is_seen_and_an_operator_frees_it(office: Office) -> None:
    row_id = office.insert("mnTM_Hung")
    office.run_now(row_id)
    office.until(lambda: office.ran("hung") == 1, "it does not run")
    (seen,) = office.sql("SELECT * FROM c_Job WHERE enmJobStatus='InProcess' AND ID=%s", row_id)
    assert seen["LastRunBy"].startswith("LocalTaskManager @ ")
    assert abs(seen["LastRunTime"] - office.now()) <= timedelta(seconds=5)
    office.sql("UPDATE c_Job SET enmJobStatus='Failure' WHERE enmJobStatus='InProcess' AND ID=%s", row_id)
    office.until(lambda: office.ran("hung") == 2, "the next run does not start")
    office.until(lambda: len(office.logged(row_id)) == 1, "the freed run is not told")
    assert "Cancelled" in office.logged(row_id)[0]["Remarks"]
    assert office.row(row_id)["enmJobStatus"] == "InProcess"
    office.sql("UPDATE c_Job SET Active=0, enmJobStatus='Failure' WHERE ID=%s", row_id)
    office.until(lambda: len(office.logged(row_id)) == 2, "the second run goes on")
    assert office.row(row_id)["NextRunTime"] is None


def test_T9_recipients_of_a_row_are_those_of_type_email(office: Office) -> None:
    row_id = office.insert("mnTM_Wrong", "T9")
    add = "INSERT INTO c_JobAlertRecipient (c_JobID,c_UserID,enmJobAlertType,AddedBy) VALUES (%s,7,%s,'dba')"
    office.sql(add, row_id, "SMS")
    read = office.tm.database.read
    assert read(lambda tx: alerts.mailing(tx, [row_id])) == set()
    office.sql(add, row_id, "email")
    office.sql(
        "INSERT INTO c_JobAlertRecipient (c_JobID,enmJobAlertType,OverrideName,OverrideEmailOrPhone,AddedBy) "
        "VALUES (%s,'email','The boss','boss@example.com','dba')", row_id,
    )  # fmt: skip
    assert read(lambda tx: alerts.mailing(tx, [row_id])) == {row_id}
    assert read(lambda tx: alerts.recipients(tx, row_id)) == ("ops@example.com", "boss@example.com")
    office.run_now(row_id)
    row, run = office.until_ended(row_id)
    assert (row["enmJobStatus"], run["Remarks"]) == ("Failure", "no orders today")
    office.until(lambda: office.mails_to("ops"), "no mail has come", 15)
    assert office.mails_to("ops") == office.mails_to("boss") == ["FAILED: mnTM_Wrong"]


def test_T10_a_row_with_history_is_not_deleted_and_one_without_is(office: Office) -> None:
    row_id = office.due["mnTM_Two", "due"]
    office.until_ended(row_id)
    with pytest.raises(pymysql.err.IntegrityError) as refused:
        office.sql("DELETE FROM c_Job WHERE ID=%s", row_id)
    assert refused.value.args[0] == 1451
    other = office.insert("mnTM_Two", "T10")
    office.sql("INSERT INTO c_JobAlertRecipient (c_JobID,enmJobAlertType,AddedBy) VALUES (%s,'email','dba')", other)
    planned(office, other)
    office.sql("DELETE FROM c_Job WHERE ID=%s", other)
    assert not office.sql("SELECT * FROM c_JobAlertRecipient WHERE c_JobID=%s", other)
    office.until(lambda: other not in office.tm.database.read(targcc_marks.load), "it is still remembered")


def test_T11_day_31_and_weekly_rows_are_planned_as_they_say(office: Office) -> None:
    monthly = office.insert("mnTM_Sales", "T11", enmJobType="Monthly", WhenToRun="2000-01-31 02:00")
    weekly = office.insert("mnTM_Two", "T11", enmJobType="Weekly", WhenToRun="2000-01-02 02:00")
    at = planned(office, monthly)
    assert (at + timedelta(days=1)).day == 1
    assert planned(office, weekly).weekday() == 6
    office.run_now(monthly)
    row, _ = office.until_ended(monthly)
    assert (row["NextRunTime"] + timedelta(days=1)).day == 1


def test_T12_an_external_programs_row_is_only_judged_by_its_TimeOutSec(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "T12", IsManaged=0, TimeOutSec=1, NextRunTime="2001-01-01 00:00")
    office.sql(
        "UPDATE c_Job SET enmJobStatus='InProcess',LastRunTime=NOW(),LastRunBy='their host' WHERE ID=%s AND "
        "COALESCE(enmJobStatus,'')<>'InProcess'", row_id,
    )  # fmt: skip
    assert office.row(row_id)["enmJobStatus"] == "InProcess"
    office.until(lambda: office.row(row_id)["enmJobStatus"] == "Failure", "it is not failed", 6)
    row = office.row(row_id)
    assert (row["NextRunTime"], row["LastRunBy"]) == (datetime(2001, 1, 1), "their host")
    (run,) = office.logged(row_id)
    assert "was not reported within 1 s" in run["Remarks"]


# -- mails ------------------------------------------------------------------------------------------------------


def test_a_run_of_which_items_failed_is_mailed_as_a_warning(office: Office) -> None:
    row_id = office.insert("partly", "mail")
    office.mailed(row_id, "warned")
    office.run_now(row_id)
    office.until_ended(row_id)
    office.until(lambda: office.mails_to("warned"), "no mail has come", 15)
    assert office.mails_to("warned") == ["WARNING: partly"]


def test_a_success_is_mailed_where_the_row_says_so_and_again_only_with_other_words(office: Office) -> None:
    quiet, told = office.insert("mnTM_Sales", "quiet"), office.insert("mnTM_Counts", "told")
    office.sql("UPDATE c_Job SET SendNotificationOnSuccess=1 WHERE ID=%s", told)
    for row_id, who in ((quiet, "nobody"), (told, "glad")):
        office.mailed(row_id, who)
        office.run_now(row_id)
        office.until_ended(row_id)
    office.until(lambda: office.mails_to("glad") == ["Succeeded: mnTM_Counts"], "no mail has come", 15)
    office.run_now(told)
    office.until_ended(told, 2)
    office.sql("INSERT INTO Ran (What, At) VALUES ('counted', NOW(3))")
    office.run_now(told)
    office.until_ended(told, 3)
    office.until(lambda: len(office.mails_to("glad")) > 1, "other words are not mailed", 15)
    assert [r["Remarks"] for r in office.logged(told)] == ["0 orders", "0 orders", "1 orders"]
    assert office.mails_to("glad") == ["Succeeded: mnTM_Counts"] * 2
    assert office.mails_to("nobody") == []


def test_an_external_programs_row_that_was_missed_is_mailed_once(office: Office) -> None:
    row_id = office.insert("Theirs", "missed", IsManaged=0, enmJobType="CyclicMin", CyclicCount=5, TimeOutSec=90)
    office.mailed(row_id, "missing")
    office.sql("UPDATE c_Job SET LastRunTime = NOW() - INTERVAL 380 SECOND WHERE ID=%s", row_id)
    time.sleep(1.5)
    assert office.row(row_id)["WarningMailSent"] != 1, "the sum of TimeOutSec has not passed"
    office.sql("UPDATE c_Job SET LastRunTime = NOW() - INTERVAL 395 SECOND WHERE ID=%s", row_id)
    office.until(lambda: office.mails_to("missing"), "no mail has come", 15)
    assert office.row(row_id)["WarningMailSent"] == 1
    office.sql("UPDATE c_Job SET LastRunTime = NOW(), WarningMailSent = 0 WHERE ID=%s", row_id)
    time.sleep(1.5)
    assert office.mails_to("missing") == ["MISSED: Theirs"]


def test_who_is_mailed_where_a_row_names_nobody_stands_in_c_SystemDefault(office: Office) -> None:
    row_id = office.insert("NobodyKnowsIt", "default")
    office.sql("UPDATE c_SystemDefault SET spt_SettingValue='problems@example.com' WHERE `Group`='Config'")
    try:
        office.run_now(row_id)
        office.until_ended(row_id)
        office.until(lambda: "FAILED: NobodyKnowsIt" in office.mails_to("problems"), "no mail has come", 15)
    finally:
        office.sql("UPDATE c_SystemDefault SET spt_SettingValue=NULL WHERE `Group`='Config'")


# -- procedures, codes, statuses --------------------------------------------------------------------------------


def test_a_procedure_without_a_result_set_succeeds_and_several_sets_do_too(office: Office) -> None:
    silent, two = office.due["mnTM_Silent", "due"], office.due["mnTM_Two", "due"]
    row, run = office.until_ended(silent)
    assert (row["enmJobStatus"], run["Remarks"]) == ("Success", "")
    assert office.ran("silent") >= 1
    row, run = office.until_ended(two)
    assert (row["enmJobStatus"], run["Remarks"]) == ("Success", "1")


def test_a_registered_job_is_found_by_its_name_in_any_case_and_may_end_with_a_warning(office: Office) -> None:
    row_id = office.due["PARTLY", "due"]
    row, run = office.until_ended(row_id)
    assert (row["enmJobStatus"], run["enmRunStatus_JobStatus"]) == ("Warning", "Warning")
    assert (run["SuccessCount"], run["FailureCount"], run["Remarks"]) == (9, 3, "9 of 12")


def test_a_retried_job_tells_each_try_and_ends_once(office: Office) -> None:
    row_id = office.due["second_try", "due"]
    _, first = office.until_ended(row_id)
    assert (first["enmRunStatus_JobStatus"], first["Remarks"]) == ("Failure", "not yet")
    row, second = office.until_ended(row_id, 2)
    assert (row["enmJobStatus"], second["Remarks"]) == ("Success", "at last")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NobodyKnowsIt", "neither a procedure (mnTM_…) nor the name of a registered job: no job is named"),
        ("mnTM_Missing", "mnTM_Missing does not exist"),
        ("needs", "argument"),
        ("run_procedure", "nor the name of a registered job"),
    ],
)
def test_a_code_that_cannot_be_run_fails_with_a_clear_text(office: Office, code: str, words: str) -> None:
    row_id = office.due[code, "due"]
    row, run = office.until_ended(row_id)
    assert row["enmJobStatus"] == "Failure"
    assert words.lower() in run["Remarks"].lower()
    assert row["NextRunTime"] > office.now()


def test_what_was_built_into_the_old_TaskManager_is_left_alone_with_a_word(office: Office) -> None:
    row_id = office.insert("ScanJobs")
    office.run_now(row_id)
    office.until(lambda: "ScanJobs was built into the old TaskManager" in office.log(), "nothing is told")
    assert not office.logged(row_id)
    assert office.row(row_id)["ActivatingUser"] == "ops"
    office.sql("DELETE FROM c_Job WHERE ID=%s", row_id)


def test_a_OneOff_runs_once_on_its_own_day_and_is_over(office: Office) -> None:
    late = office.due["mnTM_Two", "once"]
    ahead = office.insert("mnTM_Two", "later", enmJobType="OneOff", WhenToRun="2099-02-10 08:00")
    row, _ = office.until_ended(late)
    assert (row["Active"], row["NextRunTime"], row["enmJobStatus"]) == (0, None, "Success")
    assert planned(office, ahead) == datetime(2099, 2, 10, 8)
    assert len(office.logged(late)) == 1


def test_missed_times_are_made_up_for_once(office: Office) -> None:
    row_id = office.due["mntm_sales", "due"]
    row, _ = office.until_ended(row_id)
    assert row["NextRunTime"] > office.now()
    assert len(office.logged(row_id)) == 1


def test_every_second_keeps_its_pace_and_never_overlaps(office: Office) -> None:
    row_id = office.due["mnTM_Silent", "paced"]
    office.until_ended(row_id, 3, seconds=10)
    office.sql("UPDATE c_Job SET Active=0 WHERE ID=%s", row_id)
    starts = [run["WhenStarted"] for run in office.logged(row_id)]
    assert starts == sorted(set(starts))


def test_what_cannot_be_planned_is_told_and_heals(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "wrong", enmJobType="CyclicMin", CyclicCount=0)
    office.until(lambda: "CyclicCount of a CyclicMin job is at least 1" in office.log(), "nothing is told")
    (record,) = (r for r in office.tm.recurring_list() if r.id == f"c_job:{row_id}")
    assert "CyclicCount" in (record.error or "")
    office.sql("UPDATE c_Job SET enmJobType='Daily' WHERE ID=%s", row_id)
    assert planned(office, row_id).hour == 2


# -- limits, crashes, edits during a run ---------------------------------------------------------------------------


def test_TimeOutSec_ends_a_procedure_and_its_connection(office: Office) -> None:
    row_id, job = office.due["mnTM_Slow", "due"], office.due["takes_long", "due"]
    row, run = office.until_ended(row_id)
    assert row["enmJobStatus"] == "Failure"
    assert "timeout of 1 s" in run["Remarks"]
    assert run["ExecutionTimeSec"] < 10
    running = (
        "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB=DATABASE() AND INFO LIKE 'SELECT SLEEP(60)%'"
    )
    office.until(lambda: office.one(running)["n"] == 0, "the procedure goes on")
    row, run = office.until_ended(job)
    assert (row["enmJobStatus"], "timeout of 1 s" in run["Remarks"]) == ("Failure", True)


def test_an_operators_edit_during_a_run_has_the_last_word(office: Office) -> None:
    row_id = office.insert("mnTM_Edited")
    office.run_now(row_id)
    office.until(lambda: office.row(row_id)["enmJobStatus"] == "InProcess", "it does not run")
    office.sql("UPDATE c_Job SET NextRunTime='2099-05-05 05:05:00' WHERE ID=%s", row_id)
    row, _ = office.until_ended(row_id)
    assert row["NextRunTime"] == datetime(2099, 5, 5, 5, 5)
    assert row["enmJobStatus"] == "Success"


def test_a_row_that_somebody_holds_locked_is_told_its_end_when_it_is_let_go(office: Office) -> None:
    row_id = office.due["mnTM_Edited", "held"]
    office.run_now(row_id)
    office.until(lambda: office.row(row_id)["enmJobStatus"] == "InProcess", "it does not run")
    holder = office.connect(autocommit=False)
    with holder.cursor() as cursor:
        cursor.execute("UPDATE c_Job SET Description='mine' WHERE ID=%s", [row_id])
        other = office.insert("mnTM_Sales", "not held")
        office.run_now(other)
        office.until_ended(other)
        time.sleep(1.7)
        assert office.row(row_id)["enmJobStatus"] == "InProcess"
        holder.commit()
    holder.close()
    row, run = office.until_ended(row_id)
    assert (row["enmJobStatus"], run["enmRunStatus_JobStatus"], row["Description"]) == ("Success", "Success", "mine")


def test_a_run_whose_worker_is_killed_is_failed_and_not_run_again(office: Office) -> None:
    row_id = office.insert("mnTM_Dies")
    foreign = office.insert("mnTM_Two", "left", enmJobStatus="InProcess", LastRunTime="2024-01-01", TimeOutSec=5)
    office.run_now(row_id)
    office.until(lambda: office.ran("dies") == 1, "it does not run")
    office.kill()
    row, run = office.until_ended(row_id, seconds=60)
    assert (row["enmJobStatus"], office.ran("dies")) == ("Failure", 1)
    assert "worker lost" in run["Remarks"]
    assert row["NextRunTime"] > office.now()
    assert office.row(foreign)["enmJobStatus"] == "Failure"


# -- as recurring jobs ---------------------------------------------------------------------------------------------


def test_rows_are_recurring_jobs_like_the_others(office: Office) -> None:
    tm, row_id = office.tm, office.insert("mnTM_Sales", "listed", enmJobType="Weekly", WhenToRun="2000-01-02 02:00")
    planned(office, row_id)
    (record,) = (r for r in tm.recurring_list() if r.id == f"c_job:{row_id}")
    assert (record.cron, record.name, record.procedure) == ("Weekly Sun 02:00", "mnTM_Sales", "mnTM_Sales")
    assert record.next_execution is not None
    tm.pause(record.id)
    assert office.row(row_id)["Active"] == 0
    job_id = tm.trigger(record.id, by="API")
    office.until_ended(row_id)
    assert office.row(row_id)["Active"] == 0
    assert tm.get(job_id).parameters["RecurringJobId"] == f'"c_job:{row_id}"'
    tm.resume(record.id)
    assert planned(office, row_id) > office.now()
    with pytest.raises(Exception, match="foreign key"):
        tm.remove(record.id)


def test_what_a_row_missed_while_it_was_paused_runs_once_when_it_is_asked_for(office: Office) -> None:
    tm, soon = office.tm, office.now() + timedelta(seconds=3)
    row_id = office.insert("mnTM_Sales", "missed", enmJobType="Daily", WhenToRun=f"{soon:%Y-%m-%d %H:%M:%S}")
    planned(office, row_id)
    name = f"c_job:{row_id}"
    tm.pause(name)
    assert tm.resume(name, run_missed=True) is None, "nothing was missed"
    tm.pause(name)
    office.until(lambda: office.now() > soon + timedelta(seconds=1), "time stands still")
    job_id = tm.resume(name, run_missed=True, by="ann")
    office.until_ended(row_id)
    assert office.row(row_id)["Active"] == 1
    assert tm.get(job_id or 0).parameters["TriggeredBy"] == '"ann"'
    assert planned(office, row_id) > soon + timedelta(hours=1)
    external = office.insert(
        "mnTM_Sales", "external", enmJobType="Daily", WhenToRun="2000-01-01", IsManaged=0, Active=0
    )
    with pytest.raises(InvalidArgument, match="an external program runs it"):
        tm.resume(f"c_job:{external}", run_missed=True)
    tm.resume(f"c_job:{external}")
    assert office.row(external)["Active"] == 1


def test_other_jobs_leave_no_trace_in_the_older_history_and_doctor_says_what_it_sees(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(office.folder))
    office.tm.discover()
    before = office.one("SELECT COUNT(*) AS n FROM c_LoggedJob WHERE c_JobID IS NULL")["n"]
    job_id = office.tm.enqueue("BackupDB")
    assert office.tm.wait(job_id, 60) == "backed up"
    assert office.one("SELECT COUNT(*) AS n FROM c_LoggedJob WHERE c_JobID IS NULL")["n"] == before
    findings = doctor.examine(office.tm.database, recurring=office.tm.recurring_list)
    assert any("older TARGCC shape" in f.text for f in findings), findings


def test_the_commands_check_and_history_tell_of_these_rows(office: Office) -> None:
    office.until_ended(office.due["mnTM_Silent", "due"])
    kinds = {
        "Theirs": {"IsManaged": 0}, "ImAlive": {"Active": 0}, "mnTM_Nowhere": {"Active": 0},
        "mnTM_Takes": {"Active": 0}, "mnTM_Sales": {"enmJobType": "CyclicMin"},
    }  # fmt: skip
    ids = {code: office.insert(code, "checked", **columns) for code, columns in kinds.items()}
    found = CliRunner().invoke(main, ["--database-url", office.url, "legacy", "check", "--json"])
    assert found.exit_code == 1, "there are problems"
    rows = {row["id"]: row for row in json.loads(found.stdout)}
    long = rows[office.due["mnTM_Long", "due"]]
    assert (long["when"], long["problems"], long["next_run"][11:]) == ("Daily 02:00", "", "02:00:00")
    assert "neither a procedure" in rows[office.due["NobodyKnowsIt", "due"]]["problems"]
    checked = {code: rows[row_id] for code, row_id in ids.items()}
    assert (checked["Theirs"]["problems"], checked["Theirs"]["notes"]) == (
        "",
        "an external program runs it (IsManaged)",
    )
    assert "was built into the old TaskManager" in checked["ImAlive"]["problems"]
    assert checked["mnTM_Nowhere"]["problems"].startswith("procedure 'mnTM_Nowhere' does not exist")
    assert checked["mnTM_Takes"]["problems"] == "procedure 'mnTM_Takes' takes 1 parameters; c_Job has none"
    assert checked["mnTM_Sales"]["problems"] == "CyclicCount of a CyclicMin job is at least 1, not None"
    office.sql("DELETE FROM c_Job WHERE lkpJobRunner = 'checked'")
    wrong = office.insert("mnTM_Wrong", "told")
    office.run_now(wrong)
    office.until_ended(wrong)
    told = CliRunner().invoke(main, ["--database-url", office.url, "job", "history", "mnTM_Wrong", "--json"])
    assert {row["ErrorMessage"] for row in json.loads(told.stdout)} == {"no orders today"}
    counted = CliRunner().invoke(main, ["--database-url", office.url, "job", "stats", "--json"])
    assert "mnTM_Silent" in {row["name"] for row in json.loads(counted.stdout)}


def test_a_locked_table_holds_up_no_outcome(office: Office) -> None:
    row_id = office.insert("mnTM_Edited", "locked")
    office.run_now(row_id)
    office.until(lambda: office.row(row_id)["enmJobStatus"] == "InProcess", "it does not run")
    holder = office.connect()
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLES c_Job WRITE")
        time.sleep(3)
        cursor.execute("UNLOCK TABLES")
    holder.close()
    row, _ = office.until_ended(row_id)
    assert row["enmJobStatus"] == "Success"


def test_a_row_is_edited_in_a_form_by_its_own_columns_and_planned_anew(office: Office) -> None:
    row_id = office.insert("mnTM_Sales", "Form")
    planned(office, row_id)
    edits = office.tm.row_edits
    seen = edits.read(row_id)
    assert (seen.values["enmJobType"], seen.values["Active"], seen.values["WhenToRun"][11:]) == (
        "Daily",
        "1",
        "02:00:00",
    )
    given = {"enmJobType": "CyclicMin", "CyclicCount": "15", "TimeOutSec": "90"}
    before = office.row(row_id)
    assert edits.edit(row_id, given, version=seen.version)
    after = office.row(row_id)
    changed = {name for name, value in after.items() if value != before[name]} - {"NextRunTime"}
    assert changed == {"enmJobType", "CyclicCount", "TimeOutSec"}
    at = planned(office, row_id)
    assert at - office.now() <= timedelta(minutes=16)
    with pytest.raises(ChangedMeanwhile):
        edits.edit(row_id, {"TimeOutSec": "7"}, version=seen.version)
    for wrong, column in (
        ({"CyclicCount": "0"}, "CyclicCount"), ({"enmJobType": "Never"}, "enmJobType"),
        ({"TimeOutSec": "x"}, "TimeOutSec"),
        ({"enmJobType": "Daily", "WhenToRun": ""}, "WhenToRun"), ({"WhenToRun": "noon"}, "WhenToRun"),
    ):  # fmt: skip
        with pytest.raises(InvalidFields) as caught:
            edits.edit(row_id, wrong, version=edits.read(row_id).version)
        assert list(caught.value.errors) == [column]
    assert edits.edit(row_id, {"Active": ""}, version=edits.read(row_id).version)
    office.until(lambda: office.row(row_id)["NextRunTime"] is None, "NextRunTime stays")

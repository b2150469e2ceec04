"""Who is mailed of rows of the older c_Job, and what of them was told already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from taskmanager.storage import jobs, legacy_shape
from taskmanager.storage.dialects import Product
from taskmanager.storage.legacy_shape import Shape
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx, as_moment


@dataclass(frozen=True, slots=True)
class LastRun:
    """A row's newest run in the older c_LoggedJob. started: on the wall clock."""

    started: datetime | None
    remarks: str


@statement
def mailing_targcc_rows(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"SELECT r.{q('c_JobID')}, MAX(j.{q('lkpJob')}) FROM {q('c_JobAlertRecipient')} r "
        f"JOIN {q('c_Job')} j ON j.{q('ID')} = r.{q('c_JobID')} WHERE LOWER(TRIM(r.{q('enmJobAlertType')})) = 'email' "
        f"AND r.{q('DeletedOn')} IS NULL GROUP BY r.{q('c_JobID')} ORDER BY r.{q('c_JobID')}"
    )


def _recipients(p: Product, address: str, *, join: str = "") -> str:
    """Of rows by id, in the order in which they were named."""
    q = p.quote
    return (
        f"SELECT t.{q('c_JobID')}, {address} FROM {p.by_ids('c_JobAlertRecipient', 'c_JobID')}{join} "
        f"WHERE LOWER(TRIM(t.{q('enmJobAlertType')})) = 'email' AND t.{q('DeletedOn')} IS NULL ORDER BY t.{q('ID')}"
    )


def _or_of_user(p: Product, is_overridden: str) -> str:
    q = p.quote
    user = f" LEFT JOIN {q('c_User')} u ON u.{q('ID')} = t.{q('c_UserID')}"
    address = f"CASE WHEN {is_overridden} THEN t.{q('OverrideEmailOrPhone')} ELSE u.{q('Email')} END"
    return _recipients(p, address, join=user)


@statement
def targcc_recipients(t: Tables, p: Product) -> str:
    """The override stands only where OverrideName does; else the user's own address."""
    return _or_of_user(p, f"COALESCE(t.{p.quote('OverrideName')}, '') <> ''")


@statement
def recipients_among_users(t: Tables, p: Product) -> str:
    """The address that stands in the row, else the user's own."""
    return _or_of_user(p, f"COALESCE(t.{p.quote('OverrideEmailOrPhone')}, '') <> ''")


@statement
def recipients_without_users(t: Tables, p: Product) -> str:
    return _recipients(p, f"t.{p.quote('OverrideEmailOrPhone')}")


@statement
def problem_mail_to(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"SELECT {q('spt_SettingValue')} FROM {q('c_SystemDefault')} "
        f"WHERE {q('Group')} = 'Config' AND {q('SettingName')} = 'ProblemMailTo'"
    )


@statement
def last_targcc_run(t: Tables, p: Product) -> str:
    q = p.quote
    return (
        f"SELECT {q('WhenStarted')}, {q('Remarks')} FROM {q('c_LoggedJob')} WHERE {q('c_JobID')} = :id "
        f"ORDER BY {q('ID')} DESC LIMIT 1"
    )


@statement
def warn_of_targcc_row(t: Tables, p: Product) -> str:
    return f"UPDATE {p.quote('c_Job')} SET {p.quote('WarningMailSent')} = 1 WHERE {p.quote('ID')} = :id"


def mailing(tx: Tx) -> list[tuple[int, str]]:
    """Rows that have somebody to be mailed: ID and code."""
    return [(int(r[0]), str(r[1])) for r in tx.execute(mailing_targcc_rows)]


def recipients(tx: Tx, row_ids: Iterable[int]) -> dict[int, list[str]]:
    """Whom rows name in c_JobAlertRecipient, by row: what stands where an address is to be, whatever it is.

    In the older c_Job an override counts only where it has a name. Users have addresses where c_User has.
    """
    known = legacy_shape.of(tx)
    among_users = targcc_recipients if known.job is Shape.TARGCC else recipients_among_users
    found = dict[int, list[str]]()
    for r in tx.execute(among_users if known.has_users else recipients_without_users, {"ids": jobs.ids_json(row_ids)}):
        found.setdefault(int(r[0]), []).append(str(r[1] or "").strip())
    return found


def default_recipients(tx: Tx) -> str:
    """Config_ProblemMailTo: who is mailed where a row names nobody; empty where nobody is named."""
    if not legacy_shape.of(tx).has_defaults:
        return ""
    row = tx.execute(problem_mail_to).first()
    return "" if row is None else str(row[0] or "").strip()


def last_run(tx: Tx, row_id: int) -> LastRun | None:
    """The newest run of a row; None when none is known."""
    row = tx.execute(last_targcc_run, {"id": row_id}).first()
    if row is None:
        return None
    return LastRun(None if row[0] is None else as_moment(row[0]), str(row[1] or ""))


def warn(tx: Tx, row_id: int) -> None:
    """Remember in the row that a mail told of it being missed; its next run's end forgets it."""
    tx.execute(warn_of_targcc_row, {"id": row_id})

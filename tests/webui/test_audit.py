"""The audit log: every change with who, what, before and after, in the transaction of the change; refusals too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from taskmanager import TaskManager
from taskmanager.cli import main
from taskmanager.engine.audit import Actor, Audit
from taskmanager.storage import audit as rows
from taskmanager.storage.audit import Row, Sought
from tests.webui.conftest import Browser

pytestmark = pytest.mark.each_engine

ADA = Actor("ada", "api", "10.0.0.1")


def log(tm: TaskManager, **sought: Any) -> list[Row]:
    found, _ = tm.database.read(lambda tx: rows.page(tx, Sought(**sought), limit=100))
    return found


def failed(tm: TaskManager) -> int:
    job_id = tm.enqueue(len, "x", queue="mail")
    tm.client.fail(job_id, ValueError(), "no")
    return job_id


def test_a_button_writes_who_what_before_and_after(tm: TaskManager, ann: Browser) -> None:
    one, two = failed(tm), failed(tm)
    ann.post("/hangfire/jobs/failed/requeue", {"jobs[]": [str(one), str(two)]})
    found = {row.target: row for row in log(tm)}
    assert set(found) == {str(one), str(two)}
    row = found[str(one)]
    assert (row.user, row.address, row.door, row.action) == ("ann", "127.0.0.1", "dashboard", "jobs.requeue")
    assert (row.kind, row.before, row.after) == ("job", '{"state": "Failed"}', '{"state": "Enqueued"}')
    assert row.outcome == "done"
    assert row.at is not None
    assert abs((row.at - tm.database.clock.now()).total_seconds()) < 60


def test_a_job_that_was_not_changed_is_written_with_the_reason(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(len, "x")
    ann.post("/hangfire/jobs/failed/delete", {"jobs[]": [str(job_id)]})
    (row,) = log(tm)
    assert (row.outcome, row.note, row.target) == ("unchanged", "the job is Enqueued, not Failed", str(job_id))


def test_recurring_jobs_and_queues_have_a_row_each(tm: TaskManager, ann: Browser) -> None:
    tm.recurring("a", len, args=("x",), cron="0 2 * * *")
    tm.recurring("b", len, args=("x",), cron="0 2 * * *")
    ann.post("/hangfire/recurring/pause", {"jobs[]": ["a", "b", "none"]})
    ann.post("/hangfire/recurring/trigger", {"jobs[]": ["a"]})
    ann.post("/hangfire/queues/pause", {"queue": "mail"})
    ann.post("/hangfire/queues/pause", {"queue": "no queue!"})
    found = {(row.action, row.kind, row.target, row.outcome) for row in log(tm)}
    assert found == {
        ("recurring.pause", "recurring", "a", "done"), ("recurring.pause", "recurring", "b", "done"),
        ("recurring.pause", "recurring", "none", "unchanged"), ("recurring.trigger", "recurring", "a", "done"),
        ("queues.pause", "queue", "mail", "done"), ("queues.pause", "queue", "no queue!", "failed"),
    }  # fmt: skip
    assert '"jobs": [' in (log(tm, action="recurring.trigger")[0].after or "")


def test_what_is_refused_is_written_as_denied(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    job_id, token = failed(tm), ann.token()
    eve.post(f"/hangfire/jobs/actions/delete/{job_id}")
    ann.post(f"/hangfire/jobs/actions/delete/{job_id}", token="forged")
    ann.post(f"/hangfire/jobs/actions/delete/{job_id}", token=token, **{"Sec-Fetch-Site": "cross-site"})
    found = [(row.user, row.action, row.target, row.outcome) for row in log(tm)]
    what = (str(job_id), "denied")
    assert found == [(user, "jobs.delete", *what) for user in ("ann", "ann", "eve")]
    assert tm.get(job_id).state == "Failed"


@pytest.mark.one_engine
def test_looking_and_choosing_a_theme_leave_no_row(tm: TaskManager, ann: Browser) -> None:
    for path in ("", "jobs/failed", "recurring", "audit", "stats"):
        assert ann.get(f"/hangfire/{path}").status_code == 200
    ann.post("/hangfire/preferences", {"theme": "dark"})
    assert log(tm) == []


def test_row_and_change_are_of_one_transaction(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = failed(tm)
    with monkeypatch.context() as patched:
        patched.setattr(rows, "add", _breaks)
        with pytest.raises(RuntimeError):
            _change(tm, lambda: tm.requeue(job_id))
    assert tm.get(job_id).state == "Failed"
    with pytest.raises(ZeroDivisionError):
        _change(tm, lambda: tm.database.run(lambda tx: 1 / 0))
    assert [(row.outcome, row.note) for row in log(tm)] == [("failed", "ZeroDivisionError: division by zero")]


def _change(tm: TaskManager, work: Callable[[], Any]) -> None:
    with tm.audit.changing(ADA, "queues.pause") as change:
        change.about("queue", "mail")
        work()


def _breaks(*_: Any) -> None:
    raise RuntimeError("no audit log")


@pytest.mark.one_engine
def test_secrets_are_masked_and_long_texts_cut(tm: TaskManager) -> None:
    before = {"cron": "0 2 * * *", "arguments": {"api_token": "hunter2", "note": "password=hunter2"}}
    with tm.audit.changing(ADA, "recurring.edit") as change:
        change.about("recurring", "a", before=before, after={"text": "x" * 10_000}, note="key=hunter2")
        tm.pause_queue("mail")
    (row,) = log(tm)
    assert "hunter2" not in f"{row.before}{row.after}{row.note}"
    assert "0 2 * * *" in (row.before or "")
    assert len(row.after or "") < 4100


def test_the_log_is_paged_filtered_and_expires(tm: TaskManager, ann: Browser) -> None:
    for n in range(45):
        tm.audit.denied(ADA if n % 3 else Actor("bob", "cli"), "jobs.delete", "job", n, "no")
    seen: list[int] = []
    edge = None
    while True:
        found, more = tm.database.read(lambda tx, e=edge: rows.page(tx, Sought(user="ada"), limit=7, before=e))
        seen += [row.id for row in found]
        edge = found[-1].id
        if not more:
            break
    assert (len(seen), seen) == (30, sorted(seen, reverse=True))
    page = ann.get("/hangfire/audit?user=bob").text
    assert page.count('id="audit-') == 15
    assert "ada" not in page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert ann.get("/hangfire/audit?kind=job&target=7").text.count('id="audit-') == 1
    assert ann.get("/hangfire/audit?to=2001-01-01").text.count('id="audit-') == 0
    assert 'rel="next"' in ann.get("/hangfire/audit").text
    assert tm.database.run(lambda tx: rows.expire(tx, 3600, 100)) == 0
    assert [tm.database.run(lambda tx: rows.expire(tx, 0.0, 30)) for _ in range(2)] == [30, 15]
    assert log(tm) == []


@pytest.mark.one_engine
def test_only_who_manages_sees_the_log(eve: Browser, ann: Browser) -> None:
    assert eve.get("/hangfire/audit").status_code == 403
    assert "/hangfire/audit" not in eve.get("/hangfire/").text
    assert 'href="/hangfire/audit"' in ann.get("/hangfire/").text


def test_the_pages_of_the_log_are_read_by_their_index(tm: TaskManager) -> None:
    tm.database.run(lambda tx: rows.add(tx, [_row(n) for n in range(3000)]))
    product, given = tm.database.product, {"kind": "job", "target": "7", "user": "ada", "edge": 1 << 62, "limit": 21}
    if tm.database.is_embedded:
        pytest.skip("SQLite tells its plan in other words")
    table = "TABLE " if product.name != "postgresql" else ""
    with tm.database.engine.begin() as connection:
        connection.execute(text(f"ANALYZE {table}{product.quote('HangfireAudit')}"))
        for build, index in ((rows.of_target, "IX_HangfireAudit_Target"), (rows.newest, "PRIMARY")):
            made = build(tm.database.tables, product)
            known = {n: v for n, v in given.items() if n in made.compile().params}
            dialect = tm.database.engine.dialect
            sql = made.params(**known).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            plan = product.plan([dict(r) for r in connection.execute(text(f"{product.explain} {sql}")).mappings()])
            assert (plan.indexes, plan.sorts) == (frozenset({index}), False)


def _row(n: int) -> Row:
    return Row(ADA.user, None, "api", "jobs.delete", "job", str(n % 100), "done")


def test_the_command_line_writes_who_ran_it(tm: TaskManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    tm.recurring("nightly", len, args=("x",), cron="0 2 * * *")
    job_id, url = failed(tm), tm.settings.database_url
    run = CliRunner().invoke
    assert run(main, ["--database-url", url, "jobs", "requeue", str(job_id)]).exit_code == 0
    assert run(main, ["--database-url", url, "recurring", "pause", "nightly"]).exit_code == 0
    assert run(main, ["--database-url", url, "jobs", "list"]).exit_code == 0
    found = [(row.user, row.door, row.action, row.kind, row.target, row.outcome) for row in log(tm)]
    assert found == [
        ("root", "cli", "recurring.pause", "recurring", "nightly", "done"),
        ("root", "cli", "jobs.requeue", "job", str(job_id), "done"),
    ]


@pytest.mark.one_engine
def test_away_from_the_database_a_refusal_is_still_a_refusal(
    tm: TaskManager, eve: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from taskmanager.domain.errors import StorageError

    token = eve.token()

    def away(*_: Any, **__: Any) -> None:
        raise StorageError("gone away")

    monkeypatch.setattr(tm.database, "run", away)
    assert eve.post("/hangfire/jobs/actions/delete/1", token=token).status_code == 403
    assert "not in the audit log" in caplog.text
    assert isinstance(tm.audit, Audit)

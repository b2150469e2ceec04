"""Every page on every product: it answers, with few statements, and shows what it is for."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.errors import StorageError
from tests.webui.conftest import USERS, Browser
from tests.webui.everywhere import pages_of as pages_of_map
from tests.webui.sample import fill, row_id
from webui import create_app

MOST_STATEMENTS = 8
PAGES = [
    "", "?period=week", "?period=month", "jobs", "jobs/scheduled", "jobs/processing", "jobs/succeeded", "jobs/failed",
    "jobs/deleted", "jobs/awaiting", "jobs/enqueued", "jobs/enqueued/mail", "jobs/enqueued/fetched/mail",
    "queues", "queues?sort=latency&q=m", "queues/reports",
    "recurring", "recurring?q=daily&sort=next", "retries", "servers", "servers?q=web&state=dead",
    "servers/web-2:4711:0123456789abcdef0123456789abcdef", "jobs/failed?q=error:smtp+arg.order_id:1003",
    "jobs?q=send", "jobs/failed?from=2&count=50", "jobs/failed?q=nothing", "jobs?q=send+-nothing",
    "recurring/daily-report", "recurring/c_job:ROW", "recurring/never",
    "recurring/daily-report/edit", "recurring/c_job:ROW/edit",
    "history", "history?job=resize_image", "history?result=failed&server=web&from=2020-01-01&to=x",
    "jobs/failed/groups",
    "alerts", "alerts/rules/new", "alerts/conditions/new", "alerts?tab=sent",
    "search", "search?q=send", "search?q=nokey:x", "search?q=zzzz", "operations", "audit",
    "audit?user=ann&action=jobs&kind=job&target=1&outcome=done&from=2020-01-01&to=2090-01-01",
    "settings", "settings/system",
    "operations/new?state=failed&action=delete",
    "jobs/new", "jobs/new?type=tests.webui.sample:send_invoice",
]  # fmt: skip


#: Pages that are made without asking the database for more than the counts.
NEED_NOTHING = (
    "settings",
    "search",
    "search/suggestions",
    "jobs/new",
    "alerts/rules/new",
    "alerts/conditions/new",
    "cron/preview",
    "recurring/new",
    "stats",
    "operations/new",
)
#: Something at each place of the addresses; while the database is away nobody can tell whether it is there.
VALUES = {
    "job_id": [1], "queue": ["mail"], "key": ["x"], "server": ["s"], "run_id": [1], "alert_id": [1],
    "condition_id": ["c"], "recurring_id": ["r", "c_job:1"],
}  # fmt: skip


def pages_of(tm: TaskManager) -> list[str]:
    """The pages of a filled installation."""
    return [path.replace("ROW", str(row_id(tm))) for path in PAGES]


@pytest.mark.each_engine
def test_every_page_answers_with_at_most_eight_statements(
    tm: TaskManager, app: Any, ann: Browser, statements: Callable[[], list[str]]
) -> None:
    ids = fill(tm)
    ann.get("/hangfire/health")
    for path in [*pages_of(tm), *(f"jobs/details/{one}" for one in ids.values())]:
        app.config["SNAPSHOTS"]._tried = -1e9
        statements()
        answer = ann.get(f"/hangfire/{path}")
        ran = statements()
        assert answer.status_code == 200, path
        assert len(ran) <= MOST_STATEMENTS, (path, ran)
        for forbidden in (" style=", "<style", "hx-on", "onclick=", "javascript:"):
            assert forbidden not in answer.text, path
        assert "<script>" not in answer.text
        assert answer.text.count("<h1") == 1, path


def test_pages_of_an_empty_installation_say_what_to_do(ann: Browser) -> None:
    texts = {
        "": "taskmanager worker", "jobs": "send_mail.enqueue", "jobs/failed": "No failed jobs",
        "recurring": "No recurring jobs yet", "retries": "No retries, all is well", "servers": "no active servers",
        "jobs/enqueued": "All queues are empty", "jobs/failed?q=nothing": "No job matches",
        "history": "Nothing has run yet", "history?job=x": "No job of this name has run",
    }  # fmt: skip
    for path, text in texts.items():
        assert text in ann.get(f"/hangfire/{path}").text, path


def test_a_job_shows_its_attempts_trace_log_arguments_and_result(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    page = ann.get(f"/hangfire/jobs/details/{ids['failed']}").text
    for text in ("attempt 1", "attempt 2", "shop.mails.MailNotSent", "retry 1/2", "frames of libraries", "EHLO"):
        assert text in page
    assert "1008" in page
    page = ann.get(f"/hangfire/jobs/details/{ids['succeeded']}").text
    assert "12345678901234567890" in page, "big numbers are shown exactly"
    assert "98123.5" in page
    page = ann.get(f"/hangfire/jobs/details/{ids['processing']}").text
    assert 'value="64.0"' in page
    assert "data-log=" in page
    awaiting = ann.get(f"/hangfire/jobs/details/{ids['awaiting']}").text
    assert f"#{ids['processing']}" in awaiting
    found = ann.get(f"/hangfire/jobs/details/{ids['failed']}?form=json").json
    assert [entry["state"] for entry in found["history"]][-2:] == ["Processing", "Failed"]


def test_secrets_are_masked_wherever_they_stand(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    paths = ["jobs", "jobs/failed", "jobs/succeeded", "jobs/scheduled"]
    paths += [f"jobs/details/{one}" for one in ids.values()] + [f"jobs/details/{ids['failed']}?form=json"]
    paths += [f"jobs/details/{ids['failed']}/log", f"jobs/details/{ids['failed']}/log?form=text"]
    for path in paths:
        text = ann.get(f"/hangfire/{path}").text
        assert not any(secret in text for secret in ("s3cr3t", "hunter2", "&#34;abc&#34;")), path


def test_the_log_goes_on_after_what_was_seen(tm: TaskManager, ann: Browser) -> None:
    path = f"/hangfire/jobs/details/{fill(tm)['processing']}/log"
    first = ann.get(path).json
    assert "slow answer" in first["html"]
    assert first["state"] == "Processing"
    assert ann.get(f"{path}?after={first['after']}&share={first['share']}").status_code == 204
    assert ann.get(f"{path}?after={first['after']}&share=0.0100").json["html"] == ""
    assert "WARNING" in ann.get(f"{path}?form=text").text


@pytest.mark.each_engine
def test_lists_go_on_to_older_jobs_and_back(tm: TaskManager, ann: Browser) -> None:
    ids = tm.enqueue_many(len, [("x",)] * 45)
    tm.client.delete(ids)
    shown, path = [], "/hangfire/jobs/deleted"
    for _ in range(3):
        page = ann.get(path).text
        shown += [i for i in ids[::-1] if f'id="job-{i}"' in page]
        path = _link(page, "next") or path
    assert shown == ids[::-1]
    back = ann.get(_link(page, "prev") or "").text
    assert f'id="job-{ids[-25]}"' in back
    assert ann.get("/hangfire/jobs/deleted?after=forged").status_code == 200
    assert f'id="job-{ids[-11]}"' in ann.get("/hangfire/jobs/deleted?from=10&count=20").text
    assert ann.get("/hangfire/jobs/deleted?from=500000&count=100").status_code == 302


def test_hangfires_statistics_are_answered_as_hangfire_does(tm: TaskManager, ann: Browser) -> None:
    fill(tm)
    names = ["failed:count", "enqueued:count-or-null", "servers:count", "succeeded:count", "nonsense"]
    answer = ann.post("/hangfire/stats", {"metrics[]": names}, token="")
    assert answer.json["failed:count"] == {
        "value": "9", "intValue": 9, "style": "danger", "highlighted": True, "title": None,
    }  # fmt: skip
    assert answer.json["nonsense"] is None
    assert answer.json["succeeded:count"]["style"] == "success"


@pytest.mark.each_engine
def test_the_poll_answers_nothing_when_nothing_changed(tm: TaskManager, app: Any, ann: Browser) -> None:
    first = ann.get("/hangfire/stats").json
    assert ann.get(f"/hangfire/stats?rev={first['rev']}").status_code == 204
    tm.enqueue(len, "x")
    app.config["SNAPSHOTS"]._tried = -1e9
    later = ann.get(f"/hangfire/stats?rev={first['rev']}").json
    assert later["counts"]["enqueued"] == {"text": "1", "value": 1}
    moved = {topic for topic, at in later["topics"].items() if at != first["topics"][topic]}
    assert "jobs.enqueued" in moved
    assert not moved & {"jobs.failed", "audit", "servers"}


def test_a_number_in_the_search_box_leads_to_its_job(ann: Browser) -> None:
    assert ann.get("/hangfire/jobs?q=%2342").headers["Location"].endswith("/hangfire/jobs/details/42")


@pytest.mark.parametrize(
    ("q", "told"),
    [("nokey:x", "knows no key"), ("created:yesterday", "needs a date"), ("id:x", "needs numbers"),
     ("created:%3E9999-12-31T23:00-05:00", "needs a date"),
     ("state:gone", "knows no state"), ('"open', "cannot be read")],
)  # fmt: skip
def test_a_wrong_filter_is_told_and_the_list_stays(tm: TaskManager, ann: Browser, q: str, told: str) -> None:
    job_id = tm.enqueue(len, "x")
    page = ann.get(f"/hangfire/jobs?q={q}").text
    assert told in page
    assert f'id="job-{job_id}"' in page


def test_what_is_not_there_is_a_clear_404(ann: Browser) -> None:
    for path in ("jobs/nonsense", "nowhere", "jobs/details/-1"):
        answer = ann.get(f"/hangfire/{path}")
        assert answer.status_code == 404, path
        assert "nothing at this address" in answer.text
    for path in ("jobs/details/999", f"jobs/details/{10**30}", "jobs/details/999.json"):
        answer = ann.get(f"/hangfire/{path}")
        assert answer.status_code == 404, path
        assert "has expired and was removed with its history, or never existed" in answer.text
        assert 'href="/hangfire/history"' in answer.text
    assert ann.get("/hangfire/nowhere", Accept="application/json").json["error"] == "Nothing is here"


def test_the_database_away_is_told_with_the_last_known_figures(
    tm: TaskManager, app: Any, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tm)
    assert ann.get("/hangfire/").status_code == 200

    def away(*args: Any, **options: Any) -> Any:
        raise StorageError("connection refused")

    monkeypatch.setattr(tm.database, "read", away)
    app.config["SNAPSHOTS"]._tried = -1e9
    told = 0
    for path in pages_of_map(app, VALUES):
        answer = ann.get(path)
        assert "connection refused" not in answer.text, path
        if answer.status_code in (200, 400):
            assert path.removeprefix("/hangfire/") in NEED_NOTHING, path
            continue
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), path
        assert "The database does not answer" in answer.text, path
        assert "Failed 9" in answer.text, path
        told += 1
    assert told > 30
    assert ann.get("/hangfire/health").status_code == 503


@pytest.mark.each_engine
def test_a_foreign_or_broken_job_does_not_break_a_page(tm: TaskManager, ann: Browser) -> None:
    job_id = tm.enqueue(len, "x")
    table = tm.database.tables
    for data, arguments in [
        ("{broken", "["),
        ("{}", "{}"),
        ('{"t":"A.B, C","m":"Run"}', "null"),
        ("[]", '["\\ud83d"]'),
    ]:
        with tm.database.engine.begin() as connection:
            connection.execute(table.job.update().values(InvocationData=data, Arguments=arguments))
            connection.execute(table.state.update().values(Data="{not json"))
        for path in ("jobs", "jobs/enqueued", "jobs/enqueued/default", f"jobs/details/{job_id}", ""):
            assert ann.get(f"/hangfire/{path}").status_code == 200, (data, path)


def test_vendored_files_are_what_the_manifest_says_and_bring_their_licence() -> None:
    vendor = Path(__file__).parents[2] / "webui" / "static" / "vendor"
    manifest = json.loads((vendor / "MANIFEST.json").read_text("utf-8"))
    for name, facts in manifest.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == facts["sha256"], name
        assert (vendor / facts["licence_file"]).is_file()
    listed = {Path(name).name for name in manifest} | {"MANIFEST.json"} | {f["licence_file"] for f in manifest.values()}
    assert {file.name for file in vendor.iterdir()} <= listed


def _link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}"[^>]*href="([^"]+)"', page)
    return html.unescape(found[1]) if found else None


def test_the_site_is_led_back_to_and_live_pages_look_as_often_as_is_set(embedded: TaskManager, sam: Browser) -> None:
    page = sam.get("/hangfire/").text
    assert ("Back to site" in page, 'data-live="5"' in page) == (False, True)
    embedded.settings = embedded.settings.with_changes(web_site_url="/shop", web_live="15")
    page = sam.get("/hangfire/").text
    assert 'href="/shop">Back to site' in page
    assert 'data-live="15"' in page
    sam.post("/hangfire/preferences", {"live": "60"})
    assert 'data-live="60"' in sam.get("/hangfire/").text, "what somebody chose counts"


def test_items_of_the_configuration_stand_at_the_end_of_the_menu(embedded: TaskManager, sam: Browser) -> None:
    assert ">Wiki" not in sam.get("/hangfire/").text
    embedded.settings = embedded.settings.with_changes(web_menu="Wiki:https://wiki.example.org/,<Shop>:/shop?a=1&b=2")
    page = sam.get("/hangfire/jobs/failed").text
    menu = page.partition('class="nav-main"')[2].partition("</nav>")[0]
    assert re.search(r'<a href="https://wiki.example.org/"><svg.*?</svg>Wiki</a>', menu)
    assert re.search(r'<a href="/shop\?a=1&amp;b=2"><svg.*?</svg>&lt;Shop&gt;</a>\s*$', menu)


def test_what_a_browser_loads_keeps_to_its_budget(tmp_path: Path) -> None:
    """Kilobytes, compressed by gzip: of a list of 50 rows, of scripts without and with charts, of style sheets."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/bytes.db", doorbell=False)
    tm.database.create_tables()
    ann = Browser(create_app(tm, users=USERS))
    for number in range(60):
        tm.client.fail(tm.enqueue(len, f"argument {number} of some length"), ValueError(), f"no {number}")
    page = ann.get("/hangfire/jobs/failed?count=50", **{"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert len(page.data) <= 12 * 1024
    for path, most in (("jobs/failed", 36), ("", 36 + 22)):
        text = ann.get(f"/hangfire/{path}").text
        scripts = set(re.findall(r'<script src="([^"]+)"', text))
        for one in [one for one in scripts if "dashboard.js" in one]:
            scripts |= {f"/hangfire/static/{name}" for name in re.findall(r'from "\./([^"]+)"', ann.get(one).text)}
        assert any("hotkey" in one for one in scripts)
        assert _kilobytes(ann, scripts) <= most, path
        assert _kilobytes(ann, set(re.findall(r'rel="stylesheet" href="([^"]+)"', text))) <= 42, path
    tm.close()


def _kilobytes(ann: Browser, addresses: set[str]) -> float:
    return sum(len(gzip.compress(ann.get(one).data)) for one in addresses) / 1024

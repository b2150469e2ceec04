"""Nobody changes anything who may not: by GET, without permission, without a token, from another site."""

from __future__ import annotations

import re
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.domain.alerts import AlertRule
from taskmanager.engine.conditions import condition_of
from taskmanager.storage import audit, servers
from taskmanager.storage.audit import Sought
from taskmanager.storage.monitoring_failures import groups as failure_groups
from tests.webui.apiclient import Program
from tests.webui.conftest import HASH, HTML, ROLES, USERS, Browser, signed
from tests.webui.everywhere import pages_of
from tests.webui.sample import fill, row_id
from webui import create_app, serve
from webui.signins import WrongPasswords

VALUES = {
    "state": "failed",
    "job_id": 1,
    "run_id": 1,
    "alert_id": 1,
    "key": "x",
    "queue": "mail",
    "recurring_id": "r",
    "action": "pause",
    "filename": "dashboard.css",
    "jobId": 1,
    "jobName": "1",
    "recurringId": "r",
    "server": "s",
    "runId": 1,
    "alertId": 1,
    "alert": "0" * 32,
    "condition_id": "c",
    "conditionId": "c",
    "name": "n",
}


#: What changes nothing but what is one's own: choices in cookies, and searches that one has saved for oneself.
OWN = (
    "pages.preferences", "pages.search_save", "pages.search_remove", "api-searches.save_search",
    "api-searches.remove_search",
)  # fmt: skip


def routes(app: Any) -> list[tuple[str, str, str]]:
    """Every rule of the URL map: method, path, endpoint."""
    found = []
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            values = {name: VALUES[name] for name in rule.arguments}
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                for state in ("failed", "scheduled", "deleted"):
                    try:
                        path = adapter.build(
                            rule.endpoint, values | ({"state": state} if "state" in values else {}), method
                        )
                        break
                    except Exception:
                        continue
                found.append((method, path, rule.endpoint))
    assert len(found) > 25
    return found


def everything(tm: TaskManager) -> dict[str, list[Any]]:
    """All rows of all tables, but for the audit log and the key that the pages made for themselves."""
    with tm.database.engine.connect() as connection:
        tables = [t for t in tm.database.tables.metadata.sorted_tables if t is not tm.database.tables.audit]
        rows = {t.name: [tuple(r) for r in connection.execute(t.select())] for t in tables}
    rows[tm.database.tables.hash.name] = [r for r in rows[tm.database.tables.hash.name] if "taskmanager:web" not in r]
    return rows


@pytest.fixture
def one_job(tm: TaskManager) -> int:
    job_id = tm.enqueue(len, "x", queue="mail")
    tm.client.fail(job_id, ValueError(), "no")
    tm.recurring("r", len, args=("x",), cron="0 2 * * *")
    return job_id


def test_nothing_is_shown_without_signing_in(tmp_path: Any) -> None:
    """On SQLite alone: at the door no database is asked; what a wrong password writes is tested on all, below."""
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/door.db", doorbell=False)
    tm.database.create_tables()
    app = create_app(tm, users=USERS, roles=ROLES)
    app.config["PROPAGATE_EXCEPTIONS"] = app.testing = True
    client = app.test_client()
    for method, path, endpoint in routes(app):
        if endpoint in ("pages.static", "pages.health"):
            continue
        assert client.open(path, method=method).status_code == 401, (method, path)
    assert client.get("/hangfire/", headers=signed("nobody")).status_code == 401
    assert "Basic" in client.get("/hangfire/").headers["WWW-Authenticate"]
    tm.close()


def test_who_sends_no_password_costs_no_hashing(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = list[str]()
    monkeypatch.setattr("webui.passwords.check_password_hash", lambda stored, given: bool(hashed.append(given)))
    client = app.test_client()
    assert client.get("/hangfire/").status_code == 401
    assert hashed == []
    assert client.get("/hangfire/", headers=signed("nobody", "guess")).status_code == 401
    assert hashed == ["guess"], "an unknown name takes as long as a wrong password"


def test_closed_by_default_and_says_how_to_open(tm: TaskManager) -> None:
    answer = create_app(tm).test_client().get("/hangfire/")
    assert answer.status_code == 503
    assert "web_users" in answer.text


@pytest.mark.each_engine
def test_no_get_changes_anything(tm: TaskManager, app: Any, ann: Browser, one_job: int) -> None:
    before = everything(tm)
    for method, path, _ in routes(app):
        if method == "GET":
            assert ann.get(path.replace("/1", f"/{one_job}")).status_code < 500, path
    assert everything(tm) == before


@pytest.mark.each_engine
def test_every_change_is_refused_without_permission_token_or_from_elsewhere(
    tm: TaskManager, app: Any, ann: Browser, eve: Browser, one_job: int
) -> None:
    data = {"jobs[]": [str(one_job), "r"], "queue": "mail"}
    eves, anns = eve.token(), ann.token()
    before = everything(tm)
    changes = [(m, path, e) for m, path, e in routes(app) if m != "GET" and e != "pages.stats_as_hangfire"]
    assert {method for method, _, _ in changes} >= {"POST", "DELETE"}
    assert len(changes) >= 10
    for method, path, endpoint in changes:
        if endpoint not in OWN:
            assert eve.send(method, path, data, token=eves).status_code == 403, path
        assert ann.send(method, path, data, token="").status_code == 400, path
        assert ann.send(method, path, data, token="forged").status_code == 400, path
        for site in ("cross-site", "same-site"):
            assert ann.send(method, path, data, token=anns, **{"Sec-Fetch-Site": site}).status_code == 403, path
    assert everything(tm) == before


def test_a_browser_without_fetch_metadata_must_name_its_own_origin(tm: TaskManager, ann: Browser, one_job: int) -> None:
    token, path = ann.token(), f"/hangfire/jobs/actions/requeue/{one_job}"
    headers = signed() | {"X-CSRFToken": token}
    foreign = ann._client.post(path, headers=headers | {"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert ann._client.post(path, headers=headers | {"Origin": "http://localhost"}).status_code == 204
    assert tm.get(one_job).state == "Enqueued"


@pytest.mark.each_engine
def test_who_may_only_look_sees_no_buttons_on_any_page(tm: TaskManager, app: Any, eve: Browser) -> None:
    ids = fill(tm)
    group = tm.database.read(failure_groups)[0][0].key
    tm.alert_rules.save(None, "Nightly totals", AlertRule(to=("ops@example.org",)))
    tm.conditions.save(condition_of({"title": "Slow", "kind": "latency"}))
    server = tm.database.read(servers.all_servers)[0].id
    values = {
        "job_id": list(ids.values()), "queue": ["mail", "reports"], "key": [group], "server": [server], "run_id": [1],
        "alert_id": [1],
        "condition_id": [tm.conditions.all()[0][0].id],
        "recurring_id": ["daily-report", "cleanup", f"c_job:{row_id(tm)}"],
    }  # fmt: skip
    seen = 0
    for path in pages_of(app, values):
        answer = eve.get(path)
        assert answer.status_code in (200, 204, 302, 400, 403, 404), path
        if answer.status_code == 200 and not answer.is_json:
            forms = re.findall(r"<form[^>]*>", answer.text)
            posts = [re.search(r'action="([^"]*)"', form) for form in forms if "post" in form]
            assert {found[1] for found in posts if found} <= {"/hangfire/preferences"}, path
            assert "formaction=" not in answer.text, path
            assert 'name="jobs[]"' not in answer.text, path
            seen += 1
    assert seen > 30


def test_read_only_pages_change_nothing_for_anybody(tmp_path: Any) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/ro.db", doorbell=False, web_read_only=True)
    tm.database.create_tables()
    app = create_app(tm, users=USERS)
    ann = Browser(app)
    assert ann.post("/hangfire/recurring/trigger", {"jobs[]": "r"}).status_code == 403
    tm.searches.save("ann", "kept", "state:failed")
    for address in ("own", "shared", "own/remove"):
        assert ann.post(f"/hangfire/search/{address}", {"name": "kept", "q": "x"}).status_code == 403, address
    assert [(s.name, s.q) for s in tm.database.read(lambda tx: tm.searches.known_to(tx, "ann"))] == [
        ("kept", "state:failed")
    ]
    page = ann.get("/hangfire/search").text + ann.get("/hangfire/search?q=x").text
    assert (">kept</a>" in page, "/search/own" in page) == (True, False)
    tm.close()


def test_read_only_pages_keep_no_search_for_a_program_either(tm: TaskManager) -> None:
    tm.settings = tm.settings.with_changes(web_read_only=True)
    program = Program(tm)
    answer = program.send("POST", "/api/v1/searches/own", {"name": "a", "q": "x"})
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert program.send("DELETE", "/api/v1/searches/own/a").status_code == 403
    assert program.get("/api/v1/searches") == []


def test_wrong_passwords_are_counted_and_then_refused(tm: TaskManager) -> None:
    client = create_app(tm, users={"ann": HASH}).test_client()
    answers = [client.get("/hangfire/", headers=signed("ann", f"guess{n}")) for n in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:10] == [401] * 10
    assert (codes[-1], answers[-1].headers["Retry-After"]) == (429, "60")
    assert client.get("/api/jobs", headers=signed("ann", "guess")).headers["Retry-After"] == "60"


@pytest.mark.each_engine
def test_wrong_passwords_stand_in_the_audit_log_once_a_minute_and_never_what_was_typed(tm: TaskManager) -> None:
    app = create_app(tm, users={"ann": HASH, "ben": HASH})
    client = app.test_client()

    def rows() -> list[tuple[str, str, str | None]]:
        found, _ = tm.database.read(lambda tx: audit.page(tx, Sought(action="sign-in"), limit=50))
        return [(row.user, row.outcome, row.note) for row in reversed(found)]

    for name, password in [("ann", "guess-1"), ("ann", "guess-2"), ("hunter2", "ann"), ("ann", "guess-3")]:
        assert client.get("/hangfire/", headers=signed(name, password)).status_code == 401
    told = [("ann", "denied", "wrong password"), ("(unknown user)", "denied", "unknown user name")]
    assert rows() == told
    assert client.get("/hangfire/").status_code == 401
    assert client.get("/hangfire/", headers=signed("ann")).status_code == 200
    assert rows() == told, "who has not signed in yet, and who signs in right, leave none"
    app.config["WRONG_PASSWORDS"]._since -= 60
    client.get("/hangfire/", headers=signed("ann", "guess-4"))
    assert rows()[2:] == [("ann", "denied", "wrong password; 2 more since the last row")]


def test_an_attack_on_many_names_does_not_fill_the_audit_log(tm: TaskManager) -> None:
    passwords = WrongPasswords(tm.audit)
    for number in range(500):
        passwords.note("ann", "dashboard", f"192.0.2.{number}")
    found, _ = tm.database.read(lambda tx: audit.page(tx, Sought(action="sign-in"), limit=200))
    assert len(found) == 30


def test_a_poll_with_a_wrong_password_does_not_ask_for_another(app: Any) -> None:
    poll = {"X-Requested-With": "poll"}
    answer = app.test_client().get("/hangfire/stats", headers=poll | signed("ann", "changed since"))
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers
    answer = app.test_client().get("/hangfire/stats", headers=poll)
    assert (answer.status_code, "Basic" in answer.headers["WWW-Authenticate"]) == (401, True), (
        "a browser that was asked at /hangfire/jobs/ sends the password elsewhere only when it is asked again"
    )


def test_every_answer_has_the_strict_headers(ann: Browser) -> None:
    for path in ("/hangfire/", "/hangfire/nowhere", "/hangfire/stats", "/hangfire/static/dashboard.css?v=1"):
        headers = ann.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Robots-Tag"] == "none"
    assert ann.get("/hangfire/").headers["Cache-Control"] == "no-store"
    assert "immutable" in ann.get("/hangfire/static/dashboard.css?v=1").headers["Cache-Control"]


def test_it_works_under_a_sub_path_and_behind_a_proxy(tmp_path: Any) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/p.db", doorbell=False, web_proxies=1)
    tm.database.create_tables()
    client = create_app(tm, users=USERS, roles=ROLES).test_client()
    proxied = {"X-Forwarded-Prefix": "/ops/jobs", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "ops.example"}
    answer = client.get("/hangfire/jobs/failed", headers=signed() | HTML | proxied)
    links = re.findall(r'(?:href|src|action|hx-get|data-stats)="(/[^"]*)"', answer.text)
    assert len(links) > 20
    assert [link for link in links if not link.startswith(("/ops/jobs/hangfire/", "/ops/jobs/api/"))] == []
    cookie = answer.headers["Set-Cookie"]
    parts = set(cookie.split("; "))
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/ops/jobs/"} <= parts
    mounted = client.get("/hangfire/", headers=signed() | HTML, environ_overrides={"SCRIPT_NAME": "/host"})
    assert 'href="/host/hangfire/recurring"' in mounted.text
    tm.close()


def test_choices_are_kept_in_cookies_and_lead_back_to_our_own_pages_only(ann: Browser) -> None:
    answer = ann.post("/hangfire/preferences", {"theme": "dark", "lang": "cs", "back": "/hangfire/servers"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/servers")
    page = ann.get("/hangfire/servers").text
    assert 'lang="cs"' in page
    assert 'data-bs-theme="dark"' in page
    for evil in ("https://evil.example/", "//evil.example", "/hangfire//evil", "/elsewhere", "/hangfire/\\evil"):
        assert ann.post("/hangfire/preferences", {"back": evil}).headers["Location"] == "/hangfire/"
    assert "tm_theme" not in str(ann.post("/hangfire/preferences", {"theme": "<x>"}).headers.getlist("Set-Cookie"))


def test_the_server_takes_a_free_port_and_closes(tm: TaskManager) -> None:
    page = serve(tm, host="127.0.0.1", port=0, users=USERS)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/hangfire", page.url)
    page.close()

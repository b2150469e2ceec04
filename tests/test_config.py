"""Settings: where they come from, which wins, what is refused and with which words."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from taskmanager.cli import main
from taskmanager.config import Settings, describe, load, mask_url, settings_table, shown
from taskmanager.domain.errors import ConfigurationError

#: Every setting: its form in the environment, the value it then has, a value that is refused, a piece of the cure.
FORMS: dict[str, tuple[str, Any, Any, str]] = {
    "database_url": ("mysql://u:p@h/d", "mysql://u:p@h/d", 7, "a text"),
    "prefix": ("HF_", "HF_", "no spaces", "A-Z, a-z, 0-9 and _"),
    "discover": ("shop.jobs, shop.reports", ("shop.jobs", "shop.reports"), 7, "text with commas"),
    "queues": ("critical, default", ("critical", "default"), "Critical", "a-z, 0-9, _ and -"),
    "threads": ("8", 8, "eight", "a whole number from 1 to 1000"),
    "processes": ("4", 4, "0", "a whole number from 1 to 256"),
    "server_name": ("blue", "blue", 7, "a text"),
    "scheduler": ("off", False, "perhaps", "true or false"),
    "migrate": ("never", "never", "sometimes", "one of auto, never"),
    "poll_interval_seconds": ("500ms", 0.5, "0", "more than 0 seconds"),
    "poll_interval_busy_seconds": ("0.1", 0.1, "quickly", "30s, 5m, 250ms"),
    "doorbell": ("no", False, "2", "true or false"),
    "prefetch": ("16", 16, "-1", "a whole number from 0 to 10000"),
    "heartbeat_seconds": ("2s", 2.0, "0s", "more than 0 seconds"),
    "dead_after_seconds": ("1m", 60.0, "1 week", "30s, 5m, 250ms"),
    "grace_seconds": ("0", 0.0, "-5", "30s, 5m, 250ms"),
    "max_jobs": ("1000", 1000, "0", "a whole number from 1 to"),
    "max_memory": ("512MB", 512 * 1024**2, "much", "64KB, 80MB"),
    "unknown_job_seconds": ("10m", 600.0, "ten", "30s, 5m, 250ms"),
    "max_process_deaths": ("5", 5, "101", "a whole number from 1 to 100"),
    "default_retries": ("0", 0, "3.5", "a whole number from 0 to 1000"),
    "plain_function_retries": ("2", 2, True, "a whole number from 0 to 1000"),
    "job_expiration_seconds": ("7d", 604800.0, True, "30s, 5m, 250ms"),
    "failed_expiration_seconds": ("2h", 7200.0, "later", "30s, 5m, 250ms"),
    "audit_retention_seconds": ("30d", 2_592_000.0, "0", "more than 0 seconds"),
    "history_retention_seconds": ("90d", 7_776_000.0, "0", "more than 0 seconds"),
    "notification_retention_seconds": ("2m", 120.0, "0", "more than 0 seconds"),
    "app_version": ("2.4.1", "2.4.1", 7, "a text"),
    "metrics": ("off", False, "perhaps", "true or false"),
    "max_payload_bytes": ("1gb", 1024**3, "1.5MB", "64KB, 80MB"),
    "max_result_bytes": ("128 KB", 128 * 1024, True, "64KB, 80MB"),
    "max_exception_bytes": ("4096", 4096, "-1", "64KB, 80MB"),
    "max_log_lines": ("50", 50, "1e3", "a whole number from 0 to 1000000"),
    "max_log_bytes": ("10B", 10, "10TB", "64KB, 80MB"),
    "log_to_database": ("FALSE", False, "", "true or false"),
    "legacy": ("0", False, "nein", "true or false"),
    "legacy_runner": ("day, night", ("day", "night"), 7, "a list of texts"),
    "legacy_timeout_seconds": ("90m", 5400.0, "0", "more than 0 seconds"),
    "legacy_rerun_lost": ("yes", True, "perhaps", "true or false"),
    "legacy_time_zone": ("Europe/Prague", "Europe/Prague", "Mars/Olympus", "an IANA name"),
    "environment": ("staging", "staging", 7, "a text"),
    "alerts_enabled": ("off", False, "perhaps", "true or false"),
    "alert_recipients": ("a@b.c, d@e.f", ("a@b.c", "d@e.f"), "nobody", "mail addresses"),
    "alert_missed_seconds": ("5m", 300.0, "soon", "30s, 5m, 250ms"),
    "alert_allow_http": ("yes", True, "perhaps", "true or false"),
    "alert_allow_private": ("yes", True, "perhaps", "true or false"),
    "smtp_host": ("mail.example.com", "mail.example.com", 7, "a text"),
    "smtp_port": ("25", 25, "0", "a whole number from 1 to 65535"),
    "smtp_username": ("jobs", "jobs", 7, "a text"),
    "smtp_password": ("pw", "pw", 7, "a text"),
    "smtp_from": ("Jobs <jobs@example.com>", "Jobs <jobs@example.com>", "jobs\nBcc: a@b.c", "a mail address"),
    "smtp_tls": ("tls", "tls", "perhaps", "one of starttls, tls, off"),
    "web_host": ("0.0.0.0", "0.0.0.0", 7, "a text"),
    "web_port": ("8080", 8080, "65536", "a whole number from 0 to 65535"),
    "web_threads": ("16", 16, "1", "a whole number from 2 to 1000"),
    "web_streams": ("0", 0, "-1", "a whole number from 0 to 1000"),
    "web_stream_seconds": ("1m", 60.0, "0", "more than 0 seconds"),
    "web_users": ("ann:scrypt:1$a, bob:h2", {"ann": "scrypt:1$a", "bob": "h2"}, "ann", "name:hash,name2:hash2"),
    "web_roles": ("eve:view, bob:manage", {"eve": "view", "bob": "manage"}, "eve:all", "names with view or manage"),
    "api_tokens": (
        f"ci:manage:sha256:{'0' * 64}",
        {"ci": f"manage:sha256:{'0' * 64}"},
        "ci:manage:hash",
        "role:sha256:hash",
    ),
    "jwt_key": ("k3y", "k3y", 7, "a text"),
    "jwt_algorithms": ("RS256, RS512", ("RS256", "RS512"), "none", "algorithms of one family"),
    "jwt_audience": ("jobs", "jobs", 7, "a text"),
    "jwt_issuer": ("https://id.example", "https://id.example", 7, "a text"),
    "jwt_claim": ("scope", "scope", 7, "a text"),
    "jwt_roles": ("urn:ops:view", {"urn:ops": "view"}, "ops:all", "names with view or manage"),
    "web_title": ("Jobs", "Jobs", 7, "a text"),
    "web_environment": ("PROD", "PROD", 7, "a text"),
    "web_site_url": ("https://example.org/", "https://example.org/", "javascript:alert(1)", "an address such as"),
    "web_queues": ("mail, default", ("mail", "default"), "Mail", "a-z, 0-9, _ and -"),
    "web_menu": (
        "Wiki:https://wiki.example.org/x, Shop:/shop",
        {"Wiki": "https://wiki.example.org/x", "Shop": "/shop"},
        "Wiki:javascript:alert(1)",
        "titles with addresses",
    ),
    "web_panels": ("shop.pages:order", ("shop.pages:order",), "shop.pages", "functions such as"),
    "web_live": ("Off", "off", "7", "one of 2, 5, 15, 60, off"),
    "live_transport": ("SSE", "sse", "push", "one of poll, sse"),
    "web_language": ("CS", "cs", "de", "one of en, cs"),
    "web_proxies": ("1", 1, "11", "a whole number from 0 to 10"),
    "web_new_job": ("no", False, "perhaps", "true or false"),
    "web_read_only": ("yes", True, "maybe", "true or false"),
    "web_redact": ("pass, pin", ("pass", "pin"), 7, "a list of texts"),
    "web_secret_key": ("k3y", "k3y", 7, "a text"),
    "log_level": ("debug", "DEBUG", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
    "log_format": ("json", "json", "xml", "one of text, json"),
}
NAMES = [name for name, *_ in describe(Settings())]


Loader = Callable[..., Settings]


@pytest.fixture
def load_here(tmp_path: Path) -> Loader:
    """Loads settings in an empty folder and environment; own and project are the texts of the two files."""

    def run(
        arguments: dict[str, Any] | None = None, environ: dict[str, str] | None = None,
        *, own: str | bytes | None = None, project: str | bytes | None = None,
    ) -> Settings:  # fmt: skip
        for name, content in (("taskmanager.toml", own), ("pyproject.toml", project)):
            if content is not None:
                (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return load(arguments, environ=environ or {}, directory=tmp_path)

    return run


# -- which source wins ------------------------------------------------------------------------------------


def test_each_source_wins_over_the_ones_below_it_and_is_named_as_the_origin(load_here: Loader) -> None:
    project = "[tool.taskmanager]\nthreads = 1\n"
    steps: list[tuple[dict[str, Any], int, str]] = [
        ({}, 20, "default"),
        ({"project": project}, 1, "pyproject.toml [tool.taskmanager]"),
        ({"own": "threads = 2\n"}, 2, "taskmanager.toml"),
        ({"environ": {"TASKMANAGER_THREADS": "3"}}, 3, "environment TASKMANAGER_THREADS"),
        ({"environ": {"TASKMANAGER_THREADS": "3"}, "arguments": {"threads": 4}}, 4, "argument threads"),
    ]
    for sources, value, origin in steps:
        settings = load_here(**sources)
        assert (settings.threads, settings.origin("threads")) == (value, origin)


def test_sources_are_merged_setting_by_setting(load_here: Loader) -> None:
    settings = load_here(
        {"threads": 4},
        {"TASKMANAGER_PROCESSES": "3"},
        own="prefix = 'Own'\n",
        project="[tool.taskmanager]\nlegacy=false",
    )
    assert (settings.threads, settings.processes, settings.prefix, settings.legacy) == (4, 3, "Own", False)
    assert [settings.origin(n) for n in ("threads", "processes", "prefix", "legacy", "queues")] == [
        "argument threads",
        "environment TASKMANAGER_PROCESSES",
        "taskmanager.toml",
        "pyproject.toml [tool.taskmanager]",
        "default",
    ]


def test_an_argument_that_is_none_counts_as_not_given(load_here: Loader) -> None:
    assert load_here({"threads": None}, {"TASKMANAGER_THREADS": "3"}).threads == 3


def test_the_process_environment_and_the_current_folder_are_read_when_nothing_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("TASKMANAGER_")]:
        monkeypatch.delenv(name)
    (tmp_path / "taskmanager.toml").write_text("threads = 2\n")
    monkeypatch.setenv("TASKMANAGER_PROCESSES", "3")
    settings = load()
    assert (settings.threads, settings.processes) == (2, 3)


def test_without_any_source_every_setting_has_its_default(load_here: Loader) -> None:
    settings = load_here()
    assert {settings.origin(name) for name in NAMES} == {"default"}
    assert settings == Settings()
    assert settings.server_name == socket.gethostname().lower()


def test_changed_settings_count_as_arguments_and_are_checked(load_here: Loader) -> None:
    before = load_here(environ={"TASKMANAGER_THREADS": "3"})
    after = before.with_changes(processes="2", prefetch=None)
    assert (after.threads, after.processes, before.processes) == (3, 2, 1)
    assert after.origin("processes") == "argument processes"
    assert after.origin("threads") == "environment TASKMANAGER_THREADS"
    with pytest.raises(ConfigurationError, match="argument processes: processes is 0, but must be a whole number"):
        before.with_changes(processes=0)
    with pytest.raises(ConfigurationError, match="there is no setting 'proceses'; did you mean processes"):
        before.with_changes(proceses=2)


# -- the environment --------------------------------------------------------------------------------------


def test_the_forms_below_cover_every_setting() -> None:
    assert list(FORMS) == NAMES


@pytest.mark.parametrize("name", FORMS)
def test_every_setting_can_be_given_in_the_environment(load_here: Loader, name: str) -> None:
    text, value, _, _ = FORMS[name]
    settings = load_here(environ={f"TASKMANAGER_{name.upper()}": text})
    assert getattr(settings, name) == value
    assert type(getattr(settings, name)) is type(value)
    assert getattr(settings, name) != getattr(Settings(), name)
    assert settings.origin(name) == f"environment TASKMANAGER_{name.upper()}"


@pytest.mark.parametrize("name", FORMS)
def test_every_setting_given_wrong_is_refused_with_its_name_its_source_and_the_cure(
    load_here: Loader, name: str
) -> None:
    _, _, wrong, cure = FORMS[name]
    with pytest.raises(ConfigurationError) as refused:
        load_here({name: wrong})
    message = str(refused.value)
    assert message.startswith(f"argument {name}: {name} is ")
    assert cure in message
    if isinstance(wrong, str):
        with pytest.raises(ConfigurationError, match=f"^environment TASKMANAGER_{name.upper()}: {name} is "):
            load_here(environ={f"TASKMANAGER_{name.upper()}": wrong})


@pytest.mark.parametrize("name", ["prefetch", "max_jobs", "max_memory", "failed_expiration_seconds", "web_secret_key"])
def test_an_empty_variable_unsets_what_may_be_unset(load_here: Loader, name: str) -> None:
    settings = load_here(environ={f"TASKMANAGER_{name.upper()}": ""}, own=f"{name} = {FORMS[name][0]!r}\n")
    assert getattr(settings, name) is None


@pytest.mark.parametrize("text", ["a,b", "a, b", " a ,b,", ",a,,b"])
def test_lists_in_the_environment_are_separated_by_commas(load_here: Loader, text: str) -> None:
    settings = load_here(environ={"TASKMANAGER_QUEUES": text, "TASKMANAGER_DISCOVER": text})
    assert (settings.queues, settings.discover) == (("a", "b"), ("a", "b"))


def test_lists_in_files_are_arrays_or_text_with_commas(load_here: Loader) -> None:
    settings = load_here(own="queues = ['critical', 'default']\ndiscover = 'a, b'\n")
    assert (settings.queues, settings.discover) == (("critical", "default"), ("a", "b"))


def test_blanks_around_values_in_the_environment_do_no_harm(load_here: Loader) -> None:
    settings = load_here(
        environ={"TASKMANAGER_THREADS": " 8\r", "TASKMANAGER_LEGACY": " no ", "TASKMANAGER_LOG_LEVEL": "Info "}
    )
    assert (settings.threads, settings.legacy, settings.log_level) == (8, False, "INFO")


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("Yes", True), ("ON", True), ("false", False), ("0", False), ("No", False)],
)
def test_switches_are_understood_in_their_usual_words(load_here: Loader, text: str, value: bool) -> None:
    assert load_here(environ={"TASKMANAGER_DOORBELL": text}).doorbell is value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("1.5m", 90.0), ("2 h", 7200.0), ("1d", 86400.0), ("250ms", 0.25)],
)
def test_durations_are_seconds_or_have_a_unit(load_here: Loader, text: str, seconds: float) -> None:
    assert load_here(environ={"TASKMANAGER_GRACE_SECONDS": text}).grace_seconds == seconds


def test_variables_of_other_programs_and_of_the_tests_are_left_alone(load_here: Loader) -> None:
    environ = {"THREADS": "3", "TASKMANAGER_TEST_MYSQL_URL": "x", "MY_TASKMANAGER_THREADS": "4"}
    assert load_here(environ=environ) == Settings()


def test_what_kubernetes_adds_for_a_service_named_taskmanager_is_no_setting(load_here: Loader) -> None:
    environ = {
        "TASKMANAGER_SERVICE_HOST": "10.0.0.1",
        "TASKMANAGER_SERVICE_PORT": "8000",
        "TASKMANAGER_SERVICE_PORT_HTTP": "8000",
        "TASKMANAGER_PORT": "tcp://10.0.0.1:8000",
        "TASKMANAGER_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "TASKMANAGER_PORT_8000_TCP_PROTO": "tcp",
        "TASKMANAGER_PORT_8000_TCP_ADDR": "10.0.0.1",
        "TASKMANAGER_WEB_SERVICE_HOST": "10.0.0.2",
        "TASKMANAGER_WEB_PORT": "tcp://10.0.0.2:8000",  # of a service named taskmanager-web; also our web_port's name
        "TASKMANAGER_WEB_PORT_8000_TCP_PORT": "8000",
    }
    assert load_here(environ=environ) == Settings()
    assert load_here(environ=environ | {"TASKMANAGER_WEB_PORT": "8123"}).web_port == 8123


# -- files ------------------------------------------------------------------------------------------------


def test_a_file_named_by_the_environment_replaces_taskmanager_toml(load_here: Loader, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("threads = 7\n")
    settings = load_here(environ={"TASKMANAGER_CONFIG": str(tmp_path / "other.toml")}, own="threads = 2\n")
    assert (settings.threads, settings.origin("threads")) == (7, "other.toml")


def test_a_file_named_by_the_environment_must_exist(load_here: Loader, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"TASKMANAGER_CONFIG names .*absent\.toml, which is not a file"):
        load_here(environ={"TASKMANAGER_CONFIG": str(tmp_path / "absent.toml")})


@pytest.mark.parametrize("project", ["", "[project]\nname = 'x'\n", "[tool.ruff]\n", "tool = 3\n"])
def test_a_pyproject_that_does_not_mention_us_changes_nothing(load_here: Loader, project: str) -> None:
    assert load_here(project=project) == Settings()


def test_web_users_may_be_a_table(load_here: Loader) -> None:
    assert load_here(own="[web_users]\nann = 'hash,with,commas'\n").web_users == {"ann": "hash,with,commas"}
    with pytest.raises(ConfigurationError, match=r"taskmanager\.toml: web_users is \*{5}, but must be names with"):
        load_here(own="[web_users]\nann = ''\n")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"own": "threads = \n"}, r"^taskmanager\.toml is not valid TOML: .*line 1"),
        ({"project": "[tool"}, r"^pyproject\.toml is not valid TOML"),
        ({"own": b"prefix = '\xe9'\n"}, r"^taskmanager\.toml is not UTF-8 text: save it as UTF-8"),
        ({"project": "[tool]\ntaskmanager = 3\n"}, r"^pyproject\.toml: .* headed \[tool\.taskmanager\]"),
        ({"own": "[tool.taskmanager]\nthreads = 2\n"}, r"^taskmanager\.toml: settings stand at the top"),
        ({"own": "[taskmanager]\nthreads = 2\n"}, r"^taskmanager\.toml: settings stand at the top"),
        ({"own": "threads = 2.0\n"}, r"^taskmanager\.toml: threads is 2\.0, but must be a whole number from 1 to 1000"),
        ({"own": "thread = 2\n"}, r"^taskmanager\.toml: there is no setting 'thread'; did you mean threads\?"),
        ({"own": "queues = [1]\n"}, r"^taskmanager\.toml: queues is \[1\], but must be a list of texts"),
        (
            {"own": "grace_seconds = inf\n"},
            r"^taskmanager\.toml: grace_seconds is inf, but must be a number of seconds",
        ),
        ({"own": "log_level = ['INFO']\n"}, r"^taskmanager\.toml: log_level is .*, but must be one of DEBUG, INFO"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong_in_it(load_here: Loader, files: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_here(**files)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(load_here: Loader) -> None:
    assert load_here(own=b"\xef\xbb\xbfthreads = 2\n").threads == 2


def test_a_file_that_is_a_folder_counts_as_absent(load_here: Loader, tmp_path: Path) -> None:
    (tmp_path / "taskmanager.toml").mkdir()
    assert load_here() == Settings()


# -- wrong names and values -------------------------------------------------------------------------------


def test_an_unknown_variable_is_named_with_the_one_that_was_meant(load_here: Loader) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_here(environ={"TASKMANAGER_THRADS": "3"})
    assert str(refused.value) == (
        "environment TASKMANAGER_THRADS: there is no setting 'thrads'; did you mean TASKMANAGER_THREADS?"
    )


def test_an_unknown_name_like_no_other_leads_to_the_list_of_all(load_here: Loader) -> None:
    with pytest.raises(ConfigurationError, match=r"^argument xyzzy: there is no setting 'xyzzy'; `taskmanager config"):
        load_here({"xyzzy": 1})


@pytest.mark.parametrize("users", ["ann", "ann:", ":hash", "ann:h, bob", "ann:$argon2$m=1,t=3"])
def test_users_without_name_or_hash_are_refused_and_not_dropped(load_here: Loader, users: str) -> None:
    with pytest.raises(ConfigurationError, match=r"web_users is .* must be names with password hashes"):
        load_here(environ={"TASKMANAGER_WEB_USERS": users})


@pytest.mark.parametrize("queues", ["", " , ", "a b", "a" * 51, "Ä"])
def test_queue_names_that_cannot_be_are_refused(load_here: Loader, queues: str) -> None:
    with pytest.raises(ConfigurationError, match=r"queues is .*, but must be queue names of a-z"):
        load_here(environ={"TASKMANAGER_QUEUES": queues})


def test_a_heartbeat_slower_than_the_declaration_of_death_is_refused_with_both_origins(load_here: Loader) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_here({"dead_after_seconds": 10}, {"TASKMANAGER_HEARTBEAT_SECONDS": "15s"})
    assert "dead_after_seconds is 10 (argument dead_after_seconds)" in str(refused.value)
    assert "heartbeat_seconds, 15 (environment TASKMANAGER_HEARTBEAT_SECONDS)" in str(refused.value)
    with pytest.raises(ConfigurationError, match="dead_after_seconds is 5 "):
        load_here().with_changes(dead_after_seconds=5)


def test_streams_leave_threads_to_the_pages(load_here: Loader) -> None:
    with pytest.raises(ConfigurationError, match=r"web_streams is 8 \(argument web_streams\), but must be less than"):
        load_here({"web_streams": 8})
    assert load_here({"web_streams": 8, "web_threads": 9}).web_streams == 8
    with pytest.raises(
        ConfigurationError, match=r"live_transport is sse .*, which takes 2 threads beside web_streams, 7"
    ):
        load_here({"web_streams": 7, "web_threads": 8, "live_transport": "sse"})
    assert load_here({"live_transport": "sse", "web_threads": 16}).live_streams == 4


# -- secrets ----------------------------------------------------------------------------------------------

SECRETS = {
    "database_url": "mysql://app:pa55word@db1,db2:3307/shop?ssl_key_password=k3ypass",
    "web_users": "ann:h4sh",
    "web_secret_key": "s3cret",
}
BARE = ("pa55word", "k3ypass", "h4sh", "s3cret")


def test_secrets_are_masked_wherever_settings_are_shown(load_here: Loader) -> None:
    settings = load_here(SECRETS)
    rows = {name: value for name, value, _, _ in describe(settings)}
    assert rows["database_url"] == "mysql://app:*****@db1,db2:3307/shop?ssl_key_password=*****"
    assert (rows["web_users"], rows["web_secret_key"]) == ("*****", "*****")
    for text in (str(rows), repr(settings), f"{settings}"):
        assert not [secret for secret in BARE if secret in text]


@pytest.mark.parametrize("name", ["database_url", "web_users", "web_secret_key", "api_tokens", "jwt_key"])
def test_a_wrong_secret_is_refused_without_being_shown(load_here: Loader, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is \*{5}, but must be") as refused:
        load_here({name: ["pa55word"]})
    assert "pa55word" not in str(refused.value)


def test_unset_secrets_are_shown_as_unset(load_here: Loader) -> None:
    assert (shown(load_here(), "web_secret_key"), shown(load_here(), "web_users")) == ("", "")


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        ("mysql://u@h/d", "mysql://u@h/d"),
        ("mysql://h:3306/d", "mysql://h:3306/d"),
        ("mysql://u:p@h/d", "mysql://u:*****@h/d"),
        ("mysql://:p@h/d", "mysql://:*****@h/d"),
        ("mysql://u:p@ss@h/d", "mysql://u:*****@h/d"),
        ("mysql://u:p/ss?#@h/d", "mysql://u:*****@h/d"),
        (
            "postgresql://h/d?user=u&password=p&sslmode=require",
            "postgresql://h/d?user=u&password=*****&sslmode=require",
        ),
        ("postgresql://u:p@h/d?SSLPASSWORD=p", "postgresql://u:*****@h/d?SSLPASSWORD=*****"),
    ],
)
def test_passwords_in_urls_are_masked_in_all_their_places(url: str, masked: str) -> None:
    assert mask_url(url) == masked


# -- config show ------------------------------------------------------------------------------------------


def test_config_show_tells_every_value_and_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("TASKMANAGER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.taskmanager]\nprefix = 'HF'\n")
    (tmp_path / "taskmanager.toml").write_text("queues = ['critical', 'default']\n")
    monkeypatch.setenv("TASKMANAGER_DATABASE_URL", SECRETS["database_url"])
    result = CliRunner().invoke(main, ["config", "show", "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["setting"]: (row["value"], row["origin"]) for row in json.loads(result.stdout)}
    assert list(rows) == NAMES
    assert rows["prefix"] == ("HF", "pyproject.toml [tool.taskmanager]")
    assert rows["queues"] == ("critical,default", "taskmanager.toml")
    assert rows["threads"] == ("20", "default")
    assert rows["database_url"][1] == "environment TASKMANAGER_DATABASE_URL"
    plain = CliRunner().invoke(main, ["config", "show"])
    assert not [secret for secret in BARE if secret in result.stdout + plain.output]


def test_the_table_for_the_documentation_has_a_row_for_every_setting() -> None:
    rows = settings_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == NAMES
    assert socket.gethostname().lower() not in settings_table().replace("localhost", "").split("`")

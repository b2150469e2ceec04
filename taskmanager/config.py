"""Settings: arguments > environment > taskmanager.toml > [tool.taskmanager] in pyproject.toml > defaults."""

from __future__ import annotations

import difflib
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from taskmanager import setting_sources
from taskmanager import setting_values as read
from taskmanager.domain.errors import ConfigurationError

#: The queue of the jobs that send alerts.
ALERTS = "alerts"


def _setting(default: Any, reader: Callable[[Any], Any], text: str, *, secret: bool = False) -> Any:
    metadata = {"read": reader, "help": text, "secret": secret}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def _host() -> str:
    return socket.gethostname().lower() or "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked. Durations are in seconds, sizes in bytes."""

    database_url: str = _setting("sqlite:///taskmanager.db", read.text, "the database", secret=True)
    prefix: str = _setting("Hangfire", read.prefix, "put before the names of Hangfire's tables")
    discover: tuple[str, ...] = _setting((), read.texts, "packages to import, in which jobs are found")
    queues: tuple[str, ...] = _setting(("default",), read.queues, "queues to work on, the most urgent first")
    threads: int = _setting(20, read.number(1, 1000), "jobs a worker process performs at a time")
    processes: int = _setting(1, read.number(1, 256), "worker processes of one `taskmanager worker`")
    server_name: str = field(
        default_factory=_host,
        metadata={"read": read.text, "help": "the name before the process id; the host's", "secret": False},
    )
    scheduler: bool = _setting(True, read.switch, "whether this server runs delayed and recurring jobs' schedules")
    migrate: str = _setting("auto", read.one_of("auto", "never"), "whether an embedded database is migrated at start")
    poll_interval_seconds: float = _setting(
        0.08, read.pause, "pause between looks for work when idle; 0.5 or more while a doorbell wakes"
    )
    poll_interval_busy_seconds: float = _setting(0.02, read.pause, "the same just after work was found")
    doorbell: bool = _setting(True, read.switch, "whether sleeping servers are woken when a job is enqueued")
    prefetch: int | None = _setting(
        None, read.optional(read.number(0, 10_000)), "jobs claimed ahead of free threads; measured if unset"
    )
    heartbeat_seconds: float = _setting(5.0, read.pause, "pause between signs of life")
    dead_after_seconds: float = _setting(30.0, read.pause, "silence after which a server's claims are given back")
    grace_seconds: float = _setting(25.0, read.seconds, "time running jobs get to end when the server stops")
    max_jobs: int | None = _setting(
        None, read.optional(read.number(1, 10**9)), "jobs after which a worker process is replaced"
    )
    max_memory: int | None = _setting(
        None, read.optional(read.size), "resident bytes at which a worker process is replaced"
    )
    unknown_job_seconds: float = _setting(300.0, read.seconds, "how long a job nobody knows waits before it fails")
    max_process_deaths: int = _setting(3, read.number(1, 100), "processes that may die under a job before it fails")
    default_retries: int = _setting(3, read.number(0, 1000), "retries of a @job that names none")
    plain_function_retries: int = _setting(10, read.number(0, 1000), "retries of a plain function")
    job_expiration_seconds: float = _setting(86400.0, read.seconds, "how long succeeded and deleted jobs are kept")
    failed_expiration_seconds: float | None = _setting(
        None, read.optional(read.seconds), "after how long failed jobs are deleted; never"
    )
    audit_retention_seconds: float = _setting(15_552_000.0, read.pause, "how long the audit log is kept: 180 days")
    history_retention_seconds: float | None = _setting(
        None, read.optional(read.pause), "how long rows of c_LoggedJob are kept; for ever"
    )
    notification_retention_seconds: float = _setting(
        600.0, read.pause, "how long notifications are kept for pages that reconnect"
    )
    app_version: str = _setting("", read.text, "version of the application; its first server is marked in charts")
    metrics: bool = _setting(True, read.switch, "whether runs are summed up by type and queue, for charts")
    max_payload_bytes: int = _setting(16 * 1024**2, read.size, "largest arguments of one job")
    max_result_bytes: int = _setting(64 * 1024, read.size, "largest kept result of one job")
    max_exception_bytes: int = _setting(64 * 1024, read.size, "largest kept stack trace")
    max_log_lines: int = _setting(1000, read.number(0, 10**6), "log lines kept with one run")
    max_log_bytes: int = _setting(256 * 1024, read.size, "log bytes kept with one run")
    log_to_database: bool = _setting(True, read.switch, "whether each run writes a row of c_LoggedJob")
    legacy: bool = _setting(True, read.switch, "whether the rows of c_Job are served")
    legacy_runner: tuple[str, ...] = _setting(
        (), read.texts, "whose rows of an older c_Job are served (lkpJobRunner); all"
    )
    legacy_timeout_seconds: float | None = _setting(
        None, read.optional(read.pause), "how long a stored procedure of c_Job may run; for ever"
    )
    legacy_rerun_lost: bool = _setting(
        False, read.switch, "whether a stored procedure whose worker died is run again instead of failed"
    )
    legacy_time_zone: str | None = _setting(
        None, read.optional(read.zone), "time zone of the crons in c_Job; the database server's"
    )
    environment: str = _setting("", read.text, "name of this installation, in the subject of alerts")
    alerts_enabled: bool = _setting(True, read.switch, "whether alerts are sent")
    alert_recipients: tuple[str, ...] = _setting((), read.addresses, "who is mailed where a rule names nobody")
    alert_missed_seconds: float = _setting(
        900.0, read.seconds, "how late a scheduled run is told to who hears of its failures; 0 never"
    )
    alert_allow_http: bool = _setting(False, read.switch, "whether webhooks may be http, unencrypted")
    alert_allow_private: bool = _setting(False, read.switch, "whether webhooks may lie in private networks")
    smtp_host: str | None = _setting(None, read.optional(read.text), "the mail server; without it nothing is mailed")
    smtp_port: int = _setting(587, read.number(1, 65535), "port of the mail server")
    smtp_username: str | None = _setting(None, read.optional(read.text), "user at the mail server")
    smtp_password: str | None = _setting(None, read.optional(read.text), "password at the mail server", secret=True)
    smtp_from: str | None = _setting(
        None, read.optional(read.sender), "sender of mails; taskmanager@ and the host's name"
    )
    smtp_tls: str = _setting("starttls", read.one_of("starttls", "tls", "off"), "how mail is encrypted on its way")
    web_host: str = _setting("127.0.0.1", read.text, "address the web server listens on")
    web_port: int = _setting(8000, read.number(0, 65535), "port the web server listens on; 0 takes a free one")
    web_threads: int = _setting(8, read.number(2, 1000), "requests the web server answers at a time")
    web_streams: int = _setting(2, read.number(0, 1000), "streams of notifications open at a time; each holds a thread")
    web_stream_seconds: float = _setting(
        300.0, read.pause, "how long a stream of notifications lasts before it is renewed"
    )
    web_users: dict[str, str] = _setting({}, read.users, "who may sign in: name and password hash", secret=True)
    web_roles: dict[str, str] = _setting({}, read.roles, "what users may: name and view or manage; manage if not named")
    api_tokens: dict[str, str] = _setting(
        {}, read.tokens, "API tokens: name, and role with the token's hash", secret=True
    )
    jwt_key: str | None = _setting(
        None,
        read.optional(read.text),
        "what JWTs are checked with: a shared secret, or a public key as PEM",
        secret=True,
    )
    jwt_algorithms: tuple[str, ...] = _setting(("HS256",), read.algorithms, "algorithms of JWTs, of the key's own kind")
    jwt_audience: str | None = _setting(None, read.optional(read.text), "the aud that a JWT must have; any")
    jwt_issuer: str | None = _setting(None, read.optional(read.text), "the iss that a JWT must have; any")
    jwt_claim: str = _setting("roles", read.text, "the claim of a JWT that holds its roles, a list or text with spaces")
    jwt_roles: dict[str, str] = _setting(
        {"jobs.view": "view", "jobs.manage": "manage"}, read.roles, "values of that claim, and view or manage"
    )
    web_title: str = _setting("taskmanager", read.text, "title of the web pages")
    web_environment: str = _setting("", read.text, "label beside the title, such as PROD")
    web_site_url: str = _setting("", read.address, "page that “Back to site” leads to; no such link when empty")
    web_queues: tuple[str, ...] = _setting(
        (), read.some_queues, "queues that the web pages show, and nothing else; all"
    )
    web_menu: dict[str, str] = _setting({}, read.menu, "further items of the menu: title and address")
    web_panels: tuple[str, ...] = _setting(
        (), read.callables, "functions that add panels to the page of a job, each as package.module:function"
    )
    web_live: str = _setting(
        "5", read.one_of("2", "5", "15", "60", "off"), "seconds between two looks of a live page, for who chose none"
    )
    live_transport: str = _setting(
        "poll", read.one_of("poll", "sse"), "how live pages hear of changes; `sse`: by a stream where one is free"
    )
    web_language: str = _setting(
        "en", read.one_of("en", "cs"), "language of the web pages for browsers that ask for none"
    )
    web_proxies: int = _setting(
        0, read.number(0, 10), "reverse proxies in front, whose X-Forwarded headers are believed"
    )
    web_new_job: bool = _setting(True, read.switch, "whether jobs are made by a form of the web pages")
    web_read_only: bool = _setting(False, read.switch, "whether the web pages only show, and change nothing")
    web_redact: tuple[str, ...] = _setting(
        ("pass", "secret", "token", "key", "auth", "cookie", "card", "iban"),
        read.texts,
        "the web pages mask values whose names have one of these in them",
    )
    web_secret_key: str | None = _setting(None, read.optional(read.text), "key that signs web sessions", secret=True)
    log_level: str = _setting("INFO", read.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "least level that is logged")
    log_format: str = _setting("text", read.one_of("text", "json"), "form of log lines")
    origins: Mapping[str, str] = field(default_factory=dict, metadata={"internal": True}, compare=False)

    def origin(self, name: str) -> str:
        """Where a value came from."""
        return self.origins.get(name, "default")

    @property
    def live_streams(self) -> int:
        """How many live pages of one web process are told by a stream at a time; each holds a thread."""
        return max(1, self.web_threads // 4) if self.live_transport == "sse" else 0

    @property
    def worked_queues(self) -> tuple[str, ...]:
        """What a worker works on: its own queues, and after them the one in which messages wait to be sent."""
        extra = self.alerts_enabled and ALERTS not in self.queues
        return (*self.queues, ALERTS) if extra else self.queues

    def variables(self) -> dict[str, str]:
        """The variables by which another process works on the same database with the same jobs."""
        return {
            "TASKMANAGER_DATABASE_URL": self.database_url,
            "TASKMANAGER_PREFIX": self.prefix,
            "TASKMANAGER_DISCOVER": ",".join(self.discover),
        }

    def with_changes(self, **changes: Any) -> Settings:
        """A checked copy; the changed values count as arguments."""
        known = _known()
        checked = {name: _read(known, name, value, f"argument {name}") for name, value in changes.items()}
        origins = dict(self.origins) | {name: f"argument {name}" for name in changes}
        return _agreeing(replace(self, **checked, origins=origins))


def load(
    arguments: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Read settings from all sources. Raises ConfigurationError that names setting, source and cure."""
    environ = os.environ if environ is None else environ
    directory = directory or Path.cwd()
    known = _known()
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source, found in setting_sources.found(directory, environ, dict(arguments or {})):
        for name, value in found.items():
            origin = source(name)
            values[name] = _read(known, name, value, origin)
            origins[name] = origin
    return _agreeing(Settings(**values, origins=origins))


def describe(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Each setting: name, value as it may be shown, origin, help."""
    return [(n, shown(settings, n), settings.origin(n), str(f.metadata["help"])) for n, f in _known().items()]


def shown(settings: Settings, name: str) -> str:
    """A value with its secrets masked."""
    value = getattr(settings, name)
    if name == "database_url":
        return mask_url(value)
    if _known()[name].metadata["secret"]:
        return "*****" if value else ""
    if isinstance(value, dict):
        return ",".join(f"{key}:{one}" for key, one in value.items())
    return ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def mask_url(url: str) -> str:
    """A URL without its passwords, also when one holds an @ or / that should have been written as %40 or %2F."""
    masked = re.sub(r"(://[^:/@\s]*):\S*@", r"\1:*****@", url)
    return re.sub(r"(?i)([?&](?:password|passwd|ssl_key_password|sslpassword)=)[^&\s]*", r"\1*****", masked)


def _known() -> dict[str, Any]:
    return {f.name: f for f in fields(Settings) if not f.metadata.get("internal")}


def _read(known: Mapping[str, Any], name: str, value: Any, origin: str) -> Any:
    if name not in known:
        close = difflib.get_close_matches(name.lower(), known, 1)
        hint = "; `taskmanager config show` lists them all"
        if close:
            in_environment = origin.startswith("environment ")
            hint = f"; did you mean {'TASKMANAGER_' + close[0].upper() if in_environment else close[0]}?"
        raise ConfigurationError(f"{origin}: there is no setting {name!r}{hint}")
    try:
        return known[name].metadata["read"](value)
    except (ValueError, TypeError) as error:
        secret = known[name].metadata["secret"]
        raise ConfigurationError(
            f"{origin}: {name} is {'*****' if secret else repr(value)}, but must be {error}"
        ) from None


def _agreeing(settings: Settings) -> Settings:
    """Settings whose values also fit one another."""
    beat, dead = settings.heartbeat_seconds, settings.dead_after_seconds
    if dead <= beat:
        raise ConfigurationError(
            f"dead_after_seconds is {dead:g} ({settings.origin('dead_after_seconds')}), but must be more than "
            f"heartbeat_seconds, {beat:g} ({settings.origin('heartbeat_seconds')}): servers that live would be taken "
            "for dead; six times as much is usual"
        )
    if settings.web_streams >= settings.web_threads:
        raise ConfigurationError(
            f"web_streams is {settings.web_streams} ({settings.origin('web_streams')}), but must be less than "
            f"web_threads, {settings.web_threads} ({settings.origin('web_threads')}): each stream holds a thread, and "
            "none would be left for the pages"
        )
    streams = settings.web_streams + settings.live_streams
    if settings.live_streams and streams >= settings.web_threads:
        raise ConfigurationError(
            f"live_transport is sse ({settings.origin('live_transport')}), which takes {settings.live_streams} threads "
            f"beside web_streams, {settings.web_streams}; both together must be less than web_threads, "
            f"{settings.web_threads} ({settings.origin('web_threads')})"
        )
    return settings


def settings_table() -> str:
    """All settings as a Markdown table, for the documentation."""
    rows = ["| setting | environment | default | meaning |", "|---|---|---|---|"]
    for name, one in _known().items():
        default = "the host's name" if name == "server_name" else shown(Settings(), name)
        rows.append(f"| `{name}` | `TASKMANAGER_{name.upper()}` | `{default}` | {one.metadata['help']} |")
    return "\n".join(rows)

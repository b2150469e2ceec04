"""An appsettings.json of the .NET world becomes settings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from taskmanager import ConfigurationError, appsettings, config
from taskmanager.storage import urls

SEED = """\ufeff{
  // what a TARGCC application has
  "ConnectionStrings": {
    "DefaultConnection": "Server=app;Database=app;Uid=app;Pwd=app",
    "HangfireConnection": "HANGFIRE",
  },
  "Hangfire": {
    "ServerName": "MyApp-Server1",
    "WorkerCount": 5,
    "Queues": ["default", "critical", "Background"],
    "Dashboard": {"Enabled": true, "Path": "/hangfire", "RequireAuthentication": true},
    "Storage": {
      "CommandBatchMaxTimeout": "00:05:00", /* five minutes */
      "SlidingInvisibilityTimeout": "00:05:00",
      "QueuePollInterval": "00:00:15"
    }
  },
  "TargCCJobs": {
    "AutoDiscovery": true, "LogToDatabase": false, "AlertsEnabled": true, "DefaultRetryAttempts": 3,
    "DefaultQueue": "default"
  },
  "JobScheduling": {"Enabled": true, "WorkerCount": 4},
  "Logging": {"LogLevel": {"Default": "http://not-a-comment"}}
}""".replace(
    "HANGFIRE",
    "Server=db.example.com;Port=3307;Database=jobs;User ID=hang fire;Password='p@ss;w/rd';SslMode=Required",
)


def test_every_key_becomes_a_setting_or_says_why_not() -> None:
    taken = {one.key: one for one in appsettings.read(SEED)}
    assert {one.setting: one.value for one in taken.values() if one.setting} == {
        "database_url": "mysql://hang%20fire:p%40ss%3Bw%2Frd@db.example.com:3307/jobs?ssl_mode=REQUIRED",
        "server_name": "MyApp-Server1", "threads": 5, "queues": ["default", "critical", "background"],
        "poll_interval_seconds": 15.0, "log_to_database": False, "alerts_enabled": True, "default_retries": 3,
        "scheduler": True,
    }  # fmt: skip
    assert "HangfireConnection says it already" in taken["ConnectionStrings:DefaultConnection"].note
    assert "Hangfire:WorkerCount says it already" in taken["JobScheduling:WorkerCount"].note
    assert all(one.note for one in taken.values() if one.setting is None)


def test_the_text_written_is_a_file_of_settings_that_loads(tmp_path: Path) -> None:
    taken = [one for one in appsettings.read(SEED) if one.setting != "alerts_enabled"]
    text = appsettings.as_toml(taken)
    assert tomllib.loads(text)["threads"] == 5
    (tmp_path / "taskmanager.toml").write_text(text, "utf-8")
    loaded = config.load(environ={}, directory=tmp_path)
    assert loaded.queues == ("default", "critical", "background")
    assert loaded.database_url.endswith("/jobs?ssl_mode=REQUIRED")


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (r"Server=.\\SQLEXPRESS;Database=x;Trusted_Connection=True", "SQL Server"),
        ("Server=db;Database=x;User Id=sa;Password=p;TrustServerCertificate=True", "SQL Server"),
        ("Server=tcp:x.example.net,1433;Initial Catalog=x;User ID=sa;Password=p", "SQL Server"),
        ("Data Source=db,1433;Initial Catalog=x;User ID=sa;Password=p", "SQL Server"),
        ("Database=x", "no server"),
    ],
)
def test_a_connection_that_cannot_be_taken_says_why(connection: str, words: str) -> None:
    (one,) = appsettings.read(f'{{"ConnectionStrings": {{"HangfireConnection": "{connection}"}}}}')
    assert one.setting is None
    assert words in one.note


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("Host=pg;Database=shop;Username=ann;Password=a@b", "postgresql://ann:a%40b@pg:5432/shop"),
        ("Server=pg;Port=5432;Database=shop;User Id=ann;SSL Mode=VerifyFull",
         "postgresql://ann@pg:5432/shop?sslmode=verify-full"),
        ("Host=db;Port=3306;Database=shop;Username=ann", "mysql://ann@db:3306/shop"),
        ("Server=one,two:3307;Database=shop;Uid=ann;Pwd=p", "mysql://ann:p@one:3306,two:3307/shop"),
        ("Server=::1;Database=shop;Uid=ann;Pwd=p", "mysql://ann:p@[::1]:3306/shop"),
    ],
)  # fmt: skip
def test_connections_of_each_product_are_known_by_their_words(connection: str, url: str) -> None:
    (one,) = appsettings.read(f'{{"ConnectionStrings": {{"DefaultConnection": "{connection}"}}}}')
    assert (one.value, one.note) == (url, "")
    assert urls.parse(url).database == "shop"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ('"WorkerCount": "five"', "'five' is no whole number"), ('"WorkerCount": 0', "'0' is no whole number from 1"),
        ('"Storage": {"PrepareSchemaIfNecessary": true}', "nothing here goes by it"),
        ('"Queues": ["Default", "crit ical"]', "'crit ical' is no name of a queue"), ('"Queues": []', "no queue"),
    ],
)  # fmt: skip
def test_a_value_that_no_worker_would_take_is_not_taken(section: str, words: str) -> None:
    (one,) = appsettings.read(f'{{"Hangfire": {{{section}}}}}')
    assert one.setting is None
    assert words in one.note


def test_what_is_no_appsettings_file_is_refused() -> None:
    for text in ("{", "[]", "x"):
        with pytest.raises(ConfigurationError, match="appsettings"):
            appsettings.read(text)

"""`web user add` and `web token add`: lines of configuration that let somebody in, and a file that keeps its rest."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.security import check_password_hash

from taskmanager import config
from taskmanager.cli import main
from tests.cli.conftest import lines

OWN = """# ours
threads = 3  # not more

[web_users]  # people
bob = "scrypt:1$a"

[web_roles]
bob = "view"
"""


def typed(text: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text)


def test_a_token_is_shown_once_and_its_hash_is_the_line_of_configuration(place: Path) -> None:
    result = typed("", "web", "token", "add", "ci", "--role", "manage")
    assert result.exit_code == 0, result.output
    *lines, token = result.stdout.splitlines()
    (place / "taskmanager.toml").write_text("\n".join(lines), "utf-8")
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert config.load().api_tokens == {"ci": f"manage:sha256:{digest}"}
    assert len(token) > 40
    assert token not in "\n".join(lines)


def test_a_password_is_hashed_and_written_beside_what_is_there(place: Path) -> None:
    path = place / "taskmanager.toml"
    path.write_text(OWN, "utf-8")
    assert typed("secret\n", "web", "user", "add", "ann", "--role", "manage", "--write").exit_code == 0
    settings = config.load()
    assert check_password_hash(settings.web_users["ann"], "secret")
    assert (settings.web_users["bob"], settings.threads) == ("scrypt:1$a", 3)
    assert settings.web_roles == {"ann": "manage", "bob": "view"}
    text = path.read_text("utf-8")
    assert "# ours" in text
    assert "# people" in text
    assert "secret" not in text


def test_adding_a_user_again_gives_a_new_password(place: Path) -> None:
    for password in ("one", "two"):
        assert typed(f"{password}\n", "web", "user", "add", "ann", "--write").exit_code == 0
    stored = config.load().web_users["ann"]
    assert check_password_hash(stored, "two")
    assert (place / "taskmanager.toml").read_text("utf-8").count('"ann" = "scrypt') == 1


@pytest.mark.parametrize(
    "text", ['web_users = "bob:h"\n', 'web_users = {bob = "h"}\n', 'web_users.bob = "h"\n', "no toml ="]
)
def test_a_file_that_cannot_be_added_to_is_left_alone(place: Path, text: str) -> None:
    (place / "taskmanager.toml").write_text(text, "utf-8")
    result = typed("pw\n", "web", "user", "add", "ann", "--write")
    assert result.exit_code == 1
    assert "by hand" in result.output
    assert "[web_users]" in result.output
    assert (place / "taskmanager.toml").read_text("utf-8") == text


def test_an_environment_that_is_stronger_than_the_file_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKMANAGER_API_TOKENS", f"x:view:sha256:{'0' * 64}")
    result = typed("", "web", "token", "add", "ci", "--write")
    assert "environment TASKMANAGER_API_TOKENS" in result.stderr


@pytest.mark.parametrize("name", ["", "a b", "a:b", 'a"b', "a\nb", "x" * 101])
def test_names_that_no_configuration_can_hold_are_refused(place: Path, name: str) -> None:
    for what in ("user", "token"):
        result = typed("pw\n", "web", what, "add", name)
        assert (result.exit_code, "is no name" in result.output) == (1, True)


def test_an_empty_password_is_refused(place: Path) -> None:
    result: Any = typed("\n", "web", "user", "add", "ann")
    assert (result.exit_code, "empty" in result.output) == (1, True)


def test_what_is_written_is_valid_toml_for_any_allowed_name(place: Path) -> None:
    for name in ("Ärzte", "a.b", "c[1]", "#x"):
        assert typed("", "web", "token", "add", name, "--write").exit_code == 0
    assert set(tomllib.loads((place / "taskmanager.toml").read_text("utf-8"))["api_tokens"]) == {
        "Ärzte", "a.b", "c[1]", "#x",
    }  # fmt: skip


def test_the_document_of_the_api_is_printed_without_a_database(place: Path) -> None:
    document = lines(typed("", "web", "openapi"))
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/api/jobs/fire-and-forget"]["post"]["operationId"] == "fireAndForget"
    assert list(place.glob("*.db")) == []

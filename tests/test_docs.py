"""The documentation tells what the code has."""

from pathlib import Path

from taskmanager.config import settings_table


def test_every_setting_is_documented_as_it_is() -> None:
    assert settings_table() in (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")

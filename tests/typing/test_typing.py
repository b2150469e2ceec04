"""The public face as mypy sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_wrong_argument_is_a_type_error_in_the_editor() -> None:
    cases = Path(__file__).parent / "cases.py"
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(cases)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cases.parent.parent.parent, check=False)
    assert done.stdout == ""
    assert done.returncode == 0

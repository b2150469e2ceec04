"""Modules that raise or leave at import cost nobody but themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskmanager import TaskManager
from taskmanager.engine.discovery import discover
from taskmanager.engine.registry import Registry
from tests.faults.bad import change_job, greet, message

pytestmark = pytest.mark.timeout(120)


MODULES = {
    "__init__": "",
    "good": "from taskmanager import job\n@job\ndef fine() -> str:\n    return 'fine'\n",
    "raises": "raise RuntimeError('broken module 💥')\n",
    "leaves": "import sys\nsys.exit(7)\n",
    "garbled": "def broken(:\n",
    "nested/__init__": "raise SystemExit('the whole package')\n",
    "nested/inner": "",
    "zuletzt": "from taskmanager import job\n@job\ndef last() -> str:\n    return 'last'\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of which most modules cannot be imported."""
    for name, code in MODULES.items():
        path = tmp_path / "badpackage" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "badpackage"
    for name in [n for n in sys.modules if n.partition(".")[0] == "badpackage"]:
        del sys.modules[name]


def test_modules_that_raise_or_leave_at_import_are_reported_by_name_and_the_others_found(package: str) -> None:
    registry = Registry([package])
    found = discover([package, "no.such.package"], registry)
    assert [d.method for d in registry] == ["fine", "last"]
    assert found.errors["badpackage.raises"] == "RuntimeError: broken module 💥"
    assert found.errors["badpackage.leaves"] == "SystemExit: 7"
    assert found.errors["badpackage.garbled"].startswith("SyntaxError")
    assert found.errors["badpackage.nested"] == "SystemExit: the whole package"
    assert "no.such" in found.errors["no.such.package"] or "'no'" in found.errors["no.such.package"]


def test_a_row_that_names_a_module_which_leaves_at_import_does_not_take_a_worker_thread_with_it(
    tm: TaskManager, package: str, hands: Any, others: Any
) -> None:
    bad = tm.job(greet).enqueue("x")
    change_job(tm, bad, InvocationData='{"Type":"badpackage.leaves","Method":"anything"}')
    worker = hands(unknown_seconds=0.0)
    worker.worker.performer.registry.packages = (package,)
    worker.work()
    worker.worker.tick()
    worker.completer.flush()
    assert "badpackage.leaves:anything" in message(tm, bad)
    others(worker)

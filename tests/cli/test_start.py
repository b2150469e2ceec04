"""The first moments of the program: Ctrl-C ends it whatever is being imported, and it imports what it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from taskmanager import TaskManager
from taskmanager.samples import jobs

STOPS_AT = """
import os, sys, time

class Stops:
    def find_spec(name, path=None, target=None):
        if name == os.environ["STOPS_AT"]:
            print("here", flush=True)
            time.sleep(100)

sys.meta_path.insert(0, Stops)
"""
MODULE = ("-m", "taskmanager")
SCRIPT = ("-c", "from taskmanager.__main__ import main; main()")


@pytest.mark.parametrize(
    ("program", "module"),
    [(SCRIPT, "sqlalchemy.sql.compiler"), (MODULE, "taskmanager.cli.webusers")],
)
def test_ctrl_c_in_the_middle_of_an_import_is_one_line_and_exit_code_130(
    program: tuple[str, ...], module: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(STOPS_AT)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "STOPS_AT": module}
    with subprocess.Popen(
        [sys.executable, *program, "up"], env=environment, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        told = process.communicate()
    assert (told, process.returncode) == (("", "interrupted\n"), 130)


def test_a_command_imports_no_web_framework_and_no_driver_that_it_does_not_use(tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(
        "import sys\nfrom taskmanager.cli import main\n"
        "main(['db', 'upgrade'], standalone_mode=False)\n"
        "print(sorted({'flask', 'pymysql', 'psycopg', 'cryptography', 'rich'} & sys.modules.keys()))\n"
    )
    environment = os.environ | {"TASKMANAGER_DATABASE_URL": "sqlite:///x.db"}
    done = subprocess.run(
        [sys.executable, "ask.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_the_terminals_code_page_has_no_letter_for_is_shown_as_a_question_mark(tmp_path: Path) -> None:
    tm = TaskManager(database_url=f"sqlite:///{tmp_path}/x.db", doorbell=False)
    tm.database.create_tables()
    job_id = tm.enqueue(jobs.hello)
    tm.client.fail(job_id, ValueError(), "Řeka \N{PARTY POPPER} €")
    tm.close()
    environment = os.environ | {"TASKMANAGER_DATABASE_URL": tm.settings.database_url, "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, *MODULE, "jobs", "show", str(job_id)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "?eka ? €".encode("cp1252") in done.stdout
    for encoding, written in (
        ("cp1252", rb"\u0158eka \ud83c\udf89 \u20ac"),
        ("utf-8", "Řeka \N{PARTY POPPER} €".encode()),
    ):
        environment["PYTHONIOENCODING"] = encoding
        done = subprocess.run([*command, "--json"], cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert written in done.stdout, "JSON loses no letter"


def test_every_public_name_is_found_though_nothing_is_imported_before_it_is_asked_for() -> None:
    ask = (
        "import sys, taskmanager as t\nassert 'sqlalchemy' not in sys.modules\n"
        "assert {*t.__all__} <= {*dir(t)}\nfrom taskmanager import *\n"
        "assert all(globals()[n] is getattr(t, n) for n in t.__all__ if n != '__version__')\n"
        "try:\n    t.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("module 'taskmanager' has no attribute 'nothing'\n", "")

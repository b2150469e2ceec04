"""Generated source files (R102): one file, which is told, and which discovery finds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import taskmanager
from tests.cli.conftest import Cli, lines


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """What was generated is imported anew by the next test."""
    yield
    for name in [n for n in sys.modules if n.partition(".")[0] in ("jobs", "shop")]:
        sys.modules.pop(name)


def test_a_recurring_job_is_written_told_and_found(cli: Cli, place: Path) -> None:
    result = cli("generate", "job", "DailySalesReport", "--cron", "0 2 * * *")
    source = (place / "jobs" / "daily_sales_report.py").read_text("utf-8")
    assert result.output.splitlines() == [
        f"wrote {Path('jobs', 'daily_sales_report.py')}",
        "run it: taskmanager --discover jobs job run DailySalesReport",
    ]
    assert '@job("0 2 * * *", display_name="Daily Sales Report")\nclass DailySalesReport(Job):' in source
    found = lines(cli("job", "info", "DailySalesReport", "--discover", "jobs", "--json"))
    assert (found["name"], found["type"], found["cron"]) == ("Daily Sales Report", "Recurring", "0 2 * * *")
    assert cli("--discover", "jobs", "job", "run", "DailySalesReport").exit_code == 0
    again = cli("generate", "job", "DailySalesReport")
    assert (again.exit_code, "exists already" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "kind"), [((), "FireAndForget"), (("--fire-and-forget",), "FireAndForget"), (("--manual",), "Manual")]
)
def test_the_other_types_are_written(cli: Cli, options: tuple[str, ...], kind: str) -> None:
    cli("generate", "job", "SendMail", *options, "--directory", "shop/jobs")
    found = lines(cli("job", "info", "Send Mail", "--discover", "shop.jobs", "--json"))
    assert (found["function"], found["type"]) == ("shop.jobs.send_mail:SendMail", kind)


def test_names_and_texts_may_be_any(cli: Cli) -> None:
    texts = ("--display-name", 'The "big" \\ one', "--description", 'Says """hello""" \\ to all')
    for number, name in enumerate(("HTTPPing", "účetníUzávěrka", "clean_up-old rows 2")):
        assert cli("generate", "job", name, *(texts if number == 0 else ())).exit_code == 0
    found = {r["name"]: r["id"] for r in lines(cli("job", "list", "--discover", "jobs", "--json"))}
    assert found == {
        'The "big" \\ one': "jobs.http_ping:HTTPPing",
        "Účetní Uzávěrka": "jobs.účetní_uzávěrka:ÚčetníUzávěrka",
        "Clean Up Old Rows 2": "jobs.clean_up_old_rows_2:CleanUpOldRows2",
    }
    info = lines(cli("job", "info", "HTTPPing", "--discover", "jobs", "--json"))
    assert info["description"] == 'Says """hello""" \\ to all'


@pytest.mark.parametrize("name", ["2nd", "class", "None", "!!", ""])
def test_what_makes_no_name_of_a_class_is_refused_and_nothing_is_written(cli: Cli, place: Path, name: str) -> None:
    assert cli("generate", "job", name).exit_code == 1
    assert not (place / "jobs").exists()


def test_an_invalid_cron_is_refused_and_nothing_is_written(cli: Cli, place: Path) -> None:
    result = cli("generate", "job", "Report", "--cron", "61 * * * *")
    assert (result.exit_code, "61" in result.stderr) == (1, True)
    assert not (place / "jobs").exists()


def test_a_project_is_written_whose_jobs_run_and_whose_test_passes(
    cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = cli("generate", "project", "first")
    assert result.output.splitlines()[-1] == "run it: cd first && taskmanager up"
    monkeypatch.chdir(place / "first")
    monkeypatch.syspath_prepend(str(place / "first"))
    monkeypatch.delenv("TASKMANAGER_DISCOVER")
    listed = lines(cli("job", "list", "--json"))
    assert {(row["name"], row["type"], row["cron"]) for row in listed} == {
        ("Daily Report", "Recurring", "0 2 * * *"), ("Send Mail", "FireAndForget", None),
    }  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TASKMANAGER_")}
    clean |= {"PYTHONPATH": os.pathsep.join([str(Path(taskmanager.__file__).parent.parent), "."])}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], cwd=place / "first", env=clean,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    again = cli("generate", "project", str(place / "first"))
    assert (again.exit_code, "exists already; nothing was written" in again.stderr) == (1, True)

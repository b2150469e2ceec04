"""What is made once for a process, or when it is first needed: an application more costs next to nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jinja2 import DictLoader, Environment
from werkzeug.routing import Map

from taskmanager import TaskManager
from tests.webui.conftest import HASH, Browser
from webui import create_app
from webui.compiled import Compiled
from webui.routes import LateRule


def test_a_second_application_compiles_no_template_again(
    embedded: TaskManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    real = Environment.compile

    def compile_(self: Environment, source: Any, name: str | None = None, *rest: Any, **more: Any) -> Any:
        compiled.append(str(name))
        return real(self, source, name, *rest, **more)

    def pages() -> list[str]:
        browser = Browser(create_app(embedded, users={"ann": HASH}))
        return [  # the token of a form is of a session
            re.sub(
                r'(name="csrf_token" value=)"[^"]*"',
                r"\1",
                browser.get(path).text.split("<main", 1)[1].split("</main>")[0],
            )
            for path in ("/hangfire/jobs", "/hangfire/queues")
        ]

    first = pages()
    monkeypatch.setattr(Environment, "compile", compile_)
    assert pages() == first
    assert compiled == []


def test_a_template_of_another_text_is_compiled_anew() -> None:
    shared, texts = Compiled(), {"page": "one"}
    ours = [Environment(loader=DictLoader(texts), bytecode_cache=shared) for _ in range(2)]
    assert ours[0].get_template("page").render() == "one"
    texts["page"] = "two"
    assert [one.get_template("page").render() for one in ours] == ["two", "two"]


def test_an_address_is_compiled_when_it_is_first_written(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[bool] = []
    real = LateRule.__mro__[1]._compile_builder  # type: ignore[attr-defined]
    monkeypatch.setattr(
        LateRule.__mro__[1], "_compile_builder", lambda rule, more: compiled.append(more) or real(rule, more)
    )
    rule = LateRule("/jobs/<int:job_id>", endpoint="job")
    addresses = Map([rule]).bind("here")
    assert addresses.match("/jobs/7") == ("job", {"job_id": 7})
    assert compiled == []
    assert addresses.build("job", {"job_id": 7, "page": "2"}) == "/jobs/7?page=2"
    assert addresses.build("job", {"job_id": 8}) == "/jobs/8"
    assert compiled == [True]

"""Schemathesis sends what the document allows and what it forbids: no answer is a 500, all are as the document says.

A fixed seed and a bounded number of requests: the same ones on every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from taskmanager import TaskManager
from tests.webui.apiclient import TOKENS, Program

pytestmark = pytest.mark.slow
#: They wait for a worker, or send mail.
SLOW = {"getJobStack", "testAlert"}
EXAMPLES = 8
CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
)  # fmt: skip


def send_mail(to: str, copies: int = 1) -> str:
    return f"{copies} to {to}"


def nightly() -> None: ...


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    place: Path = tmp_path_factory.mktemp("fuzz")
    tm = TaskManager(database_url=f"sqlite:///{place}/fuzz.db", doorbell=False)
    tm.database.create_tables()
    tm.job(display_name="Send mail")(send_mail)
    tm.job("0 2 * * *", display_name="Nightly")(nightly)
    tm.register_recurring()
    tm.enqueue("Send mail", "a@b.c")
    made = Program(tm)
    made.app.config["PROPAGATE_EXCEPTIONS"] = made.app.testing = False
    yield made
    tm.close()


def test_whatever_is_sent_no_answer_is_a_500_or_another_than_the_document_says(program: Program) -> None:
    headers = {"Authorization": f"Bearer {TOKENS['ci']}", "Accept-Encoding": "identity"}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", program.app, headers=headers)
    found = [one.ok() for one in schema.get_all_operations()]
    operations = [one for one in found if one.definition.raw["operationId"] not in SLOW]
    assert len(operations) > 50
    sent: list[int] = []
    for operation in operations:
        _fuzz(operation, headers, sent)
    assert len(sent) > 3 * len(operations)
    assert {200, 404, 422} <= set(sent)


def _fuzz(operation: Any, headers: dict[str, str], sent: list[int]) -> None:
    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    @seed(20_261_129)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,), print_blob=False,
    )  # fmt: skip
    def run(case: Any) -> None:
        answer = case.call(headers=headers)
        sent.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    run()

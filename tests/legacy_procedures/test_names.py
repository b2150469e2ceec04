"""StoredProcName: what is a name is called, anything else is told and never executed."""

from __future__ import annotations

from typing import Any

import pytest

from taskmanager.domain.errors import InvalidArgument
from taskmanager.storage.procedures import checked_name
from tests.legacy_procedures.bench import Bench


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("SP_X", ("SP_X",)),
        ("  SP_X\t\n", ("SP_X",)),
        ("SP_X()", ("SP_X",)),
        (" SP_X ( ) ", ("SP_X",)),
        ("mydb.SP_X", ("mydb", "SP_X")),
        ("`SP X`", ("SP X",)),
        ("`my db`.`SP``X`()", ("my db", "SP`X")),
        ("mydb.`SP X`", ("mydb", "SP X")),
        ('"Sp X"', ("Sp X",)),
        ("דוח_יומי", ("דוח_יומי",)),
        ("`a;b`", ("a;b",)),
        ("2nd$report", ("2nd$report",)),
    ],
)
def test_a_name_is_trimmed_and_taken_apart(written: str, parts: tuple[str, ...]) -> None:
    assert checked_name(written) == parts


@pytest.mark.parametrize(
    "written",
    [
        None, "", "   ", "()", "SP_X; DROP TABLE c_Job", "SP_X(1)", "SP_X()()", "CALL SP_X", "a.b.c", ".SP_X", "SP_X.",
        "a..b", "SP-X", "SP_X --", "`SP_X", "SP`X", "``", "`a`b", "a b", "SP_X;", "[dbo].[SP_X]", "'SP_X'",
        "`a\0b`", "x" * 65, "SP_X # note", "SP_X/**/()",
    ],
)  # fmt: skip
def test_what_is_not_a_name_is_refused(written: str | None) -> None:
    with pytest.raises(InvalidArgument, match=r"is not the name of a procedure: write Name, schema\.Name"):
        checked_name(written)


def test_a_procedure_is_called_however_its_name_is_written(server: Bench, hands: Any) -> None:
    body = "(INOUT r text DEFAULT 'ran') LANGUAGE sql AS $$ SELECT 'ran' $$"
    body = body if server.product == "postgresql" else "SELECT 'ran'"
    schema = "public" if server.product == "postgresql" else server.tm.database.url.database
    mark = server.q("")[0]
    server.procedure("SP_Named", body)
    server.procedure("SP odd; name", body)
    server.procedure("Σ_דוח", body)
    for written in (
        "SP_Named", " SP_Named ", "SP_Named()", f"{schema}.SP_Named", f"{mark}SP odd; name{mark}",
        f"{schema}.{mark}SP odd; name{mark}()", "sp_named", "Σ_דוח",
    ):  # fmt: skip
        after = server.run(written, hands)
        assert (after["LastResult"], after["FailureCount"]) == ("ran", 0), written


@pytest.mark.parametrize("written", ["SP_X; DROP TABLE c_Job", None, "", "SP_X(1)", "tm_nowhere; SELECT 1"])
def test_anything_else_fails_the_run_with_a_clear_text_and_is_never_executed(
    bench: Bench, hands: Any, written: str | None
) -> None:
    after = bench.run(written, hands)
    assert after["LastResult"].startswith(f"StoredProcName {written!r} is not the name of a procedure")
    assert (after["FailureCount"], after["run"]["Success"]) == (8, 0)
    assert after["run"]["ErrorMessage"] == after["LastResult"]
    parameters = bench.tm.get(int(after["run"]["JobId"])).parameters
    assert "ProcedureSent" not in parameters, "nothing was sent"

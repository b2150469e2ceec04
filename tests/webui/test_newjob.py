"""A new job by a form out of the function's signature."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest

from taskmanager import JobContext, TaskManager
from tests.webui.conftest import Browser


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@dataclass
class Point:
    x: int
    y: int


def every(
    ctx: JobContext, text: str, number: int, share: float = 0.5, really: bool = False, at: datetime | None = None,
    day: date | None = None, size: Size = Size.SMALL, mode: Literal["a", "b"] = "a", money: Decimal = Decimal(1),
    where: Point | None = None, tags: list[str] | None = None, api_token: str = "", **more: int,
) -> None: ...  # fmt: skip


NAME = "tests.webui.test_newjob:every"


def form(ann: Browser, **given: Any) -> dict[str, Any]:
    page = ann.get(f"/hangfire/jobs/new?type={NAME}").text
    once = re.search(r'name="once" value="(\w+)"', page)
    assert once is not None
    return {"type": NAME, "once": once[1]} | {k.replace("__", "-"): v for k, v in given.items()}


def calls(tm: TaskManager) -> list[Any]:
    with tm.database.engine.connect() as connection:
        rows = connection.execute(tm.database.tables.job.select()).mappings().all()
    return [dict(row) | {"args": [a and json.loads(a) for a in json.loads(row["Arguments"])]} for row in rows]


def test_all_kinds_of_fields_become_the_arguments_of_the_job(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    sent = form(
        ann, arg__text=" hé ", arg__number="12345678901234567890", arg__share="0.25", arg__really="true",
        arg__at="2026-11-01T08:30:00", arg__day="2026-11-02", arg__size="1", arg__mode="1", arg__money="1.10",
        arg__where='{"x": 1, "y": 2}', arg__tags='["a", "b"]', arg__api_token="s3", arg__more='{"k": 1}',
        queue="mail", priority="-3",
    )  # fmt: skip
    answer = ann.post("/hangfire/jobs/new", sent, Accept="text/html")
    assert answer.status_code == 303, answer.text
    (job,) = calls(tm)
    assert job["args"] == [
        None, " hé ", 12345678901234567890, 0.25, True, "2026-11-01T08:30:00", "2026-11-02", "l", "b", "1.10",
        {"x": 1, "y": 2}, ["a", "b"], "s3", {"k": 1},
    ]  # fmt: skip
    assert (job["Queue"], job["Priority"], job["StateName"]) == ("mail", -3, "Enqueued")
    assert tm.get(job["Id"]).parameters["TriggeredBy"] == '"ann"'


def test_fields_left_empty_take_the_defaults(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    assert ann.post("/hangfire/jobs/new", form(ann, arg__number="1")).status_code == 201
    assert calls(tm)[0]["args"] == [None, "", 1, *[None] * 10, {}]


def test_a_form_that_is_sent_twice_is_one_job(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    sent = form(ann, arg__text="x", arg__number="1")
    ids = {ann.post("/hangfire/jobs/new", sent).json["id"] for _ in range(3)}
    assert len(ids) == len(calls(tm)) == 1
    assert ann.post("/hangfire/jobs/new", form(ann, arg__text="x", arg__number="1")).json["id"] not in ids


def test_it_runs_later_by_delay_or_at_a_moment(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    first = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", delay="3600")).json["id"]
    second = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", at="2199-01-01T00:00:00")).json["id"]
    assert [tm.get(i).state for i in (first, second)] == ["Scheduled", "Scheduled"]
    assert tm.get(second).history[-1].data["EnqueueAt"].startswith("2199-01-01T00:00:00")


def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    wrong = {
        "arg__number": ("1.5", "needs a whole number"), "arg__share": ("much", "needs a number"),
        "arg__at": ("noon", "expected datetime"), "arg__size": ("7", "none of the choices"), "arg__money": ("1,5", ""),
        "arg__where": ('{"x": 1}', "y"), "arg__tags": ("[", "is not JSON"), "arg__really": ("maybe", "bool"),
        "priority": ("high", "needs a whole number"), "delay": ("-1", "number of seconds"), "at": ("x", "such as"),
        "queue": ("No Queue!", "queue"),
    }  # fmt: skip
    for name, (typed, told) in wrong.items():
        answer = ann.post(
            "/hangfire/jobs/new",
            form(ann, **{"arg__text": "<kept>", "arg__number": "1", name: typed}),
            Accept="text/html",
        )
        assert answer.status_code == 422, name
        assert "&lt;kept&gt;" in answer.text
        shown = re.findall(r'(?:class="field-error"|role="alert")[^>]*>(?:<svg.*?</svg>)?(.*?)</div>', answer.text)
        assert any(told.lower() in text.lower() for text in shown), (name, shown)
    assert calls(tm) == []


def test_only_registered_jobs_and_only_who_may(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    tm.job(every)
    for name in ("os:system", "taskmanager.tasks.procedures:run_procedure", "nothing"):
        assert ann.get(f"/hangfire/jobs/new?type={name}").status_code == 404
        assert ann.post("/hangfire/jobs/new", {"type": name, "once": "0" * 32}).status_code == 404
    assert eve.get("/hangfire/jobs/new").status_code == 403
    assert eve.post("/hangfire/jobs/new", {"type": NAME}).status_code == 403
    page = ann.get("/hangfire/jobs/new").text
    assert NAME in page
    assert "taskmanager.tasks" not in page
    assert "/jobs/new" not in eve.get("/hangfire/jobs").text
    assert 'type="password"' in ann.get(f"/hangfire/jobs/new?type={NAME}").text
    assert ann.post("/hangfire/jobs/new", {"type": NAME, "once": "x", "arg-number": "1"}).status_code == 422


def test_arguments_are_typed_as_json_too_and_told_wrong_at_their_field(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    for text, args in (('{"text": "x", "number": 7}', ["x", 7]), ('["y", 8]', ["y", 8])):
        assert ann.post("/hangfire/jobs/new", form(ann, raw="1", arguments=text)).status_code == 201
        assert calls(tm)[-1]["args"][1:3] == args
    for text, told in (("{", "is not JSON"), ("7", "needs an object or an array"), ('["••••", 1]', "masked secret"),
                       ('{"nobody": 1}', "nobody")):  # fmt: skip
        answer = ann.post("/hangfire/jobs/new", form(ann, raw="1", arguments=text), Accept="text/html")
        assert answer.status_code == 422
        assert told in answer.text
    assert len(calls(tm)) == 2


def test_a_moment_is_typed_in_a_zone(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    given = {"arg__text": "x", "arg__number": "1", "at": "2027-07-01T08:00"}
    job_id = ann.post("/hangfire/jobs/new", form(ann, zone="Europe/Prague", **given)).json["id"]
    assert tm.get(job_id).current.data["EnqueueAt"].startswith("2027-07-01T06:00")  # type: ignore[union-attr]
    answer = ann.post("/hangfire/jobs/new", form(ann, zone="Mars", **given), Accept="text/html")
    assert answer.status_code == 422
    assert 'aria-describedby="zone-error"' in answer.text or "Mars" in answer.text
    assert len(calls(tm)) == 1


def test_a_preview_tells_the_call_the_queue_and_the_time_and_makes_nothing(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    given = {"arg__text": "x", "arg__number": "41", "queue": "mail", "preview": "1"}
    answer = ann.post("/hangfire/jobs/new", form(ann, at="2027-07-01T08:00", zone="Europe/Prague", **given))
    assert answer.status_code == 200
    shown = html.unescape(re.sub(r"<[^>]+>", "", answer.text))
    assert "number=41" in shown
    assert "2027-07-01 06:00:00 UTC" in shown
    assert 'value="41"' in answer.text, "what was typed stays"
    typed = form(ann, arguments='["z", 5]', preview="1")
    assert "number=5" in re.sub(r"<[^>]+>", "", ann.post("/hangfire/jobs/new", typed).text)
    assert ann.post("/hangfire/jobs/new", form(ann, arg__number="x", preview="1")).status_code == 422
    assert calls(tm) == []


def test_a_form_begins_with_the_arguments_of_another_job_but_its_secrets(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    job_id = tm.enqueue(every, "hé", 41, where=Point(1, 2), api_token="s3cr3t")
    page = ann.get(f"/hangfire/jobs/new?from={job_id}").text
    assert 'value="hé"' in page
    assert 'value="41"' in page
    assert "s3cr3t" not in page
    assert "Secrets are left empty" in page
    assert ann.get("/hangfire/jobs/new?from=999").status_code == 404
    assert ann.get(f"/hangfire/jobs/new?from={job_id}&type={NAME}").status_code == 200
    assert ann.get(f"/hangfire/jobs/new?from={job_id}&type=other:one").status_code == 303


def test_signature_and_docstring_are_told(tm: TaskManager, ann: Browser) -> None:
    tm.job(documented)
    for page in (ann.get("/hangfire/jobs/new"), ann.get("/hangfire/jobs/new?type=tests.webui.test_newjob:documented")):
        shown = html.unescape(page.text)
        assert 'documented(order: int, note: str = "none")' in shown
        assert "Sends it." in shown
    assert "Twice, if need be." in shown


def documented(ctx: JobContext, order: int, note: str = "none") -> None:
    """Sends it.

    Twice, if need be.
    """


@pytest.mark.each_engine
def test_a_job_is_made_once_under_a_key_of_ones_own(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    first = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", unique="invoice 7"))
    assert first.status_code == 201
    again = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", unique=" invoice 7 "))
    assert (again.status_code, again.json) == (200, first.json)
    other = ann.post("/hangfire/jobs/new", form(ann, arg__number="2", unique="invoice 7"), Accept="text/html")
    assert other.status_code == 422
    assert f"was given to another job, #{first.json['id']}" in other.text
    assert 'value="invoice 7"' in other.text
    assert ann.post("/hangfire/jobs/new", form(ann, arg__number="2", unique="invoice 8")).status_code == 201
    assert [job["args"][2] for job in calls(tm)] == [1, 2]
    assert ann.post("/hangfire/jobs/new", form(ann, arg__number="2", unique="x" * 201)).status_code == 422


@pytest.mark.each_engine
def test_tags_are_typed_with_commas(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    made = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", tags=" vip, spring sale ,vip,"))
    assert tm.get(made.json["id"]).parameters["Tags"] == '["vip", "spring sale"]'
    assert 'value="vip, spring sale"' in ann.get(f"/hangfire/jobs/new?from={made.json['id']}").text
    wrong = ann.post("/hangfire/jobs/new", form(ann, arg__number="1", tags='a"b'), Accept="text/html")
    assert wrong.status_code == 422
    assert "a tag is a text of 1 to 60 letters" in wrong.text


def test_the_page_is_switched_off_by_a_setting(tm: TaskManager, ann: Browser) -> None:
    tm.job(every)
    sent = form(ann, arg__number="1")
    assert "/hangfire/jobs/new" in ann.get("/hangfire/jobs").text
    tm.settings = tm.settings.with_changes(web_new_job=False)
    assert ann.get("/hangfire/jobs/new").status_code == 403
    assert ann.post("/hangfire/jobs/new", sent).status_code == 403
    assert "/hangfire/jobs/new" not in ann.get("/hangfire/jobs").text
    assert calls(tm) == []

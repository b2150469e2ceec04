"""Messages, results and names that no database takes as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taskmanager import JobContext, JobResult, TaskManager
from taskmanager.domain.errors import (
    InvalidArgument,
)
from taskmanager.engine.filters import Electing, Filter
from taskmanager.storage import logged, queues, structures
from tests.conftest import history
from tests.faults.bad import greet, message

pytestmark = pytest.mark.timeout(120)


EMOJI = "žluťoučký 日本 שלום 👩‍👩‍👧 🎉"


def größe_der_straße(мера: str, ctx: JobContext) -> dict[str, str]:
    ctx.log.info("zpráva %s", EMOJI, klíč=EMOJI)
    return {"ключ 🗝": мера}


def zlomený() -> None:
    raise ValueError(EMOJI)


def test_non_ascii_and_emoji_come_through_everywhere(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import job_log

    job = tm.job(display_name=f"Größe {EMOJI}")(größe_der_straße)
    good = tm.enqueue_definition(job.definition, (), {"мера": EMOJI}, {"triggered_by": EMOJI * 9})
    bad = tm.job(retries=1, delays=[0], display_name=EMOJI)(zlomený).enqueue()
    tm.recurring("🎉", größe_der_straße, args=(EMOJI,), cron="0 * * * *")
    tm.recurring("👩", größe_der_straße, args=(EMOJI,), cron="0 * * * *")
    worker = hands()
    worker.work()
    worker.work()
    assert tm.get(good).result == {"ключ 🗝": EMOJI}
    assert message(tm, bad) == EMOJI
    assert any(EMOJI[:20] in (s.reason or "") for s in tm.get(bad).history)
    ((_, _, lines),) = tm.database.run(lambda tx: job_log.of(tx, good))
    assert json.loads(lines)["message"] == f"zpráva {EMOJI}"
    assert json.loads(lines)["fields"] == {"klíč": EMOJI}
    runs = {r["JobName"]: r for r in tm.database.run(lambda tx: logged.history(tx, name=None, limit=10))}
    assert runs[EMOJI]["ErrorMessage"] == EMOJI
    assert runs[f"Größe {EMOJI}"]["TriggeredBy"].startswith(EMOJI)
    assert [r.id for r in tm.recurring_list()] == sorted(["🎉", "👩"])
    tm.remove("🎉")
    tm.pause("👩")
    assert [(r.id, r.paused) for r in tm.recurring_list()] == [("👩", True)]
    third = tm.get(tm.trigger("👩", by=EMOJI))
    assert tm.delete(third.id, reason=EMOJI * 9)
    assert (tm.get(third.id).history[-1].reason or "").startswith(EMOJI)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def unstorable() -> None:
    raise ValueError("NUL \0 and half an emoji \ud83d, then more")


def unspeakable() -> None:
    raise Unspeakable


def test_a_message_no_database_takes_is_mended_and_one_that_cannot_be_read_is_named(
    tm: TaskManager, hands: Any, others: Any
) -> None:
    first = tm.job(retries=1, delays=[0])(unstorable).enqueue()
    second = tm.job(retries=1, delays=[0])(unspeakable).enqueue()
    worker = hands()
    worker.work()
    worker.work()
    assert message(tm, first) == "NUL � and half an emoji ?, then more"
    assert message(tm, second) == "(its message could not be read: RuntimeError)"
    assert history(tm, second) == ["Enqueued", "Processing", "Failed", "Enqueued", "Processing", "Failed"]
    with pytest.raises(InvalidArgument, match="a recurring job's id"):
        tm.recurring("half \ud83d", greet, args=("x",), cron="* * * * *")
    others(worker)


class Spoiler(Filter):
    """Wants to write what no database takes, or raises, for one job."""

    def __init__(self) -> None:
        self.job_id, self.raises = 0, False

    def applied(self, context: Electing, state: Any) -> None:
        if context.job.id != self.job_id:
            return
        if self.raises:
            raise ZeroDivisionError("a filter of the application")
        context.effects.parameter(self.job_id, "n" * 400 + "\ud800", "x")


@pytest.mark.parametrize("raises", [False, True])
def test_an_outcome_that_cannot_be_written_fails_its_own_job_only(
    tm: TaskManager, hands: Any, others: Any, raises: bool
) -> None:
    spoiler = Spoiler()
    spoiler.raises = raises
    tm.add_filter(spoiler)
    spoiler.job_id = bad = tm.enqueue(greet, "spoiled")
    last = tm.enqueue(greet, "last")
    worker = hands()
    worker.work()
    assert "ended as Succeeded, but that could not be written" in message(tm, bad)
    runs = tm.database.read(lambda tx: logged.history(tx, name=None, limit=9, failed_only=True))
    assert [(r["JobId"], r["ResultMessage"]) for r in runs] == [
        (str(bad), "Not counted: its outcome could not be written")
    ]
    assert history(tm, bad) == ["Enqueued", "Processing", "Failed"]
    assert tm.get(last).state == "Succeeded"
    assert tm.database.run(lambda tx: queues.waiting_among(tx, [bad])) == set()
    assert tm.database.run(lambda tx: structures.counts_of(tx, ["stats:succeeded"])) == {"stats:succeeded": 2}
    others(worker)


def test_a_result_that_no_column_takes_is_a_success_all_the_same(tm: TaskManager, hands: Any) -> None:
    texts = {"nul": "a\0b", "half": "a\ud83db"}

    def odd(name: str, plain: bool) -> Any:
        return texts[name] if plain else JobResult.ok(texts[name])

    job = tm.job(retries=0, display_name="odd")(odd)
    ids = {(name, plain): job.enqueue(name, plain) for name in texts for plain in (True, False)}
    hands().work()
    for (name, plain), job_id in ids.items():
        record = tm.get(job_id)
        assert record.state == "Succeeded", record.current
        assert (record.result if plain else record.result["message"]) == texts[name]
    runs = tm.database.read(lambda tx: logged.history(tx, name="odd", limit=9))
    assert {r["ResultMessage"] for r in runs} == {"a\N{REPLACEMENT CHARACTER}b", "a?b"}


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_line_of_log_that_cannot_be_made_fails_no_job(tm: TaskManager, hands: Any) -> None:
    from taskmanager.storage import job_log

    def talkative(ctx: JobContext) -> JobResult:
        ctx.log.info("rate %d", "x")
        ctx.log.info("done to 100%", 5)
        ctx.log.info({"a": 1})
        ctx.log.warning("%s", Mute(), what=Mute(), message="m", level="l")
        try:
            raise ValueError("no stock")
        except ValueError as error:
            ctx.log.exception("order %d", 7)
            return JobResult.ok(error)  # type: ignore[arg-type]

    job_id = tm.job(retries=0)(talkative).enqueue()
    hands().work()
    assert tm.get(job_id).result["message"] == "no stock"
    ((_, _, lines),) = tm.database.run(lambda tx: job_log.of(tx, job_id))
    found = [json.loads(line) for line in lines.splitlines()]
    assert [one["message"] for one in found[:4]] == [
        "rate %d x",
        "done to 100% 5",
        "{'a': 1}",
        "%s (Mute without a text)",
    ]
    assert found[3]["fields"] == {"what": "(Mute without a text)", "message": "m", "level": "l"}
    assert (found[4]["level"], found[4]["message"].splitlines()[0]) == ("ERROR", "order 7")
    assert found[4]["message"].endswith("ValueError: no stock")

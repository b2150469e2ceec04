"""Queues: filtered, sorted, paused with a note and an end; one of them with its types and who serves it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.domain.rollups import LATENCY, LENGTH, MINUTE, QUEUE, Figures, floor
from taskmanager.storage import claiming, monitoring_queues, rollups, servers
from tests.webui.conftest import Browser
from tests.webui.sample import resize_image, send_invoice


def names(page: str) -> list[str]:
    return re.findall(r'<h2 id="q-\d+"><a href="[^"]*">([^<]+)</a>', page)


@pytest.mark.each_engine
def test_queues_are_filtered_and_sorted_by_length_and_latency(tm: TaskManager, ann: Browser) -> None:
    for name, count in (("mail", 1), ("bulk-a", 3), ("bulk-b", 2)):
        tm.enqueue_many(len, [("x",)] * count, queue=name)
    assert names(ann.get("/hangfire/queues").text) == ["bulk-a", "bulk-b", "mail"]
    assert names(ann.get("/hangfire/jobs/enqueued?sort=length").text) == ["bulk-a", "bulk-b", "mail"]
    assert names(ann.get("/hangfire/queues?sort=latency").text) == ["mail", "bulk-a", "bulk-b"]
    assert names(ann.get("/hangfire/queues?q=BULK&sort=x").text) == ["bulk-a", "bulk-b"]
    assert "No queue matches" in ann.get("/hangfire/queues?q=zzz").text


def test_a_pause_has_a_note_and_an_end_and_is_told_with_who(tm: TaskManager, ann: Browser, eve: Browser) -> None:
    tm.enqueue(len, "x", queue="mail")
    until = (tm.database.clock.now() + timedelta(hours=3)).replace(microsecond=0)
    sent = {"queue": "mail", "note": "stock <b>taking</b>", "until": until.isoformat(), "back": "/hangfire/queues/mail"}
    answer = ann.post("/hangfire/queues/pause", sent, Accept="text/html")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hangfire/queues/mail")
    for path in ("queues", "queues/mail", "jobs/enqueued/mail"):
        page = ann.get(f"/hangfire/{path}").text
        assert "by ann" in page, path
        assert "stock &lt;b&gt;taking&lt;/b&gt;" in page, path
        assert times.to_iso(until)[:19] in page, path
    (told,) = ann.get("/api/v1/queues", Accept="application/json").json
    assert (told["pausedBy"], told["pauseNote"]) == ("ann", "stock <b>taking</b>")
    assert told["pausedUntil"].startswith(times.to_iso(until)[:19])
    assert ann.post("/hangfire/queues/pause", sent | {"until": "soon"}).status_code == 422
    assert ann.post("/hangfire/queues/pause", sent | {"until": "2020-01-01T00:00"}).status_code == 422
    assert "/hangfire/queues/pause" not in eve.get("/hangfire/queues/mail").text


def test_a_queue_tells_its_types_and_who_serves_it(tm: TaskManager, ann: Browser) -> None:
    for one in (resize_image, send_invoice):
        tm.job(queue="mail")(one)
    tm.enqueue_many(resize_image, [("/x.png", 1)] * 3)
    tm.enqueue(send_invoice, 1, "a@example.org")
    assert "no server listens" in ann.get("/hangfire/queues/mail").text
    data = {"WorkerCount": 7, "Queues": ["mail"]}
    tm.database.run(lambda tx: [servers.announce(tx, f"web:{n}:{n:032x}", data) for n in range(2)])
    page = re.sub(r"<[^>]+>", "", ann.get("/hangfire/queues/mail").text)
    assert re.search(r"3 resize_image,\s*1 send_invoice", page)
    assert re.search(r"Servers2 · 14 threads", page)
    assert "Delete all that wait" in page


def figures(tm: TaskManager) -> datetime:
    """Ten minutes in which 20 jobs of queue mail ended each minute, and it got shorter by 5 a minute."""
    now = floor(tm.database.clock.now(), MINUTE)
    sums: dict[tuple[datetime, str, str], Figures] = {}
    for back in range(1, 11):
        at, waits = now - timedelta(minutes=back), 100 + 5 * back
        sums[at, QUEUE, "mail"] = Figures(20, 1, 2000)
        sums[at, LENGTH, "mail"] = Figures(1, ms=waits, longest=waits)
        sums[at, LATENCY, "mail"] = Figures(1, ms=90_000, longest=90_000)
    tm.database.run(lambda tx: rollups.add(tx, sums))
    return now


def test_the_list_tells_throughput_balance_when_it_is_empty_and_who_is_busy(tm: TaskManager, ann: Browser) -> None:
    tm.enqueue_many(len, [("x",)] * 10, queue="mail")
    tm.enqueue(len, "x", queue="other")
    figures(tm)
    tm.database.run(lambda tx: servers.announce(tx, f"web:1:{1:032x}", {"WorkerCount": 7, "Queues": ["mail"]}))
    tm.database.run(lambda tx: claiming.take_next(tx, "mail", 3, "a.1").claims)
    mail, other = re.sub(r"<[^>]+>", " ", ann.get("/hangfire/queues").text).split("other", 1)
    told = re.sub(r"\s+", " ", mail)
    assert "200 in the last hour" in told
    assert "Ended a minute 20 Came a minute 15 Balance -5 empty in about 1 m 24 s" in told
    assert "3 of 7 threads busy" in told
    assert "Ended a minute" not in other
    (one, _) = ann.get("/api/v1/queues", Accept="application/json").json
    assert (one["endedPerMinute"], one["grownPerMinute"], one["emptyInSeconds"]) == (20.0, -5.0, 84.0)


@pytest.mark.parametrize(("asked", "buckets", "runs"), [("1h", 60, 200), ("24h", 24, 200), ("7d", 168, 200)])
def test_a_queue_is_charted_over_an_hour_a_day_and_a_week(
    tm: TaskManager, ann: Browser, asked: str, buckets: int, runs: int
) -> None:
    figures(tm)
    page = ann.get(f"/hangfire/queues/mail?range={asked}").text
    assert page.count("data-chart=") == 3
    table = page.partition("As a table")[2].partition("</table>")[0]
    assert table.count("<tr><td>") == buckets
    told = ann.get(f"/api/v1/queues/mail/figures?range={asked}", Accept="application/json").json
    assert {len(told[name]) for name in told} == {buckets}
    assert (sum(told["succeeded"]), sum(told["failed"])) == (runs - 10, 10)
    assert {one for one in told["latencySeconds"] if one is not None} == {90.0}
    assert all(105 <= one <= 150 for one in told["waiting"] if one is not None)
    assert "No figures yet" in ann.get("/hangfire/queues/none").text


@pytest.mark.each_engine
def test_types_are_counted_by_the_database_over_the_jobs_that_are_next(tm: TaskManager, ann: Browser) -> None:
    tm.job(queue="mail")(resize_image)
    tm.enqueue_many(resize_image, [("/x.png", 1)] * 1200)
    tm.enqueue(len, "x", queue="mail")
    page = re.sub(r"<[^>]+>", "", ann.get("/hangfire/queues/mail").text)
    assert re.search(r"1,200 resize_image,\s*1 len", page)
    assert len(tm.database.read(lambda tx: monitoring_queues.calls(tx, "mail"))) == 2


@pytest.mark.each_engine
def test_types_of_the_jobs_at_the_end_of_the_queue_are_counted_for_who_asks(
    tm: TaskManager, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_queues, "SORTED", 4)
    monkeypatch.setattr(monitoring_queues, "LAST", 6)
    tm.job(queue="mail")(resize_image)
    tm.enqueue_many(resize_image, [("/x.png", 1)] * 5)
    tm.enqueue_many(len, [("x",)] * 4, queue="mail")
    page = ann.get("/hangfire/queues/mail").text
    assert 'href="/hangfire/queues/mail?types=last"' in page
    assert re.search(r"4 resize_image\s+of the 4 that are next", re.sub(r"<[^>]+>", "", page))
    page = ann.get("/hangfire/queues/mail?types=last").text
    assert re.search(r"4 len,\s*2 resize_image\s+of the 6 at the end of the queue", re.sub(r"<[^>]+>", "", page))
    assert 'id="facts" aria-label="Facts">' in page, "it is not counted anew at each change"


@pytest.mark.each_engine
def test_all_that_wait_are_moved_and_what_a_worker_has_in_hand_stays(
    tm: TaskManager, ann: Browser, eve: Browser
) -> None:
    ids = [tm.job(len).enqueue("x") for _ in range(5)]
    urgent = tm.job(len, priority=-7).enqueue("x")
    held = tm.database.run(lambda tx: claiming.take_next(tx, "default", 2, "a.1").claims)
    sent = {"queue": "default", "target": "slow", "back": "/hangfire/queues/default", "key": "k" * 32}
    assert eve.post("/hangfire/queues/move", sent).status_code == 403
    assert ann.post("/hangfire/queues/move", sent | {"target": "default"}).status_code == 422
    assert ann.post("/hangfire/queues/move", sent | {"target": "No Such!"}).status_code == 422
    assert "Move all to another queue" in ann.get("/hangfire/queues/default").text
    answer = ann.post("/hangfire/queues/move", sent)
    assert answer.status_code == 201
    assert ann.post("/hangfire/queues/move", sent).json == answer.json, "the form pressed twice is one operation"
    number = answer.json["id"]
    done = tm.operations.step(number)
    while not done.ended:
        done = tm.operations.step(number)
    in_hand = {claim.job_id for claim in held}
    assert urgent in in_hand
    moved = {i for i in ids if i not in in_hand}
    assert (done.changed, {one[0] for one in done.samples}) == (4, in_hand)
    waiting = tm.database.run(lambda tx: claiming.take_next(tx, "slow", 9, "a.2").claims)
    assert {claim.job_id for claim in waiting} == moved
    assert {tm.get(i).queue for i in moved} == {"slow"}
    assert f"Bulk operation #{number}: move to queue slow" in ann.get(f"/hangfire/operations/{number}").text
    page = ann.get("/hangfire/audit").text
    assert "operations.end" in page


def test_a_moved_job_keeps_its_priority_and_the_api_moves_too(tm: TaskManager, ann: Browser) -> None:
    first, second = tm.job(len, priority=5).enqueue("x"), tm.job(len, priority=-7).enqueue("x")
    headers = {"Accept": "application/json", "Idempotency-Key": "once"}
    path = "/api/v1/queues/default/move"
    answer = ann.send("POST", path, json.dumps({"target": "slow"}), **headers, **{"Content-Type": "application/json"})
    assert (answer.status_code, answer.json["action"]) == (201, "move")
    tm.operations.step(answer.json["id"])
    claims = tm.database.run(lambda tx: claiming.take_next(tx, "slow", 9, "a.1").claims)
    assert [(c.job_id, c.priority) for c in claims] == [(second, -7), (first, 5)]


@pytest.mark.each_engine
def test_a_queue_whose_name_another_program_chose_is_emptied_alone(tm: TaskManager, ann: Browser) -> None:
    odd = 'a","b\\'
    for name in (odd, "a", "b"):
        job_id = tm.enqueue(len, "x")
        table = tm.database.tables
        with tm.database.engine.begin() as connection:
            connection.execute(table.job.update().where(table.job.c.Id == job_id).values(Queue=name))
            connection.execute(table.queue.update().where(table.queue.c.JobId == job_id).values(Queue=name))
    answer = ann.post("/hangfire/queues/move", {"queue": odd, "target": "slow"})
    assert answer.status_code == 201, answer.text
    done = tm.operations.step(answer.json["id"])
    assert done.changed == 1
    assert len(tm.database.run(lambda tx: claiming.take_next(tx, "slow", 9, "a.1").claims)) == 1

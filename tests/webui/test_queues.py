"""Queues: filtered, sorted, paused with a note and an end; one of them with its types and who serves it."""

from __future__ import annotations

import re
from datetime import timedelta

from taskmanager import TaskManager
from taskmanager.domain import times
from taskmanager.storage import servers
from tests.webui.conftest import Browser
from tests.webui.sample import resize_image, send_invoice


def names(page: str) -> list[str]:
    return re.findall(r'<h2 id="q-\d+"><a href="[^"]*">([^<]+)</a>', page)


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

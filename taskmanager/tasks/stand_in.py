"""Who sends messages while no server does: a process that is no worker, such as the dashboard's."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from taskmanager.config import ALERTS
from taskmanager.domain import invocation as invocations
from taskmanager.domain.records import JobRecord
from taskmanager.engine.client import Client
from taskmanager.storage import conditions, jobs, monitoring_queues
from taskmanager.tasks.notify import Notifier, notify, send

log = logging.getLogger("taskmanager.alerts")

#: As many messages are sent at a look, the first first.
_MOST = 20
#: After the nth try that failed, the next one comes n² times so late, and an hour later at most.
_PAUSE_SECONDS, _LONGEST_SECONDS = 60.0, 3600.0
REASON = "sent by the dashboard's process: no server takes messages"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What sending needs to know of the message's job."""

    job_id: int
    parameters: Mapping[str, str]
    at: datetime

    def now(self) -> datetime:
        """The database's time."""
        return self.at


class StandIn:
    """Sends what waits in the queue of messages. A message is taken out of the queue first, and put back if it fails:
    a server that comes meanwhile does not send it, too."""

    def __init__(self, client: Client, notifier: Notifier, dead_after: float) -> None:
        self.client, self.notifier, self.database = client, notifier, client.database
        self._dead_after = dead_after
        self._failed: dict[int, tuple[int, float]] = {}

    def send_waiting(self) -> int:
        """Send what waits, unless a living server takes it; how many went out."""
        if ALERTS in self.database.read(lambda tx: conditions.served(tx, self._dead_after)):
            self._failed.clear()
            return 0
        waiting, _ = self.database.read(lambda tx: monitoring_queues.page(tx, ALERTS, limit=_MOST))
        due = [row.id for row in waiting if self._failed.get(row.id, (0, 0.0))[1] <= time.monotonic()]
        return sum(self._send(job_id) for job_id in due)

    def _send(self, job_id: int) -> bool:
        record = self.database.read(lambda tx: jobs.read(tx, job_id))
        told = _told(record) if record is not None else None
        if (
            record is None
            or told is None
            or not all(self.client.delete([job_id], reason=REASON, expected={"Enqueued"}))
        ):
            return False
        try:
            outcome = send(self.notifier, Envelope(job_id, record.parameters, self.database.clock.now()), *told)
        except Exception as error:  # whatever it is: the message is in no queue at this moment
            tries = self._failed.get(job_id, (0, 0.0))[0] + 1
            pause = min(_LONGEST_SECONDS, _PAUSE_SECONDS * tries * tries)
            self._failed[job_id] = (tries, time.monotonic() + pause)
            log.warning("message %d cannot be sent, and is put back: %s: %s", job_id, type(error).__name__, error)
            self.client.requeue([job_id], reason=f"not sent by the dashboard's process: {error}"[:500])
            return False
        self._failed.pop(job_id, None)
        log.info("message %d: %s", job_id, outcome)
        return True


def _told(record: JobRecord) -> tuple[str, dict[str, object]] | None:
    """Rule and facts of a message's job; None of any other job."""
    try:
        call = invocations.read(record.invocation_data, record.arguments)
        rule, facts = (json.loads(text or "null") for text in call.arguments[-2:])
    except (invocations.InvocationUnreadable, ValueError):
        return None
    return (str(rule), facts) if call.name == f"{notify.__module__}:notify" and isinstance(facts, dict) else None

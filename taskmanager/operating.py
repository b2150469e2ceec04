"""What operators ask of an installation: queues and jobs paused, servers quiet, where a running job stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from taskmanager.domain import times
from taskmanager.domain.errors import InvalidArgument
from taskmanager.domain.records import Pause
from taskmanager.engine.client import check_queue
from taskmanager.engine.job_pausing import JobPausing
from taskmanager.engine.recurring_verbs import check_end, check_note
from taskmanager.installation import Installation
from taskmanager.storage import doctor, queue_pauses, servers, sql_api, stacks
from taskmanager.storage.job_pauses import HeldBy
from taskmanager.storage.transaction import Tx

_MEND = "mend it, or take it from `discover`"


class Operating(Installation):
    """The verbs about queues and servers."""

    def pause_queue(
        self, queue: str, *, by: str | None = None, note: str | None = None, until: datetime | None = None
    ) -> None:
        """Claim nothing from a queue until it is resumed; on every server, at once.

        by: who asks; note: why. until: when it resumes by itself (a naive one is UTC), by the database's clock; a
        worker that runs schedules sees to that. Paused again, it has the new note and end. Raises InvalidArgument for a
        name that is none, an end that is over, a note of more than 500 characters.
        """
        check_queue(queue)
        end = times.to_utc(until) if until is not None else None
        wanted = Pause(until=end, by=by, note=(note or "").strip() or None)
        check_note(wanted.note or "")

        def work(tx: Tx) -> None:
            check_end(end, tx.now())
            queue_pauses.pause(tx, queue, wanted)

        self.database.run(work)

    def resume_queue(self, queue: str) -> None:
        """Claim from a queue again."""
        self.database.run(lambda tx: queue_pauses.resume(tx, queue))
        self.ringer.ring({queue})

    def pause_jobs(
        self, *, job: str | Callable[..., Any] | None = None, tag: str | None = None, by: str | None = None,
        note: str | None = None, until: datetime | None = None,
    ) -> None:  # fmt: skip
        """Run no job of a type, or with a tag, until it is resumed; on every server, at once.

        They stay Enqueued, in their place, and are held where a worker meets them; what runs goes on. job: a function,
        or its name. by: who asks; note: why. until: when it resumes by itself (a naive one is UTC), by the database's
        clock; a worker that runs schedules sees to that. Paused again, it has the new note and end. Raises
        InvalidArgument for both or neither, a type that is not known and that none of the newest jobs has, an end that
        is over, a note of more than 500 characters.
        """
        pausing = self.job_pausing
        pausing.pause(pausing.value(job, tag), by=by, note=note, until=until)

    def resume_jobs(self, *, job: str | Callable[..., Any] | None = None, tag: str | None = None) -> bool:
        """Run the jobs of a type, or with a tag, again, in their old order; whether they were paused.

        The first hundreds wait in their queues again when it returns, the rest as fast as a server gives them back.
        """
        was = self.job_pausing.resume(job, tag) is not None
        self.ringer.ring(set())
        return was

    def paused_jobs(self) -> list[HeldBy]:
        """The types and tags that are paused, with what is known of it and how many jobs are held."""
        return self.job_pausing.known()

    @property
    def job_pausing(self) -> JobPausing:
        """The verbs about types and tags that are paused."""
        return JobPausing(self.database, self.registry)

    def quiet_server(self, server_id: str, *, quiet: bool = True) -> bool:
        """Let a server take no more jobs (what it runs, it ends), or take them again; it notices at its next look.

        False when there is no such server. Raises InvalidArgument for one that was asked to stop.
        """

        def work(tx: Tx) -> bool:
            if servers.asked(tx).get(server_id):
                raise InvalidArgument(f"{server_id} was asked to stop, and takes no jobs again")
            return servers.set_quiet(tx, server_id, quiet)

        known = self.database.run(work)
        self.ringer.ring(set())
        return known

    def stop_server(self, server_id: str) -> bool:
        """Ask a server to take no more jobs, to end when those it performs have ended, and not to be started again.

        `taskmanager worker` starts no other in its place, and ends with exit code 0 after its last one; what started
        it (systemd, a container's restart policy) may start it again. False when there is no such server.
        """
        known = self.database.run(lambda tx: servers.ask_to_stop(tx, server_id))
        self.ringer.ring(set())
        return known

    def remove_server(self, server_id: str) -> bool:
        """Take away a server that has not been heard of for `dead_after_seconds`, and give its claims back.

        Workers do so by themselves; this is for an installation where none runs, and for rows that others left. False
        when there is no such server. Raises InvalidArgument for one that lives.
        """

        def work(tx: Tx) -> bool:
            known = next((one for one in servers.all_servers(tx) if one.id == server_id), None)
            if known is None:
                return False
            beat, now = known.last_heartbeat, tx.now()
            if beat is not None and (now - beat).total_seconds() < self.settings.dead_after_seconds:
                raise InvalidArgument(f"{server_id} lives: it was heard of at {beat:%Y-%m-%d %H:%M:%S} (UTC)")
            servers.bury(tx, server_id, started=None, unchanged=beat)
            return True

        return self.database.run(work)

    def examine(self) -> list[doctor.Finding]:
        """What a DBA would look at, and the cure of each finding; what `taskmanager doctor` tells.

        Raises SchemaError where the tables are not of this program.
        """
        legacy, kept = self.legacy_jobs, self.settings
        return [
            *doctor.examine(
                self.database, known=[one.name for one in self.registry], recurring=self.recurring_jobs.all,
                silent_after=kept.dead_after_seconds,
                wall_clock=legacy.wall_clock if legacy is not None else lambda: None,
                procedures=sql_api.Options(
                    prefix=kept.prefix, job_expiration_seconds=kept.job_expiration_seconds,
                    max_payload_bytes=kept.max_payload_bytes,
                ),
            ),
            *(
                doctor.Finding("bad", "modules", f"{module} cannot be imported: {text}", _MEND)
                for module, text in self.discovered.errors.items()
            ),
        ]  # fmt: skip

    def live_stack(self, job_id: int, *, seconds: float = 2.0) -> str | None:
        """Where a running job stands now, as its worker tells it; None when it does not within so many seconds.

        Of a coroutine it is the event loop's stack, of an isolated job that of the thread that waits for it.
        """
        self.database.run(lambda tx: stacks.ask(tx, job_id))
        self.ringer.ring(set())
        ends, found = time.monotonic() + seconds, None
        while found is None and time.monotonic() < ends:
            time.sleep(0.1)
            found = self.database.read(lambda tx: stacks.read(tx, job_id))
        self.database.run(lambda tx: stacks.forget(tx, job_id))
        return found

"""How many living servers look at the same things: together they see all as soon as one alone that looks more often."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from taskmanager.domain.records import ServerRecord

#: A look of one among many is at most so many times as far from its next one as that of a server alone.
_MOST = 3.0
#: Rows of c_Job have no doorbell: their looks stay closer together.
_MOST_ROWS = 2.0
#: A server has fallen silent when so many readings in a row show the same heartbeat.
_SILENT_READINGS = 2


class Company:
    """The servers that were seen alive, and by how much each may rest longer for it.

    One of n servers that look each T seconds at moments of their own sees what is new after T / (n + 1) on average, so
    with n servers T may grow with n by a quarter and all see it sooner than one alone would.
    queues: on which this server works. scheduler, rows: whether it fires delayed jobs, and rows of c_Job.
    """

    def __init__(self, server_id: str, queues: Collection[str], *, scheduler: bool, rows: bool) -> None:
        self._id, self._queues, self._scheduler, self._has_rows = server_id, tuple(queues), scheduler, rows
        self._beats: dict[str, tuple[datetime | None, int]] = {}
        self._glances = self._rows = 1

    @property
    def stretch(self) -> float:
        """How many times as long this server may rest between two looks for work; 1 when it is alone."""
        return min(_MOST, 1 + (self._glances - 1) / 4)

    @property
    def stretch_of_rows(self) -> float:
        """The same for looks at the rows of c_Job."""
        return min(_MOST_ROWS, 1 + (self._rows - 1) / 4)

    def heard(self, known: Iterable[ServerRecord]) -> None:
        """Take in the rows of all servers, which are read every few seconds.

        Only a heartbeat that changes before our eyes is a sign of life: a row may be that of a server that has died.
        """
        beats = {server.id: (server.last_heartbeat, self._silence(server)) for server in known if server.id != self._id}
        others = [s for s in known if s.id in beats and beats[s.id][1] < _SILENT_READINGS]
        self._beats = beats
        self._glances = 1 + min(
            [sum(queue in other.queues for other in others) for queue in self._queues]
            + ([sum(_told(other).get("scheduler") is True for other in others)] if self._scheduler else []),
            default=0,
        )
        self._rows = 1 + (sum(_told(other).get("rows") is True for other in others) if self._has_rows else 0)

    def _silence(self, server: ServerRecord) -> int:
        """In how many readings its heartbeat has not changed; one that is new has not been heard yet."""
        if server.id not in self._beats:
            return _SILENT_READINGS
        beat, silent = self._beats[server.id]
        return silent + 1 if server.last_heartbeat == beat else 0


def _told(server: ServerRecord) -> Mapping[str, Any]:
    told = server.data.get("taskmanager")
    return told if isinstance(told, Mapping) else {}

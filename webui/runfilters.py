"""Which runs of c_LoggedJob a page of the history is asked for: names, results, servers, people, texts, days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, request
from flask_babel import gettext as _

from taskmanager.storage import monitoring_logged
from taskmanager.storage.monitoring_logged import WantedRuns
from taskmanager.storage.transaction import Tx
from webui import access
from webui.blueprint import manager

FIELDS = ("job", "result", "server", "trigger", "q", "from", "to")
#: The last days that are looked at; all of them where none is chosen is a choice of its own.
PERIODS = {"7": 7, "30": 30, "all": None}
_USUAL = "7"
_RESULTS = {"ok": True, "failed": False}
_MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. texts: as it was written; period: of PERIODS, empty where days are named."""

    texts: dict[str, str]
    period: str
    since: datetime | None
    until: datetime | None
    wrong: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether more than the days is asked for, or days by name."""
        return any(self.texts.values())

    @property
    def fields(self) -> dict[str, Any]:
        """The same as parameters of an address."""
        given = {name: text for name, text in self.texts.items() if text}
        return given | ({"period": self.period} if self.period not in ("", _USUAL) else {})

    def wanted(self, name: str | None) -> WantedRuns:
        """The filter. name: of the job, as it is stored."""
        t = self.texts
        return WantedRuns(
            name, _RESULTS.get(t["result"]), self.since, self.until, server=t["server"], by=t["trigger"], text=t["q"]
        )


def asked() -> Asked:
    """What this request asks for. Refused is a look into texts by who may not see them."""
    texts = {name: request.args.get(name, "").strip()[:100] for name in FIELDS}
    if texts["q"] and not access.may("args.view"):
        abort(403, "args.view")
    wrong, since, until = _span(texts)
    if texts["from"] or texts["to"]:
        return Asked(texts, "", since, until, wrong)
    period = request.args.get("period", "")
    period = period if period in PERIODS else _USUAL
    days = PERIODS[period]
    return Asked(texts, period, None if days is None else manager().database.clock.now() - timedelta(days=days), None)


def known_name(tx: Tx, wanted: str) -> tuple[list[str], str | None]:
    """All names of jobs that have run, and one as it is stored, asked for in any case; also one behind those listed."""
    known = monitoring_logged.names(tx)
    if not wanted:
        return known, None
    same = [name for name in known if name.lower() == wanted.lower()]
    if same:
        return known, wanted if wanted in same else same[0]
    return known, wanted if len(known) >= _MOST_NAMES else None


def _span(texts: dict[str, str]) -> tuple[str, datetime | None, datetime | None]:
    """The days asked for, the last one whole; and what is wrong with them."""
    try:
        since, until = _moment(texts["from"]), _moment(texts["to"])
    except (ValueError, OverflowError):
        return _("A day is written as 2026-11-01."), None, None
    if until is not None and len(texts["to"]) == 10 and until.year < 9999:
        until += timedelta(days=1)
    return "", since, until


def _moment(text: str) -> datetime | None:
    """In UTC, without a zone."""
    moment = datetime.fromisoformat(text) if text else None
    return moment if moment is None or moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)

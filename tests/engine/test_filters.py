"""Filters around a job's life: each hook, their order, and that our own work is done by them."""

from __future__ import annotations

from typing import Any

import pytest

from taskmanager import Filter, InvalidArgument, TaskManager
from taskmanager.domain.states import Failed, Succeeded
from taskmanager.engine.alerts import Alerts
from taskmanager.engine.continuations import Continuations
from taskmanager.engine.history import LoggedJobs
from taskmanager.engine.legacy_served import ServedOutcome
from taskmanager.engine.retries import AutomaticRetry
from taskmanager.engine.statistics import StatisticsHistory
from taskmanager.storage import structures
from tests.conftest import history

pytestmark = pytest.mark.one_server


def greet(name: str) -> str:
    return f"hello {name}"


def test_retries_statistics_continuations_the_log_and_alerts_are_filters(tm: TaskManager) -> None:
    kinds = [type(one) for one in tm.filters.filters]
    for kind in (AutomaticRetry, StatisticsHistory, Continuations, LoggedJobs, Alerts, ServedOutcome):
        assert kinds.count(kind) == 1
    silent = TaskManager(tm.settings, database=tm.database, log_to_database=False, alerts_enabled=False)
    assert not {LoggedJobs, Alerts} & {type(one) for one in silent.filters.filters}


class Witness(Filter):
    """Notes each hook that is called, under its name."""

    def __init__(self, name: str, order: int, seen: list[str]) -> None:
        self.name, self.order, self.seen = name, order, seen

    def creating(self, context: Any) -> None:
        self.seen.append(f"{self.name} creating {context.definition.method} {context.state.name}")
        context.parameters["By"] = context.parameters.get("By", "") + self.name

    def created(self, context: Any, job_id: int) -> None:
        self.seen.append(f"{self.name} created {job_id}")

    def performing(self, context: Any) -> None:
        self.seen.append(f"{self.name} performing {context.claim.parameters['By']}")
        context.items[self.name] = 1
        context.args[0] += self.name

    def performed(self, context: Any) -> None:
        self.seen.append(f"{self.name} performed {context.result} {sorted(context.items)}")

    def elect(self, context: Any) -> None:
        self.seen.append(f"{self.name} elect {context.candidate.name}")

    def applied(self, context: Any, state: Any) -> None:
        self.seen.append(f"{self.name} applied {state.name}")


def test_every_hook_is_called_in_order_and_may_change_what_comes(tm: TaskManager, hands: Any) -> None:
    seen: list[str] = []
    for name, order in (("b", 7), ("a", 3)):
        tm.add_filter(Witness(name, order, seen))
    job_id = tm.job(greet).enqueue("x")
    assert seen == [
        "a creating greet Enqueued", "b creating greet Enqueued", f"a created {job_id}", f"b created {job_id}",
    ]  # fmt: skip
    seen.clear()
    hands().work()
    assert seen[:4] == [
        "a performing ab", "b performing ab", "b performed hello xab ['a', 'b']", "a performed hello xab ['a', 'b']",
    ]  # fmt: skip
    assert [one for one in seen if one.endswith("Succeeded")] == [
        "a elect Succeeded", "b elect Succeeded", "a applied Succeeded", "b applied Succeeded",
    ]  # fmt: skip
    assert tm.get(job_id).result == "hello xab"


class Mending(Filter):
    """Takes one error for a success, and turns a job away before its call."""

    order = 10

    def performing(self, context: Any) -> None:
        if context.args == ["unwanted"]:
            context.cancelled = "nobody wants it"

    def elect(self, context: Any) -> None:
        if isinstance(context.candidate, Failed) and isinstance(context.error, KeyError):
            context.elect(Succeeded(duration_ms=1, latency_ms=1, result='"mended"'))
            context.set_parameter("Mended", "1")


def raises(kind: str) -> None:
    raise {"key": KeyError, "value": ValueError}[kind](kind)


def test_a_filter_elects_another_state_or_skips_the_call_and_statistics_count_what_was_entered(
    tm: TaskManager, hands: Any
) -> None:
    tm.add_filter(Mending())
    job = tm.job(retries=0)(raises)
    mended, failed, unwanted = job.enqueue("key"), job.enqueue("value"), tm.job(greet).enqueue("unwanted")
    hands().work()
    assert history(tm, mended) == ["Enqueued", "Processing", "Failed", "Succeeded"], "the candidate is kept"
    assert (tm.get(mended).result, tm.get(mended).parameters["Mended"]) == ("mended", "1")
    assert tm.get(failed).state == "Failed"
    assert (tm.get(unwanted).state, tm.get(unwanted).history[-1].reason) == ("Deleted", "Cancelled: nobody wants it")
    counts = tm.database.run(lambda tx: structures.counts_of(tx, ["stats:succeeded", "stats:deleted"]))
    assert counts == {"stats:succeeded": 1, "stats:deleted": 1}


@pytest.mark.parametrize("one", [5, None, Mending])
def test_what_is_no_filter_is_refused(tm: TaskManager, one: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"a filter is an instance of a class derived from taskmanager\.Filter"):
        tm.add_filter(one)

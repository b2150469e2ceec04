"""A bulk operation before it starts, for pages and API alike: whether it can be, what it means, and the start.

Of jobs it means all that match while it goes; of recurring jobs those that match when it is started.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from taskmanager.domain.arguments import meets
from taskmanager.domain.errors import InvalidArgument
from taskmanager.engine import operations, recurring_operations
from taskmanager.engine.client import new_key
from taskmanager.engine.recurring_operations import Wish
from taskmanager.storage import monitoring_lists
from taskmanager.storage.monitoring_lists import Page, Row
from taskmanager.storage.transaction import Tx
from webui import access, filtering, jobviews, recurrings, shell
from webui.blueprint import manager, read
from webui.filtering import Parsed

#: What may be done with jobs of a state: address, label of the button, permission.
ACTIONS: dict[str, tuple[str, ...]] = {
    "scheduled": ("enqueue", "delete"), "processing": ("requeue", "delete"), "succeeded": ("requeue",),
    "failed": ("requeue", "delete"), "deleted": ("requeue",), "awaiting": ("enqueue", "delete"),
    "enqueued": ("requeue", "delete"),
}  # fmt: skip
#: More than this, and the number has to be typed.
MANY = 1000
_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody wants to be done. state: by its address, such as `failed`; spread: of requeued jobs, in seconds."""

    state: str
    action: str
    filter: Parsed
    spread: int = 0

    @property
    def state_name(self) -> str:
        """As the jobs have it."""
        return shell.STATES[self.state][0]


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan and its jobs: `count` is at most 10,001, of a search among the newest jobs, each time as many of them:
    who types the number is asked for the same one again.
    """

    plan: Plan
    count: int
    samples: tuple[Row, ...]

    @property
    def number(self) -> int:
        """The number that is to be typed."""
        return min(self.count, monitoring_lists.CAP)

    @property
    def is_many(self) -> bool:
        """Whether it has to be typed at all."""
        return self.count > MANY


class NotPossible(Exception):
    """An operation that cannot be asked for. field: `action` or `q`; `permission`: the one that is missing."""

    def __init__(self, text: str, *, field: str = "", permission: str = "") -> None:
        super().__init__(text)
        self.field, self.permission = field, permission


def plan(state: str, action: str, q: str, spread: int = 0) -> Plan:
    """What is asked for. Raises NotPossible."""
    allowed = ["requeue" if one == "enqueue" else one for one in ACTIONS.get(state, ())]
    if action not in allowed:
        raise NotPossible("", field="action")
    if not 0 <= spread <= operations.MOST_SPREAD or (spread and action != "requeue"):
        raise NotPossible("", field="spreadSeconds")
    if not access.may(f"jobs.{action}"):
        raise NotPossible(f"jobs.{action}", permission=f"jobs.{action}")
    parsed = filtering.asked(q, (shell.STATES[state][0],))
    if parsed.hidden:
        raise NotPossible(parsed.error, permission="args.view")
    if parsed.error or parsed.wanted.states != (shell.STATES[state][0],):
        raise NotPossible(parsed.error, field="q")
    return Plan(state, action, parsed, spread)


def ask(wanted: Plan) -> Asked:
    """How many jobs a plan means, and three of them."""

    def work(tx: Tx) -> Page:
        return monitoring_lists.counted(tx, wanted.filter.wanted, limit=_SAMPLES, is_fixed=True)

    page = read(work)
    samples = page.rows
    if wanted.filter.names:
        samples = tuple(row for row in samples if meets(wanted.filter.names, jobviews.arguments_of(row)))
    return Asked(wanted, page.count or 0, samples)


def move(queue: str, target: str, key: str | None = None, *, door: str = "dashboard") -> int:
    """Move all that wait in a queue to another one; the operation's job's id. Raises NotPossible."""
    if not access.may("jobs.requeue"):
        raise NotPossible("jobs.requeue", permission="jobs.requeue")
    if target == queue:
        raise NotPossible(_("The jobs are in that queue already."), field="target")
    parsed = filtering.asked(f"queue:{filtering.quoted(queue)}", ("Enqueued",))
    if parsed.error:
        raise NotPossible(parsed.error, field="queue")
    access.about("queue", queue, after={"action": "move", "target": target})
    try:
        return manager().operations.start(
            "move", parsed.wanted, parsed.text, access.actor(door), key or new_key(), target=target
        )
    except InvalidArgument as error:
        raise NotPossible(str(error), field="target") from error


def start(wanted: Plan, key: str | None = None, *, door: str = "dashboard") -> int:
    """Start it; its job's id. key: the same one again is the same operation. door: for the audit log."""
    action, name, parsed = wanted.action, wanted.state_name, wanted.filter
    after = {"action": action, "state": name, "filter": parsed.text} | (
        {"spread": wanted.spread} if wanted.spread else {}
    )
    access.about("operation", f"{action} {name}", after=after)
    return manager().operations.start(
        action, parsed.wanted, parsed.text, access.actor(door), key or new_key(), names=parsed.names,
        spread=wanted.spread,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecurringPlan:
    """What somebody wants to be done with recurring jobs. state: active, paused or error; all when empty."""

    wish: Wish
    state: str
    q: str


@dataclass(frozen=True, slots=True)
class RecurringAsked:
    """Such a plan, and the ids of those that match now."""

    plan: RecurringPlan
    ids: tuple[str, ...]

    @property
    def number(self) -> int:
        """The number that is to be typed."""
        return len(self.ids)

    @property
    def is_many(self) -> bool:
        """Whether it has to be typed at all."""
        return len(self.ids) > MANY

    @property
    def samples(self) -> tuple[str, ...]:
        """Three of them."""
        return self.ids[:_SAMPLES]


def plan_recurring(wish: Wish, state: str, q: str) -> RecurringPlan:
    """What is asked for. Raises NotPossible."""
    if wish.action not in recurring_operations.ACTIONS:
        raise NotPossible("", field="action")
    needed = f"recurring.{'pause' if wish.action == 'resume' else wish.action}"
    if not access.may(needed):
        raise NotPossible(needed, permission=needed)
    if state and state not in recurrings.STATES:
        raise NotPossible("", field="state")
    try:
        wish.check()
    except InvalidArgument as error:
        raise NotPossible(str(error), field="note") from error
    return RecurringPlan(wish, state, q.strip())


def ask_recurring(wanted: RecurringPlan) -> RecurringAsked:
    """Which recurring jobs a plan means."""
    found = recurrings.find(wanted.q, wanted.state)
    return RecurringAsked(wanted, tuple(one.id for one in found.matching))


def start_recurring(asked: RecurringAsked, key: str | None = None, *, door: str = "dashboard") -> int:
    """Start it; its job's id. key, door: as of `start`. Raises NotPossible for a pause whose end is over."""
    plan = asked.plan
    told = {"kind": "recurring", "action": plan.wish.action, "state": plan.state, "filter": plan.q}
    access.about("operation", f"{plan.wish.action} recurring jobs", after=told | {"count": asked.number})
    try:
        return manager().operations.start_recurring(
            plan.wish, asked.ids, state=plan.state, text=plan.q, actor=access.actor(door), key=key or new_key()
        )
    except InvalidArgument as error:
        raise NotPossible(str(error), field="until") from error

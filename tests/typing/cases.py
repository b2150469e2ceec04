"""What a type checker says to users: each ignored line is an error, and an ignore too many is one as well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from taskmanager import Inject, Job, JobContext, JobFunction, TaskManager, job

tm = TaskManager()


@job
def plain(to: str, *, subject: str = "") -> int:
    return len(to) + len(subject)


@tm.job(queue="mail")
def with_options(to: str) -> None: ...


@job
def with_context(ctx: JobContext, n: int) -> None: ...


@tm.job
async def later(n: int) -> str:
    return str(n)


@job
def four(a: int, b: str, c: float, d: int) -> None: ...


@job("0 2 * * *")
class Nightly(Job):
    def execute(self, ctx: JobContext) -> None: ...


@job
class Weekly(Job):
    async def execute(self, ctx: JobContext, week: int, *, title: str = "") -> None: ...


def typed_calls() -> None:
    result: int = plain("a", subject="b")
    plain.enqueue("a", subject="b")
    plain.enqueue(1)  # type: ignore[call-overload]
    plain.enqueue("a", subjekt="b")  # type: ignore[call-overload]
    plain.enqueue()  # type: ignore[call-overload]
    with_options.enqueue("a")
    with_options.enqueue(to=1)  # type: ignore[call-overload]
    with_context.enqueue(1)
    with_context.enqueue("1")  # type: ignore[call-overload]
    later.enqueue(1)
    later.enqueue("1")  # type: ignore[call-overload]
    plain.options(delay=60).enqueue("a")
    plain.options(delay=60).enqueue(1)  # type: ignore[arg-type]
    plain.continue_after(1, "a")
    plain.continue_after(1, 2)  # type: ignore[call-overload]
    plain.continue_after(1, "a", on="any")
    plain.continue_after(1, 2, on="any")  # type: ignore[call-overload]
    plain.continue_after(1, "a", on="all")  # type: ignore[call-overload]
    print(result)


def typed_later() -> None:
    plain.schedule("a", delay=60)
    plain.schedule("a", subject="b", at=datetime(2036, 1, 1))
    plain.schedule(to="a", delay=timedelta(hours=1))
    plain.schedule(1, delay=60)  # type: ignore[call-overload]
    plain.schedule("a", "b", delay=60)  # type: ignore[call-overload]
    plain.schedule("a", delay="60")  # type: ignore[call-overload]
    with_context.schedule(1, delay=60)
    with_context.schedule("1", delay=60)  # type: ignore[call-overload]
    four.schedule(1, "2", 3.0, 4, delay=60)
    four.schedule(1, 2, 3.0, 4, delay=60)  # type: ignore[call-overload]
    four.schedule(1, "2", None, 4, delay=60)  # type: ignore[call-overload]
    four.options(delay=60).enqueue(1, "2", c=3.0, d=4)
    four.options(delay=60).enqueue(1, "2", 3.0, "4")  # type: ignore[arg-type]
    four.options(delay=60).enqueue(1, "2", 3.0, d="4")  # type: ignore[arg-type]
    plain.options(dealy=60).enqueue("a")  # type: ignore[call-arg]
    plain.options(delay="60").enqueue("a")  # type: ignore[arg-type]


def typed_in_a_session(session: object) -> None:
    plain.enqueue("a", session=session)
    plain.enqueue("a", subject="b", session=session, queue="mail")
    plain.enqueue(1, session=session)  # type: ignore[call-overload]
    Weekly.enqueue(1, session=session)
    Weekly.enqueue("1", session=session)  # type: ignore[call-overload]


def typed_classes() -> None:
    Nightly.enqueue()
    Nightly.enqueue(1)  # type: ignore[call-overload]
    Nightly.schedule(delay=60)
    Nightly.enqueue(session=None)
    Weekly.enqueue(1, title="a")
    Weekly.enqueue("1")  # type: ignore[call-overload]
    Weekly.enqueue(1, titel="a")  # type: ignore[call-overload]
    Weekly.schedule(1, delay=60)
    Weekly.schedule("1", delay=60)  # type: ignore[call-overload]
    Weekly.continue_after(1, 2)
    Weekly.continue_after(1, "2")  # type: ignore[call-overload]
    Weekly.continue_after(1, 2, on="any")
    Weekly.continue_after(1, "2", on="any")  # type: ignore[call-overload]
    Weekly.options(queue="mail").enqueue(1)
    Weekly.options(queue="mail").enqueue("1")  # type: ignore[arg-type]


def injected(mailer: Annotated[int, Inject], to: str) -> None: ...


handle: JobFunction[[str], None] = with_options

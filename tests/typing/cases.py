"""What a type checker says to users: each ignored line is an error, and an ignore too many is one as well."""

from __future__ import annotations

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


@job("0 2 * * *")
class Nightly(Job):
    def execute(self, ctx: JobContext) -> None: ...


def typed_calls() -> None:
    result: int = plain("a", subject="b")
    plain.enqueue("a", subject="b")
    plain.enqueue(1)  # type: ignore[arg-type]
    plain.enqueue("a", subjekt="b")  # type: ignore[call-arg]
    plain.enqueue()  # type: ignore[call-arg]
    with_options.enqueue("a")
    with_options.enqueue(to=1)  # type: ignore[arg-type]
    with_context.enqueue(1)
    with_context.enqueue("1")  # type: ignore[arg-type]
    later.enqueue(1)
    later.enqueue("1")  # type: ignore[arg-type]
    plain.options(delay=60).enqueue("a")
    plain.options(delay=60).enqueue(1)  # type: ignore[arg-type]
    plain.continue_after(1, "a")
    plain.continue_after(1, 2)  # type: ignore[call-overload]
    plain.continue_after(1, "a", on="any")
    Nightly.enqueue()
    print(result)


def injected(mailer: Annotated[int, Inject], to: str) -> None: ...


handle: JobFunction[[str], None] = with_options

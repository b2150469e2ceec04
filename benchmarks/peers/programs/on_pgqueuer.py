"""PgQueuer on PostgreSQL with asyncpg and uvloop: batches of 100, woken by LISTEN."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from stamping import main, stamp, versions

_URL = os.environ["BENCH_POSTGRESQL_URL"].replace("+psycopg", "")
_loop = uvloop.new_event_loop()
asyncio.set_event_loop(_loop)
_open: list[Queries] = []


def _do(action: Callable[[Queries], Awaitable[object]]) -> None:
    async def run() -> None:
        if not _open:
            _open.append(Queries.from_asyncpg_connection(await asyncpg.connect(_URL)))
        await action(_open[0])

    _loop.run_until_complete(run())


async def _clear(queries: Queries) -> None:
    await queries.driver.execute("DROP SCHEMA public CASCADE")
    await queries.driver.execute("CREATE SCHEMA public")


async def _prepare(queries: Queries) -> None:
    await _clear(queries)
    await queries.install()


def prepare() -> None:
    _do(_prepare)
    versions("pgqueuer", "asyncpg", "uvloop")


def enqueue(number: int) -> None:
    _do(lambda queries: queries.enqueue("noop", b"%d" % number))


def many(numbers: range) -> None:
    for start in range(numbers.start, numbers.stop, 1000):
        payloads = [b"%d" % number for number in range(start, min(start + 1000, numbers.stop))]
        names, priorities = ["noop"] * len(payloads), [0] * len(payloads)
        _do(lambda queries, all_=(names, payloads, priorities): queries.enqueue(*all_))  # type: ignore[misc]


async def _work() -> None:
    pgq = PgQueuer.from_asyncpg_connection(await asyncpg.connect(_URL))

    @pgq.entrypoint("noop")
    async def noop(job: Job) -> None:
        stamp(int(job.payload or b"0"))

    await pgq.run(batch_size=100)


if __name__ == "__main__":
    main(
        prepare=prepare, enqueue=enqueue, many=many, clear=lambda: _do(_clear),
        work=lambda: _loop.run_until_complete(_work()),
    )  # fmt: skip

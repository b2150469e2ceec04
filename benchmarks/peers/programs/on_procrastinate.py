"""Procrastinate on PostgreSQL: asynchronous tasks, woken by LISTEN, 20 at a time."""

import asyncio
import os
from functools import cache

import psycopg
from procrastinate import App, PsycopgConnector
from stamping import main, stamp, versions

_URL = os.environ["BENCH_POSTGRESQL_URL"].replace("+psycopg", "")
app = App(connector=PsycopgConnector(conninfo=_URL))


@app.task(name="noop")
async def noop(number: int) -> None:
    stamp(number)


def clear() -> None:
    with psycopg.connect(_URL, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def prepare() -> None:
    clear()
    with app.open():
        app.schema_manager.apply_schema()
    versions("procrastinate", "psycopg")


def enqueue(number: int) -> None:
    _opened()
    noop.defer(number=number)


def many(numbers: range) -> None:
    _opened()
    for start in range(numbers.start, numbers.stop, 1000):
        each = range(start, min(start + 1000, numbers.stop))
        noop.batch_defer(*({"number": number} for number in each))


@cache
def _opened() -> App:
    return app.open()


def work() -> None:
    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(concurrency=20)

    asyncio.run(run())


if __name__ == "__main__":
    # The task belongs to the module that its app is in, and that must not be __main__.
    import on_procrastinate as program

    main(
        prepare=program.prepare,
        enqueue=program.enqueue,
        many=program.many,
        clear=program.clear,
        work=program.work,
    )
    program.app.close()

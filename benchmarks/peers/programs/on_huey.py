"""Huey on Redis: its own defaults, worker processes that wait in BLPOP."""

import os

from huey import RedisHuey
from stamping import main, stamp, versions

huey = RedisHuey("bench", url=os.environ["BENCH_REDIS_URL"])


@huey.task()
def noop(number: int) -> None:
    stamp(number)


def clear() -> None:
    huey.storage.conn.flushdb()


def prepare() -> None:
    clear()
    versions("huey", "redis")


def many(numbers: range) -> None:
    for number in numbers:
        noop(number)


if __name__ == "__main__":
    # The consumer knows the task by its module, so what is enqueued must not be __main__'s.
    import on_huey

    main(prepare=on_huey.prepare, enqueue=lambda number: on_huey.noop(number), many=on_huey.many, clear=on_huey.clear)

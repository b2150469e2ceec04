"""Dramatiq on Redis: its own defaults, 8 threads a process."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from stamping import main, stamp, versions

broker = RedisBroker(url=os.environ["BENCH_REDIS_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor
def noop(number: int) -> None:
    stamp(number)


def clear() -> None:
    broker.client.flushdb()


def prepare() -> None:
    clear()
    versions("dramatiq", "redis")


def many(numbers: range) -> None:
    for number in numbers:
        noop.send(number)


if __name__ == "__main__":
    main(prepare=prepare, enqueue=lambda number: noop.send(number), many=many, clear=clear)

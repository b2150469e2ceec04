"""RQ: its own defaults, a child process for each job."""

import os

from redis import Redis
from rq import Queue
from stamping import main, stamp, versions

noop = stamp


def prepare() -> None:
    redis.flushdb()
    versions("rq", "redis")


def many(numbers: range) -> None:
    for start in range(numbers.start, numbers.stop, 500):
        each = range(start, min(start + 500, numbers.stop))
        queue.enqueue_many([Queue.prepare_data("on_rq.noop", (number,)) for number in each])


if __name__ == "__main__":
    redis = Redis.from_url(os.environ["BENCH_REDIS_URL"])
    queue = Queue("bench", connection=redis)
    main(prepare=prepare, enqueue=lambda number: queue.enqueue("on_rq.noop", number), many=many, clear=redis.flushdb)

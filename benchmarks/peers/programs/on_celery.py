"""Celery: on Redis without results, or on RabbitMQ with its results in MySQL or MariaDB, by the addresses given."""

import os

from celery import Celery
from stamping import main, stamp, versions

_MYSQL = os.environ.get("BENCH_MYSQL_URL")

app = Celery(
    "on_celery", broker=os.environ.get("BENCH_AMQP_URL") or os.environ["BENCH_REDIS_URL"],
    backend=f"db+{_MYSQL}" if _MYSQL else None,
)  # fmt: skip
app.conf.update(
    task_default_queue="taskmanager_bench",
    task_ignore_result=_MYSQL is None,
    # The guide to optimizing asks for a large multiplier where tasks are many and short.
    worker_prefetch_multiplier=128,
    broker_connection_retry_on_startup=True,
)


@app.task(name="noop")
def noop(number: int) -> None:
    stamp(number)


def clear() -> None:
    with app.connection_for_write() as connection:
        app.amqp.queues["taskmanager_bench"].bind(connection).declare()
        app.amqp.queues["taskmanager_bench"].bind(connection).delete()
    if _MYSQL:
        with app.backend.ResultSession() as session:
            session.query(app.backend.task_cls).delete()
            session.commit()


def prepare() -> None:
    clear()
    versions("celery", "kombu", "redis", "amqp", "SQLAlchemy", "PyMySQL")


def many(numbers: range) -> None:
    for number in numbers:
        noop.delay(number)


if __name__ == "__main__":
    main(prepare=prepare, enqueue=lambda number: noop.delay(number), many=many, clear=clear)

"""Ours: 20 threads a process, the doorbell on, full history as always."""

import os

from stamping import main, stamp, versions

from taskmanager import TaskManager, job
from taskmanager.server.supervisor import StopSignal


@job
def noop(number: int) -> None:
    stamp(number)


def _url() -> str:
    names = ("BENCH_OURS_URL", "BENCH_SQLITE_URL", "BENCH_MYSQL_URL", "BENCH_POSTGRESQL_URL")
    return next(os.environ[name] for name in names if name in os.environ)


def _tm() -> TaskManager:
    return TaskManager(database_url=_url(), discover="on_taskmanager")


def prepare() -> None:
    database = tm.database
    database.tables.metadata.drop_all(database.engine)
    database.create_tables()
    versions("taskmanager", "SQLAlchemy", "PyMySQL", "mysqlclient", "psycopg")


def many(numbers: range) -> None:
    tm.enqueue_many(noop, [(number,) for number in numbers], batch=1000)


def clear() -> None:
    tm.database.tables.metadata.drop_all(tm.database.engine)


def work() -> None:
    signals = StopSignal().install()
    tm.discover()
    server = tm.server()
    server.start()
    signals.stop.wait()
    server.stop()


if __name__ == "__main__":
    # The worker finds the job by its module's name, so this is that module and not __main__.
    import on_taskmanager

    tm = on_taskmanager.tm = _tm()  # type: ignore[attr-defined]
    main(
        prepare=on_taskmanager.prepare, enqueue=lambda number: tm.enqueue(on_taskmanager.noop, number),
        many=on_taskmanager.many, clear=on_taskmanager.clear, work=on_taskmanager.work,
    )  # fmt: skip
    tm.close()

"""Which systems are measured, and in which settings: those that their own guides recommend for many short jobs."""

from __future__ import annotations

from benchmarks.peers.peer import BIN, PROCESSES, PYTHON, Peer

_DJANGO = {"DJANGO_SETTINGS_MODULE": "django_settings"}
_MANAGE = (PYTHON, "-m", "django")
_OURS = "all: arguments, three states with their times, the row of history, counters; fsync for each batch"
_OURS_EMBEDDED = "the same, in a file; fsync at checkpoints (WAL, synchronous NORMAL)"
_OURS_SETTINGS = "20 threads a process, doorbell on"

PEERS = (
    Peer("ours-mysql", "on_taskmanager.py", ("mysql",), _OURS, _OURS_SETTINGS, ours=True),
    Peer("ours-postgresql", "on_taskmanager.py", ("postgresql",), _OURS, _OURS_SETTINGS, ours=True),
    Peer("ours-sqlite", "on_taskmanager.py", ("sqlite",), _OURS_EMBEDDED, _OURS_SETTINGS, ours=True),
    Peer(
        "celery-redis", "on_celery.py", ("redis",), "nothing of a job that has ended; the queue as Redis keeps it",
        "prefork, results ignored, prefetch 128 a process, no gossip, no mingle",
        (PYTHON, "-m", "celery", "-A", "on_celery", "worker", "-c", PROCESSES, "-l", "WARNING",
         "--without-gossip", "--without-mingle"),
        ("celery[redis]",), together=True,
    ),
    Peer(
        "celery-rabbitmq-mysql", "on_celery.py", ("amqp", "mysql"),
        "a row with state and result; messages persistent, sent without confirmation",
        "prefork, prefetch 128 a process, no gossip, no mingle, results by SQLAlchemy and PyMySQL",
        (PYTHON, "-m", "celery", "-A", "on_celery", "worker", "-c", PROCESSES, "-l", "WARNING",
         "--without-gossip", "--without-mingle"),
        ("celery", "SQLAlchemy", "PyMySQL"), together=True,
    ),
    Peer(
        "dramatiq-redis", "on_dramatiq.py", ("redis",), "nothing of a job that has ended; the queue as Redis keeps it",
        "8 threads a process",
        (PYTHON, "-m", "dramatiq", "on_dramatiq", "--processes", PROCESSES, "--threads", "8"),
        ("dramatiq[redis]",), together=True,
    ),
    Peer(
        "rq", "on_rq.py", ("redis",), "the job and its result for 500 s, as Redis keeps it", "a child for each job",
        (BIN + "/rq", "worker", "-q", "-u", "{BENCH_REDIS_URL}", "bench"), ("rq",),
    ),
    Peer(
        "huey-redis", "on_huey.py", ("redis",), "nothing; a job is gone from Redis when it starts",
        "worker processes, no periodic tasks",
        (PYTHON, "-m", "huey.bin.huey_consumer", "on_huey.huey", "-k", "process", "-w", PROCESSES, "-n", "-q"),
        ("huey", "redis"), together=True,
    ),
    Peer(
        "procrastinate", "on_procrastinate.py", ("postgresql",), "the job's row, and a row for each of its events",
        "asynchronous tasks, 20 at a time, LISTEN", packages=("procrastinate",),
    ),
    Peer(
        "pgqueuer", "on_pgqueuer.py", ("postgresql",), "a row of log for each of its states",
        "asyncpg, uvloop, batches of 100, LISTEN", packages=("pgqueuer[asyncpg]", "uvloop"),
    ),
    Peer(
        "django-tasks", "on_django_tasks.py", ("mysql",), "the job's row with state and result",
        "a look each 0.1 s (its default is 1 s)",
        (*_MANAGE, "db_worker", "--interval", "0.1", "--no-startup-delay", "--no-reload"),
        ("django-tasks", "django-tasks-db", "PyMySQL"), wished=("mysqlclient",),
        environment=_DJANGO | {"BENCH_DJANGO_APPS": "django_tasks,django_tasks_db"},
    ),
    Peer(
        "django-q2", "on_django_q2.py", ("mysql",), "a row with arguments and result",
        "ORM broker, 10 messages a look, a look each 0.2 s, all successes kept", (*_MANAGE, "qcluster"),
        ("django-q2", "PyMySQL"), together=True, wished=("mysqlclient",),
        environment=_DJANGO | {"BENCH_DJANGO_APPS": "django.contrib.contenttypes,django.contrib.auth,django_q"},
    ),
    Peer(
        "graphile-worker", "on_graphile.mjs", ("postgresql",), "nothing; the row is deleted",
        "24 jobs at a time, local queue of 500, completions in batches", packages=("graphile-worker", "pg"), node=True,
    ),
    Peer(
        "pg-boss", "on_pgboss.mjs", ("postgresql",), "the job's row, archived later",
        "batches of 1,000, a look each 0.5 s", packages=("pg-boss", "pg"), node=True,
    ),
)  # fmt: skip

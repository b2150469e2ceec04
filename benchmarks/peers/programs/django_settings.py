"""What django-tasks and django-q2 share: one MySQL or MariaDB database, and the driver that is there."""

import os
from urllib.parse import urlsplit

try:
    import MySQLdb  # noqa: F401
except ImportError:
    import pymysql

    pymysql.install_as_MySQLdb()

_parts = urlsplit(os.environ["BENCH_MYSQL_URL"])
SECRET_KEY = "only for measuring"
USE_TZ = True
DEBUG = False
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql", "NAME": _parts.path.lstrip("/"), "HOST": _parts.hostname,
        "PORT": _parts.port or 3306, "USER": _parts.username, "PASSWORD": _parts.password or "",
        "CONN_MAX_AGE": None, "OPTIONS": {"charset": "utf8mb4"},
    }
}  # fmt: skip
INSTALLED_APPS = os.environ["BENCH_DJANGO_APPS"].split(",")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
Q_CLUSTER = {
    "name": "bench", "orm": "default", "workers": int(os.environ.get("BENCH_PROCESSES", "1")), "timeout": 60,
    # Ten messages a look, and no limit of kept successes: the quickest that its guide offers with full history.
    "retry": 120, "bulk": 10, "save_limit": 0, "queue_limit": 500,
}  # fmt: skip
LOGGING = {"version": 1, "disable_existing_loggers": True, "root": {"level": "WARNING"}}

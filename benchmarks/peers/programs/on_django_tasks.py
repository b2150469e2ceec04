"""django-tasks with its database backend."""

import django
from django.core.management import call_command
from stamping import main, versions

django.setup()

from django_noop import noop  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402


def prepare() -> None:
    call_command("migrate", verbosity=0)
    DBTaskResult.objects.all().delete()
    versions("django-tasks", "django-tasks-db", "Django", "mysqlclient", "PyMySQL")


def many(numbers: range) -> None:
    for number in numbers:
        noop.enqueue(number)


if __name__ == "__main__":
    main(
        prepare=prepare, enqueue=lambda number: noop.enqueue(number), many=many,
        clear=lambda: DBTaskResult.objects.all().delete(),
    )  # fmt: skip

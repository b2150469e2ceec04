"""django-q2 with its ORM broker."""

import django
from django.core.management import call_command
from stamping import main, versions

django.setup()

from django_q.models import OrmQ, Success  # noqa: E402
from django_q.tasks import async_task  # noqa: E402


def clear() -> None:
    OrmQ.objects.all().delete()
    Success.objects.all().delete()


def prepare() -> None:
    call_command("migrate", verbosity=0)
    clear()
    versions("django-q2", "Django", "mysqlclient", "PyMySQL")


def many(numbers: range) -> None:
    for number in numbers:
        async_task("stamping.stamp", number)


if __name__ == "__main__":
    main(prepare=prepare, enqueue=lambda number: async_task("stamping.stamp", number), many=many, clear=clear)

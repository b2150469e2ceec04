"""The job of django-tasks, in a module of its own: it can only be defined when Django is set up."""

from django_tasks import task
from stamping import stamp


@task()
def noop(number: int) -> None:
    stamp(number)

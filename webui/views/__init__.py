"""The pages, one a file; importing them puts them on the blueprint."""

from webui.views import (
    actions,
    audit,
    details,
    failures,
    history,
    lists,
    newjob,
    operations,
    overview,
    preferences,
    queues,
    recurring,
    retries,
    search,
    servers,
    stats,
)

ALL = (
    actions,
    audit,
    details,
    failures,
    history,
    lists,
    newjob,
    operations,
    overview,
    preferences,
    queues,
    recurring,
    retries,
    search,
    servers,
    stats,
)

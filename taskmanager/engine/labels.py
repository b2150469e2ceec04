"""What a new job is found by: the tags of its function and of its enqueue, and the arguments it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskmanager.domain import tags
from taskmanager.engine.effects import Effects
from taskmanager.engine.registry import JobDefinition
from taskmanager.storage import job_tags


def write(
    effects: Effects, job_id: int, definition: JobDefinition | None, arguments: Sequence[Any],
    parameters: Mapping[str, str],
) -> None:  # fmt: skip
    """Collect the rows of a job; none, and no statement, where it has neither tags nor search keys.

    arguments: as they are stored, by position.
    """
    own = definition.tags if definition is not None else ()
    if own or tags.PARAMETER in parameters:
        found = {one.lower(): one for one in (*own, *tags.of_parameter(parameters.get(tags.PARAMETER)))}
        effects.parameter(job_id, tags.PARAMETER, tags.to_parameter(list(found.values())))
        for one in found:
            effects.later(job_tags.add, (job_id, *tags.indexed_tag(one)))
    if definition is not None and definition.search:
        _keys(effects, job_id, definition, arguments)


def _keys(effects: Effects, job_id: int, definition: JobDefinition, arguments: Sequence[Any]) -> None:
    for parameter, item in zip(definition.signature.parameters, arguments, strict=False):
        if parameter.name in definition.search and item is not None:
            row = tags.indexed_argument(parameter.name, tags.loaded(item))
            if row is not None:
                effects.later(job_tags.add, (job_id, *row))

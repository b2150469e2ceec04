"""Where a running job stands: asked for through set `stacks-wanted`, answered in hash `stack:{job id}`."""

from __future__ import annotations

from collections.abc import Mapping

from taskmanager.domain.texts import wholes
from taskmanager.storage import structures
from taskmanager.storage.transaction import Tx

WANTED, ANSWER = "stacks-wanted", "stack:"


def ask(tx: Tx, job_id: int) -> None:
    """Ask whoever runs a job where it stands; an answer of before is forgotten."""
    structures.remove_hash(tx, ANSWER + str(job_id))
    structures.put(tx, WANTED, {str(job_id): 0})


def wanted(tx: Tx) -> set[int]:
    """The jobs that somebody asks about."""
    return set(wholes(structures.members(tx, WANTED)))


def answer(tx: Tx, texts: Mapping[int, str]) -> None:
    """Tell where jobs stand."""
    for job_id in sorted(texts):
        structures.set_fields(tx, ANSWER + str(job_id), {"Text": texts[job_id]})
    structures.remove(tx, WANTED, [str(job_id) for job_id in sorted(texts)])


def read(tx: Tx, job_id: int) -> str | None:
    """The answer; None while there is none."""
    return structures.fields(tx, ANSWER + str(job_id)).get("Text")


def forget(tx: Tx, job_id: int) -> None:
    """Take question and answer away."""
    structures.remove(tx, WANTED, [str(job_id)])
    structures.remove_hash(tx, ANSWER + str(job_id))

"""What is written beside a unit of work, in its very transaction, or not at all: the audit log's rows for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from taskmanager.storage.transaction import Tx

#: What also happens in every writing transaction of this thread or task: it gets the transaction and its result.
Companion = Callable[[Tx, Any], None]
_companion: ContextVar[Companion | None] = ContextVar("taskmanager_companion", default=None)


@contextmanager
def accompanied(companion: Companion | None, *, beside: bool = False) -> Iterator[None]:
    """Let something be written in every transaction that this thread or task runs meanwhile, or not at all.

    It is called after the work and before the COMMIT, and again when the unit is run again. Not called for
    `read`, nor for the caller's own transactions. beside: after what is written there already, not instead.
    """
    outer = _companion.get() if beside else None
    token = _companion.set(companion if outer is None or companion is None else _both(outer, companion))
    try:
        yield
    finally:
        _companion.reset(token)


def accompany(tx: Tx, result: Any) -> None:
    """Let the companion of this thread or task, if it has one, write what belongs to this transaction."""
    companion = _companion.get()
    if companion is not None:
        companion(tx, result)


def _both(first: Companion, second: Companion) -> Companion:
    def one_after_the_other(tx: Tx, result: Any) -> None:
        first(tx, result)
        second(tx, result)

    return one_after_the_other

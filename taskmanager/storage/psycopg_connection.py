"""Connecting by psycopg: statements of a transaction travel together, by the pipeline of PostgreSQL's protocol."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

import psycopg

#: So many statements wait at most.
_MOST_WAITING = 100


class Cursor(psycopg.Cursor[Any]):
    """What waits goes before each statement; BEGIN goes with the first that has parameters.

    A script of several statements, which has none, is not for a pipeline.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        """As psycopg's; the error of a statement that waited comes from here."""
        connection: Connection = self.connection  # type: ignore[assignment]
        if not connection.has_company(params):
            return super().execute(query, params, **options)
        with connection.pipeline():
            connection.send_waiting()
            super().execute(query, params, **options)
        return self

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        """As psycopg's; the error of a statement that waited comes from here."""
        connection: Connection = self.connection  # type: ignore[assignment]
        with connection.pipeline() if connection.has_company(params_seq) else nullcontext():
            connection.send_waiting()
            super().executemany(query, params_seq, returning=returning)


class Connection(psycopg.Connection[Any]):
    """psycopg's connection that keeps statements until another one is sent, or COMMIT."""

    #: Whether statements may wait here.
    takes_several = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_factory = Cursor
        #: Statements that travel with the next one, or with COMMIT.
        self._waiting: list[tuple[str, Any]] = []

    def has_company(self, parameters: Any) -> bool:
        """Whether a statement with these parameters does not travel alone: others wait, or it begins a transaction."""
        if self._pipeline is not None:
            return False
        begins = not self.autocommit and self.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE
        return bool(self._waiting) or (begins and parameters is not None)

    def later(self, sql: str, parameters: Any) -> None:
        """Send a statement whose answer nobody wants together with the next one, or with COMMIT.

        parameters: a dictionary, or a list of them for an executemany. The server carries the statements out in
        order and none after the first that fails: its error is that of the statement, or the COMMIT, they go with.
        """
        self._waiting.append((sql, parameters))
        if len(self._waiting) >= _MOST_WAITING:
            with self.pipeline():
                self.send_waiting()

    def send_waiting(self) -> None:
        """Put what waits into the pipeline, in order."""
        waiting, self._waiting = self._waiting, []
        for sql, parameters in waiting:
            cursor = psycopg.Cursor(self)
            if isinstance(parameters, list):
                cursor.executemany(sql, parameters)
            else:
                cursor.execute(sql, parameters)

    def commit(self) -> None:
        """COMMIT, with what waits before it. When one of these fails, all is rolled back here: who only asked for a
        COMMIT has no reason to.
        """
        if not self._waiting:
            super().commit()
            return
        try:
            with self.pipeline():
                self.send_waiting()
                super().commit()
        except BaseException:  # a text that is no Unicode fails before it is sent, when others have gone already
            if not self.closed:
                super().rollback()
            raise

    def rollback(self) -> None:
        """ROLLBACK; what waits is never sent."""
        self._waiting.clear()
        super().rollback()


def _tells_something(record: logging.LogRecord) -> bool:
    """Whether psycopg's warning says more than that statements after the one that failed were not carried out.

    That one's error is raised; whether psycopg warns as well depends on how soon the server's answers come. What it
    says of connections that are not ours is its user's.
    """
    if not isinstance(record.args, tuple) or len(record.args) != 2:
        return True
    pipeline, cause = record.args
    is_ours = isinstance(getattr(pipeline, "_conn", None), Connection)
    return not (is_ours and isinstance(cause, psycopg.errors.PipelineAborted))


logging.getLogger("psycopg").addFilter(_tells_something)

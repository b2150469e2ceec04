"""The application's own data: refresh tokens, in a table beside the jobs. It knows no job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, DateTime, Engine, Integer, MetaData, String, Table, delete, func, insert, select

metadata = MetaData()
refresh_tokens = Table(
    "RefreshTokens",
    metadata,
    Column("Id", Integer, primary_key=True),
    Column("UserName", String(100), nullable=False),
    Column("ExpiredAt", DateTime, nullable=False, index=True),
)


class Clock:
    """What time it is; another one in tests."""

    def now(self) -> datetime:
        """Naive UTC."""
        return datetime.now(UTC).replace(tzinfo=None)


class RefreshTokens:
    """The tokens of the application's users."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine, self.clock = engine, clock
        metadata.create_all(engine)

    def issue(self, user: str, valid_for: timedelta = timedelta(days=7)) -> None:
        """Write one."""
        with self.engine.begin() as connection:
            connection.execute(insert(refresh_tokens).values(UserName=user, ExpiredAt=self.clock.now() + valid_for))

    def count(self) -> int:
        """How many there are."""
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(refresh_tokens)).scalar_one())

    def delete_expired(self) -> int:
        """Delete those whose time is over; how many."""
        with self.engine.begin() as connection:
            return connection.execute(
                delete(refresh_tokens).where(refresh_tokens.c.ExpiredAt <= self.clock.now())
            ).rowcount

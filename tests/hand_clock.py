"""A clock that stands still until a test moves it: in the place of the `time` of one module."""

from __future__ import annotations

from types import ModuleType

import pytest


class HandClock:
    """now: seconds, as `time.monotonic` tells them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    @classmethod
    def of(cls, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> HandClock:
        """A new one, that these modules tell the time by."""
        made = cls()
        for module in modules:
            monkeypatch.setattr(module, "time", made)
        return made

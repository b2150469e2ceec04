"""What a job says about its run, when a plain return value is not enough."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class JobResult:
    """The outcome a job returns: `JobResult.ok("…").with_metadata("orders", 12)` or `JobResult.fail("…")`.

    A failed result fails the run exactly as an exception does: it is retried, logged and alerted.
    """

    success: bool
    message: str
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.message = str(self.message)  # an exception, or a number, is as good a message as its text

    @classmethod
    def ok(cls, message: str = "Job completed successfully") -> JobResult:
        """A run that did its work."""
        return cls(True, message)

    @classmethod
    def fail(cls, message: str, exception: BaseException | None = None) -> JobResult:
        """A run that did not; the exception's type and stack go into the metadata."""
        result = cls(False, message)
        if exception is not None:
            result.metadata["Exception"] = type(exception).__name__
            result.metadata["StackTrace"] = "".join(traceback.format_exception(exception))
        return result

    def with_metadata(self, key: str, value: Any) -> JobResult:
        """Add a fact that is stored with the result; chainable."""
        self.metadata[key] = value
        return self


class ResultFailed(Exception):
    """A job returned `JobResult.fail(...)`."""

    def __init__(self, result: JobResult) -> None:
        super().__init__(result.message)
        self.result = result

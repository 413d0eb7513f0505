"""Stand-ins for the world outside: a clock that moves only when somebody waits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

__all__ = ["FakeClock"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A `precheck_gate.clock.Clock` whose time passes by sleeping alone; safe between threads.

    Attributes:
        sleeps: the waits so far, in seconds, in the order in which they began.
    """

    def __init__(self, start: float = 0.0) -> None:
        self.sleeps: list[float] = []
        self._seconds = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._lock:
            return self._seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self._seconds += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without a wait."""
        with self._lock:
            self._seconds += seconds

"""The clock, as an object that tests can replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from precheck_gate.runtime.signals import Interrupts


SLICE_SECONDS = 0.5


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC; for people and reports."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; for deadlines and ages."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``; a signal may end the wait with `Interrupted`."""
        ...


class SystemClock:
    """The computer's clock; with ``interrupts``, a signal ends its `sleep`."""

    def __init__(self, interrupts: Interrupts | None = None) -> None:
        self._interrupts = interrupts

    def now(self) -> datetime:  # noqa: D102
        return datetime.now(UTC)

    def monotonic(self) -> float:  # noqa: D102
        return time.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: D102
        if self._interrupts is None:
            time.sleep(max(0.0, seconds))
            return
        # In slices: a signal that comes in the moment before the system call is seen at its end.
        end = time.monotonic() + seconds
        with self._interrupts.waiting():
            while (rest := end - time.monotonic()) > 0:
                time.sleep(min(rest, SLICE_SECONDS))


class CountingClock:
    """Another clock, and how many seconds were waited by it."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self.waited = 0.0

    def now(self) -> datetime:  # noqa: D102
        return self._inner.now()

    def monotonic(self) -> float:  # noqa: D102
        return self._inner.monotonic()

    def sleep(self, seconds: float) -> None:  # noqa: D102
        began = self._inner.monotonic()
        try:
            self._inner.sleep(seconds)
        finally:
            self.waited += self._inner.monotonic() - began

"""Stand-ins for the world outside: a clock that moves only when somebody waits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from precheck_gate.drs.http.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

__all__ = ["FakeClock"]

_K = TypeVar("_K", bound="Hashable")
_T = TypeVar("_T")

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A `Clock` whose time passes by sleeping alone; safe between threads.

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

    def in_parallel(
        self, work: Callable[[_K], _T], names: Sequence[_K], width: int
    ) -> dict[_K, _T | BaseException]:
        """Do what `in_parallel` of `drs.http.parallel` does, one by one, in the same time."""
        done: dict[_K, _T | BaseException] = {}
        for first in range(0, len(names), width):
            began = end = self._seconds
            for name in names[first : first + width]:
                self._seconds = began
                done |= in_parallel(work, [name], 1)
                end = max(end, self._seconds)
            self._seconds = end
        return done

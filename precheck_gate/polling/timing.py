"""When to ask again, and how long it takes to ask for all tasks; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# An estimate of the latency needs so many answers.
SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """The progress of a pending task.

    Attributes:
        progress: percent; None while unknown.
        seen_for: seconds between the first and the last observation of the progress.
        gained: percent gained in that time.
    """

    progress: float | None
    seen_for: float
    gained: float

    @property
    def remaining(self) -> float | None:
        """The estimated seconds to 100 %; None without an estimate."""
        if self.progress is None or self.gained <= 0 or self.seen_for <= 0:
            return None
        return (100.0 - self.progress) * self.seen_for / self.gained


class Cadence(Protocol):
    """Decides how long to wait before the next request for the pending tasks."""

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:
        """Return seconds; ``elapsed`` is the time since the polling began."""


@dataclass(frozen=True, slots=True)
class FixedCadence:
    """Always waits for the same time."""

    interval: float

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:  # noqa: ARG002, D102
        return self.interval


@dataclass(frozen=True, slots=True)
class AdaptiveCadence:
    """Waits briefly at first, then longer, guided by the estimated end of the slowest task.

    The user waits for the last task: as long as more than ``few`` tasks are pending, pauses are
    longer. No pause is longer than ``ceiling`` or 4 % of the elapsed time, whichever is more, so
    a wrong estimate costs little.
    """

    floor: float = 2.0
    ceiling: float = 5.0
    lazy_ceiling: float = 20.0
    few: int = 10
    longest: float = 30.0

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:  # noqa: D102
        ceiling = self.ceiling if len(pending) <= self.few else self.lazy_ceiling
        # The first pauses grow with the elapsed time, starting at the floor.
        ceiling = min(self.longest, max(0.04 * elapsed, min(ceiling, self.floor + elapsed)))
        rests = [rest for pace in pending if (rest := pace.remaining) is not None]
        if len(rests) < len(pending) or not rests:
            return max(self.floor, ceiling)
        return max(self.floor, min(0.6 * max(rests), ceiling))


@dataclass
class SweepTime:
    """Estimates how long it takes to ask for tasks, from the request rate and the latency.

    Attributes:
        requests_for: returns the number of requests for a number of tasks.
        pace: minimum seconds between two requests.
        most: maximum number of batches at once.
    """

    tasks: int
    batch_size: int
    requests_for: Callable[[int], int]
    pace: float
    most: int
    _answers: int = 0
    _seconds: float = 0.0

    def note(self, seconds: float) -> None:
        """Add the latency of a batch that was requested alone."""
        self._answers += 1
        self._seconds += seconds

    @property
    def width(self) -> int:
        """How many batches to request at once: several only if the rate is not the limit."""
        return self.most if self._latency > 1.1 * self._paced else 1

    def seconds(self, tasks: int) -> float:
        """Return the estimated time to ask for so many tasks."""
        return max(self._by_rate(tasks), self._by_latency(tasks))

    def objection(self, max_staleness: float) -> str:
        """Return why not all tasks can be confirmed within ``max_staleness``; "" if they can."""
        by_rate, by_latency = self._by_rate(self.tasks), 0.0
        how = f"{self.requests_for(self.tasks)} requests, {self.pace:g} s apart"
        if self._answers >= SAMPLE:
            by_latency = self._by_latency(self.tasks)
        if by_latency > by_rate:
            batches = self._batches(self.tasks)
            how = f"{batches} answers, {self._latency:.2g} s each, {self.width} at a time"
        seconds = max(by_rate, by_latency)
        if seconds <= max_staleness:
            return ""
        return (
            f"one round of requests for {self.tasks} tasks takes about {seconds:.0f} s ({how}), "
            f"longer than --max-staleness ({max_staleness:.0f} s), so the run is expected to end "
            "incomplete; use a higher --max-rps or --max-staleness, or split the list of tasks "
            "over several jobs"
        )

    def _batches(self, tasks: int) -> int:
        return -(-tasks // self.batch_size)

    def _by_rate(self, tasks: int) -> float:
        return self.requests_for(tasks) * self.pace

    def _by_latency(self, tasks: int) -> float:
        groups = -(-self._batches(tasks) // self.width)
        return groups * ((self.width - 1) * self._paced + self._latency)

    @property
    def _paced(self) -> float:
        """The minimum seconds for a batch at the request rate."""
        return self._by_rate(self.batch_size)

    @property
    def _latency(self) -> float:
        return self._seconds / self._answers if self._answers else 0.0

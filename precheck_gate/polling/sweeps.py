"""Sweeps: rounds of requests in which each task is asked for once, and how long one takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from precheck_gate.polling.watch import Watch

__all__ = ["Sweep", "SweepTime"]

# How many answers an estimate of the latency rests on.
SAMPLE = 10


@dataclass
class Sweep:
    """One round in which each task is asked for at most once; a fault interrupts it.

    Attributes:
        before: the number of the latest request before it.
        confirming: whether it asks for tasks that have ended, since their answers are too old.
        faulty: whether a request of it failed.
        interrupted: whether a fault ended it before all tasks were asked for.
    """

    before: int
    confirming: bool = False
    faulty: bool = False
    interrupted: bool = False

    def open(self, watches: Iterable[Watch]) -> list[Watch]:
        """Return the tasks that were not asked for in it yet."""
        return [watch for watch in watches if watch.turn <= self.before]


@dataclass
class SweepTime:
    """How long a sweep takes, by the rate of requests and the latency so far.

    Args:
        tasks: how many there are.
        batch_size: how many of them are asked for at once.
        requests_for: how many requests it takes to ask for so many tasks.
        pace: the least seconds between two requests.
        most: how many batches may be asked for at once.
    """

    tasks: int
    batch_size: int
    requests_for: Callable[[int], int]
    pace: float
    most: int
    _answers: int = 0
    _seconds: float = 0.0

    def note(self, seconds: float) -> None:
        """Take note of how long the answer took for a batch that was asked for alone."""
        self._answers += 1
        self._seconds += seconds

    @property
    def width(self) -> int:
        """How many batches to ask for at once: several only where the rate is not the bound."""
        return self.most if self._latency > 1.1 * self._paced else 1

    def seconds(self, tasks: int) -> float:
        """Return about how long it takes to ask for so many tasks."""
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
        """The seconds that the rate of requests requires for a batch."""
        return self.pace * self.requests_for(self.batch_size)

    @property
    def _latency(self) -> float:
        return self._seconds / self._answers if self._answers else 0.0

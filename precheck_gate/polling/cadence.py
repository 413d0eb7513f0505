"""When to ask again: strategies, pure. What was seen so far goes in, seconds to wait come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AdaptiveCadence", "Cadence", "FixedCadence", "Pace"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a pending task has come: percent, or None while unknown, and since when it is seen.

    ``seen_for`` are the seconds between the first and the last sight of it, ``gained`` the percent
    that it gained in between.
    """

    progress: float | None
    seen_for: float
    gained: float

    @property
    def rest(self) -> float | None:
        """The estimated seconds to 100 %, or None while there is nothing to estimate from."""
        if self.progress is None or self.gained <= 0 or self.seen_for <= 0:
            return None
        return (100.0 - self.progress) * self.seen_for / self.gained


class Cadence(Protocol):
    """Says how long to wait before the pending tasks are asked again."""

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:
        """Return seconds; ``elapsed`` are those since the polling began."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCadence:
    """The same pause always."""

    interval: float

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:  # noqa: ARG002, D102
        return self.interval


@dataclass(frozen=True, slots=True)
class AdaptiveCadence:
    """Short pauses first, longer ones later, led by the estimated end of the slowest task.

    What a user waits for is the last task: while there is more than a batch of them, all are asked
    lazily; the last few closely. A pause is never longer than 4 % of the time that has passed, or
    ``ceiling``, whichever is more, so that an estimate that was wrong costs little.
    """

    floor: float = 2.0
    ceiling: float = 5.0
    lazy_ceiling: float = 20.0
    few: int = 10
    longest: float = 30.0

    def delay(self, elapsed: float, pending: Sequence[Pace]) -> float:  # noqa: D102
        ceiling = self.ceiling if len(pending) <= self.few else self.lazy_ceiling
        # The first pauses grow with the time that has passed, from the floor on.
        ceiling = min(self.longest, max(0.04 * elapsed, min(ceiling, self.floor + elapsed)))
        rests = [rest for pace in pending if (rest := pace.rest) is not None]
        if len(rests) < len(pending) or not rests:
            return max(self.floor, ceiling)
        return max(self.floor, min(0.6 * max(rests), ceiling))

"""Single calls that are worth asking again, and the rate that all repetitions of a run share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from precheck_gate.errors import ServiceError, TimeOver, TransientFault
from precheck_gate.polling.events import Faulted
from precheck_gate.runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.polling.events import Observer
    from precheck_gate.runtime.clock import Clock

__all__ = ["Backoff", "Repeater", "RetryBudget"]

_T = TypeVar("_T")


@dataclass
class RetryBudget:
    """How many requests may be repetitions after a fault: a rate, so that no outage uses it up.

    What a minute leaves over is saved for the next one, up to a minute's worth (token bucket).

    Attributes:
        per_minute: the rate; 0 for no repetition at all, None for any number.
        clock: the time, and waiting.
        deadline: until when there may be repetitions; nobody waits for longer.
        used: how many repetitions there were.
    """

    per_minute: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    deadline: float = math.inf
    used: int = 0

    def __post_init__(self) -> None:
        self._left = float(self.per_minute or 0)
        self._counted_at = self.clock.monotonic()

    def pause(self, fault: TransientFault, delay: float) -> float:
        """Return how long to pause after a fault: at least ``delay``, and until one is left.

        Raises:
            ServiceError: there are no repetitions; not a fault that may pass, so that nobody asks
                on.
        """
        self._refuse_at_zero(fault)
        return delay if self.per_minute is None else max(delay, self._wait(self.per_minute))

    def spend(self, fault: TransientFault) -> None:
        """Take one repetition after a fault, and wait for it where none is left.

        Raises:
            TransientFault: the fault itself, where the time is over before the next repetition.
            ServiceError: there are no repetitions.
        """
        self._refuse_at_zero(fault)
        if self.per_minute is not None and (wait := self._wait(self.per_minute)) > 0:
            self.clock.sleep(wait)
            self._left += self.per_minute / 60.0 * wait
            self._counted_at += wait
        if self.clock.monotonic() >= self.deadline:
            raise fault
        self._left -= 1.0
        self.used += 1

    def _refuse_at_zero(self, fault: TransientFault) -> None:
        if self.per_minute == 0:
            raise ServiceError(
                f"{fault.message} It is not repeated (--max-retries 0).",
                hint="Allow repetitions with --max-retries, or run the gate again.",
                code=fault.code,
                request_id=fault.request_id,
            )

    def _wait(self, per_minute: int) -> float:
        """Return the seconds until a repetition is left; none beyond the deadline."""
        rate, now = per_minute / 60.0, self.clock.monotonic()
        self._left = min(float(per_minute), self._left + rate * (now - self._counted_at))
        self._counted_at = now
        return min((1.0 - self._left) / rate, self.deadline - now)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to pause after a fault: a random part of a bound that doubles (full jitter)."""

    random: Callable[[], float]
    first: float = 1.0
    longest: float = 30.0

    def delay(self, faults: int, fault: TransientFault) -> float:
        """Return the pause after so many faults in a row; never shorter than the service asks."""
        bound = self.first * 2.0 ** min(faults - 1, 16)
        return max(self.random() * min(self.longest, bound), fault.retry_after or 0.0)


@dataclass(frozen=True)
class Repeater:
    """Makes a call, and makes it again after faults that may pass.

    Args:
        clock: the time.
        backoff: how long to pause.
        budget: shared by all that repeat in this run.
        observer: told of faults.
        grace: for how many seconds a call is repeated.
        request_timeout: the time for one request.
    """

    clock: Clock
    backoff: Backoff
    budget: RetryBudget
    observer: Observer
    grace: float = 60.0
    request_timeout: float = 30.0

    def call(self, work: Callable[[float], _T], deadline: float) -> _T:
        """Return what the work brings; it is given the seconds that it may take.

        Raises:
            TransientFault: the last fault, when the grace or the time is used up.
            ServiceError: whatever makes no sense to ask again.
        """
        began, faults = self.clock.monotonic(), 0
        fault: TransientFault = TimeOver("The time of the run was over before all was asked.")
        while self.clock.monotonic() < deadline:
            try:
                if faults:
                    self.budget.spend(fault)
                left = deadline - self.clock.monotonic()
                if left <= 0:
                    break
                return work(min(self.request_timeout, left))
            except TransientFault as error:
                fault = error
            if self.clock.monotonic() - began >= self.grace:
                break
            faults += 1
            left = deadline - self.clock.monotonic()
            delay = self.budget.pause(fault, self.backoff.delay(faults, fault))
            delay = max(0.0, min(delay, left))
            self.observer.notify(Faulted(fault.message, delay))
            self.clock.sleep(delay)
        raise fault

"""Single calls that are worth asking again, and the budget that all repetitions of a run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from precheck_gate.errors import ServiceError, TransientFault
from precheck_gate.polling.events import Faulted

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.clock import Clock
    from precheck_gate.polling.events import Observer

__all__ = ["Backoff", "Repeater", "RetryBudget"]

_T = TypeVar("_T")


@dataclass
class RetryBudget:
    """How many requests of a run may be repetitions after a fault; ``limit`` None for any."""

    limit: int | None = None
    used: int = 0

    def spend(self, fault: TransientFault) -> None:
        """Take one repetition.

        Raises:
            ServiceError: none is left; not a fault that may pass, so that nobody asks on.
        """
        if self.limit is not None and self.used >= self.limit:
            raise ServiceError(
                f"The {self.limit} repetitions of this run are used up (--max-retries). "
                f"{fault.message}",
                hint=fault.hint,
                code=fault.code,
                request_id=fault.request_id,
            )
        self.used += 1


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
            TransientFault: the last fault, when grace, budget or the time is used up.
            ServiceError: whatever makes no sense to ask again.
        """
        began, faults = self.clock.monotonic(), 0
        fault = TransientFault("The time of the run was over before all was asked.")
        while (left := deadline - self.clock.monotonic()) > 0:
            try:
                return work(min(self.request_timeout, left))
            except TransientFault as error:
                fault = error
            if self.clock.monotonic() - began >= self.grace:
                break
            self.budget.spend(fault)
            faults += 1
            left = deadline - self.clock.monotonic()
            delay = max(0.0, min(self.backoff.delay(faults, fault), left))
            self.observer.notify(Faulted(fault.message, delay))
            self.clock.sleep(delay)
        raise fault

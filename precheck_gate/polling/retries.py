"""How a failed request is sent again: after a pause, at a limited rate, or in parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from precheck_gate.errors import BatchRefused, ServiceError, TimeOver, TransientFault
from precheck_gate.polling.events import Faulted
from precheck_gate.runtime.process import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.polling.events import Observer
    from precheck_gate.runtime.process import Clock

_T = TypeVar("_T")

# The tasks of one request.
Batch = tuple[str, ...]
# The service advises at most so many.
BATCH_SIZE = 10


@dataclass
class RetryBudget:
    """The rate of retries that all requests of a run share, so that no outage uses it up.

    What a minute leaves unused is saved, up to a minute's worth (token bucket).

    Attributes:
        per_minute: the rate; 0 for no retries, None for no limit.
        deadline: no retry waits longer than this (monotonic clock).
        used: the number of retries so far.
    """

    per_minute: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    deadline: float = math.inf
    used: int = 0

    def __post_init__(self) -> None:
        self._left = float(self.per_minute or 0)
        self._counted_at = self.clock.monotonic()

    def pause(self, fault: TransientFault, delay: float) -> float:
        """Return how long to wait after a fault: at least ``delay``, until a retry is left.

        Raises:
            ServiceError: there are no retries; not a transient fault, so it ends the run.
        """
        self._refuse_at_zero(fault)
        return delay if self.per_minute is None else max(delay, self._wait(self.per_minute))

    def spend(self, fault: TransientFault) -> None:
        """Use one retry after a fault; wait for it if none is left.

        Raises:
            TransientFault: the fault itself, if the deadline comes before the next retry.
            ServiceError: there are no retries.
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
                f"{fault.message} The gate does not retry (--max-retries 0).",
                hint="Allow retries with --max-retries, or run the gate again.",
                code=fault.code,
                request_id=fault.request_id,
            )

    def _wait(self, per_minute: int) -> float:
        """Return the seconds until a retry is left, at most until the deadline."""
        rate, now = per_minute / 60.0, self.clock.monotonic()
        self._left = min(float(per_minute), self._left + rate * (now - self._counted_at))
        self._counted_at = now
        return min((1.0 - self._left) / rate, self.deadline - now)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause after a fault: a random part of a bound that doubles each time (full jitter)."""

    random: Callable[[], float]
    first: float = 1.0
    longest: float = 30.0

    def delay(self, faults: int, fault: TransientFault) -> float:
        """Return the pause after so many faults in a row; at least what the service asks for."""
        bound = self.first * 2.0 ** min(faults - 1, 16)
        return max(self.random() * min(self.longest, bound), fault.retry_after or 0.0)


@dataclass(frozen=True)
class Retrier:
    """Calls a function, and calls it again after transient faults.

    Attributes:
        grace: seconds after which a call is not retried any more.
        request_timeout: seconds for one request.
    """

    clock: Clock
    backoff: Backoff
    budget: RetryBudget
    observer: Observer
    grace: float = 60.0
    request_timeout: float = 30.0

    def call(self, work: Callable[[float], _T], deadline: float) -> _T:
        """Return the result of ``work``, which receives the seconds that it may take.

        Raises:
            TransientFault: the last fault, when the grace or the time is over.
            ServiceError: an error that a retry cannot fix.
        """
        began, faults = self.clock.monotonic(), 0
        fault: TransientFault = TimeOver("The time limit was reached before the request was sent.")
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


def batches(task_ids: Sequence[str], size: int = BATCH_SIZE) -> list[Batch]:
    """Divide tasks into batches."""
    return [tuple(task_ids[first : first + size]) for first in range(0, len(task_ids), size)]


def ask_in_parts(
    batch: Batch,
    ask: Callable[[Batch], None],
    accuse: Callable[[str, BatchRefused], None],
    *,
    deduce: bool = False,
) -> None:
    """Ask for a batch; if the service refuses it, find the tasks at fault and ask for the others.

    Args:
        batch: the tasks.
        ask: sends one request for tasks.
        accuse: called for each task at fault, with the refusal that shows it.
        deduce: accuse the last task left of a refused batch without a request for it alone; only
            for tasks that are asked for again later.
    """
    while batch and (refused := _refusal(batch, ask)):
        culprits: Batch = tuple(task_id for task_id in batch if task_id in refused.culprits)
        if culprits:
            batch = tuple(task_id for task_id in batch if task_id not in culprits)
        else:
            culprits, batch, refused = _halve(batch, refused, ask, deduce=deduce)
        for task_id in culprits:
            accuse(task_id, refused)


def _refusal(batch: Batch, ask: Callable[[Batch], None]) -> BatchRefused | None:
    try:
        ask(batch)
    except BatchRefused as refused:
        return refused
    return None


def _halve(
    batch: Batch, refused: BatchRefused, ask: Callable[[Batch], None], *, deduce: bool
) -> tuple[Batch, Batch, BatchRefused]:
    """Return the task at fault, if any, those not answered yet, and the refusal that shows it."""
    suspects, others, refused_part = batch, Batch(), batch
    while len(suspects) > 1:
        middle = len(suspects) // 2
        half, rest = suspects[:middle], suspects[middle:]
        if error := _refusal(half, ask):
            refused, refused_part = error, half
            suspects, others = half, rest + others
        else:
            suspects = rest
    if suspects != refused_part and not deduce:
        error = _refusal(suspects, ask)
        if error is None:
            return Batch(), others, refused
        refused = error
    return suspects, others, refused

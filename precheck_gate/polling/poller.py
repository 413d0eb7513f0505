"""Asks until every task has reached its end, the time is over, or asking makes no sense.

The poller judges nothing. It ends with an `Observation` of each requested task, and each says
either what the service said last, not longer ago than the allowed staleness, or why that is not
to be had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from precheck_gate.errors import (
    BatchRefused,
    NotAnAnswer,
    ServiceError,
    TransientFault,
)
from precheck_gate.polling.batches import ask_batch, batches_of
from precheck_gate.polling.events import Asked, Faulted, Waiting
from precheck_gate.polling.memory import Memory
from precheck_gate.polling.options import GENTLE_SECONDS, PollOptions
from precheck_gate.polling.repeating import Backoff, RetryBudget
from precheck_gate.polling.watch import trouble_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.clock import Clock
    from precheck_gate.drs.wire import Answer
    from precheck_gate.model import Observation, Snapshot, Trouble
    from precheck_gate.polling.cadence import Cadence
    from precheck_gate.polling.events import Observer
    from precheck_gate.polling.watch import Watch

__all__ = ["GENTLE_SECONDS", "Asker", "PollOptions", "Poller"]


class Asker(Protocol):
    """Whoever can be asked for pre-check results, within so many seconds."""

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks, or raise a `ServiceError`."""
        ...


def _anything(_: Snapshot) -> bool:
    return True


class _TimeOver(Exception):
    """The deadline came while tasks were being asked."""


@dataclass
class Poller:
    """Polls one service for a set of tasks.

    Args:
        asker: whom to ask.
        clock: what the time is, and waiting.
        cadence: when to ask again.
        options: bounds.
        observer: who is told what happens.
        random: numbers from 0 to 1 for the jitter.
        accepts: whether a pre-check that ended will do; one that does not is asked for on and on.
        budget: how many requests may be repetitions after a fault.
    """

    asker: Asker
    clock: Clock
    cadence: Cadence
    options: PollOptions
    observer: Observer
    random: Callable[[], float]
    accepts: Callable[[Snapshot], bool] = _anything
    budget: RetryBudget = field(default_factory=RetryBudget)
    trouble: Trouble | None = None

    def __post_init__(self) -> None:
        self._memory = Memory(self.observer)
        self._started = 0.0
        self._deadline = 0.0
        self._last_request: float | None = None
        self._faults_in_a_row = 0
        self._last_fault = TransientFault("no fault")
        self._ever_answered = False
        self._confirmations = 0

    @property
    def remarks(self) -> list[str]:
        """Oddities that change no verdict."""
        return self._memory.remarks

    @property
    def retries(self) -> int:
        """How many requests were repetitions after a fault."""
        return self.budget.used

    def poll(self, task_ids: Sequence[str]) -> None:
        """Ask until all is known or the time is over; `observations` then tells what is known.

        A signal ends it with `Interrupted`, and `observations` tells what was known by then.
        """
        self._memory.begin(task_ids)
        self._started = self.clock.monotonic()
        self._deadline = self._started + self.options.timeout
        try:
            while True:
                if self._is_over():
                    return
                fault = self._ask_all(self._due())
                self._memory.end_graces(self.clock.monotonic(), self.options.grace)
                if self._is_over() or self._left() <= 0:
                    return
                self._pause(fault)
        except _TimeOver:
            return
        except ServiceError as error:
            self.give_up(error)

    def observations(self) -> list[Observation]:
        """Return what is known of each task now, in the order in which they were requested."""
        return self._memory.observations(
            self.clock.monotonic(), self._started, self.options.max_staleness, self.trouble
        )

    # Whom to ask

    def _due(self) -> list[Watch]:
        """Return the tasks to ask: those pending, or, when none is, those that became stale."""
        now = self.clock.monotonic()
        if pending := self._memory.pending():
            self._confirmations = 0
            return [watch for watch in pending if watch.rest(now, self.options.gentle) <= 0]
        return self._memory.stale(now, self.options.max_staleness)

    def _is_over(self) -> bool:
        return not self._memory.pending() and not self._due()

    # Asking

    def _ask_all(self, due: Sequence[Watch]) -> TransientFault | None:
        """Ask all that are due; return the fault that ended or marred it."""
        fault: TransientFault | None = None
        for batch in batches_of(due, self.options.batch_size):
            since = self.clock.monotonic()
            try:
                ask_batch(batch, self._ask, self._accuse)
            except TransientFault as error:
                fault = error
                self._memory.miss(batch, error, since)
                if not isinstance(error, NotAnAnswer):
                    # A service that throttles or is out of reach is not asked for the next batch.
                    break
        return fault

    def _ask(self, batch: Sequence[str]) -> None:
        if self._last_request is not None:
            self._sleep(self._last_request + self.options.spacing - self.clock.monotonic())
        left = self._left()
        if left <= 0:
            raise _TimeOver
        self.observer.notify(Asked(tuple(batch)))
        self._last_request = self.clock.monotonic()
        if self._faults_in_a_row:
            self.budget.spend(self._last_fault)
        try:
            answer = self.asker.precheck_results(batch, min(self.options.request_timeout, left))
        except BatchRefused:
            self._reached()
            raise
        self._reached()
        self._memory.take(batch, answer, self.clock.monotonic(), self.accepts)
        if answer.fault is not None:
            raise answer.fault

    def _reached(self) -> None:
        self._faults_in_a_row = 0
        self._ever_answered = True

    def _accuse(self, task_id: str, refused: BatchRefused) -> None:
        self._memory.accuse(task_id, refused, self.clock.monotonic())

    # Waiting

    def _left(self) -> float:
        return self._deadline - self.clock.monotonic()

    def _pause(self, fault: TransientFault | None) -> None:
        delay = self._backoff(fault) if fault is not None else self._next_delay()
        delay = min(delay, self._left())
        if fault is not None:
            self.observer.notify(Faulted(fault.message, delay))
        done, total = self._memory.settled, len(self._memory)
        end = self.clock.monotonic() + delay
        # In slices, so that whoever shows progress can give a sign of life in a long pause.
        while (rest := end - self.clock.monotonic()) > 0:
            self.observer.notify(Waiting(rest, self._left(), done, total))
            self._sleep(min(rest, self.options.heartbeat))

    def _next_delay(self) -> float:
        now = self.clock.monotonic()
        if pending := self._memory.pending():
            running = [watch.pace() for watch in pending if not watch.refused]
            if running:
                return self.cadence.delay(now - self._started, running)
            return max(1.0, min(watch.rest(now, self.options.gentle) for watch in pending))
        # Everything has ended; what became stale in the meantime is confirmed at once, and then
        # at a walking pace where the allowed staleness is shorter than a round of questions.
        self._confirmations += 1
        return 0.0 if self._confirmations == 1 else 1.0

    def _backoff(self, fault: TransientFault) -> float:
        now = self.clock.monotonic()
        if not self._ever_answered and now - self._started >= self.options.grace:
            raise fault
        self._faults_in_a_row += 1
        self._last_fault = fault
        backoff = Backoff(self.random, self.options.backoff, self.options.longest_backoff)
        return backoff.delay(self._faults_in_a_row, fault)

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.clock.sleep(min(seconds, max(0.0, self._left())))

    def give_up(self, error: ServiceError) -> None:
        """Take an error for the end of the whole run."""
        self.trouble = trouble_from(error)
        self.observer.notify(Faulted(error.message, None))

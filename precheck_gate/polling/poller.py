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
from precheck_gate.model import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.polling.batches import ask_batch, batches_of
from precheck_gate.polling.events import Answered, Asked, Faulted, Remarked, TaskChanged, Waiting
from precheck_gate.polling.options import GENTLE_SECONDS, PollOptions
from precheck_gate.polling.repeating import Backoff, RetryBudget
from precheck_gate.polling.watch import Watch, trouble_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.clock import Clock
    from precheck_gate.drs.wire import Answer
    from precheck_gate.polling.cadence import Cadence
    from precheck_gate.polling.events import Observer

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
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._started = 0.0
        self._deadline = 0.0
        self._last_request: float | None = None
        self._faults_in_a_row = 0
        self._last_fault = TransientFault("no fault")
        self._ever_answered = False
        self._confirmations = 0

    @property
    def retries(self) -> int:
        """How many requests were repetitions after a fault."""
        return self.budget.used

    def poll(self, task_ids: Sequence[str]) -> None:
        """Ask until all is known or the time is over; `observations` then tells what is known.

        A signal ends it with `Interrupted`, and `observations` tells what was known by then.
        """
        self._watches = {task_id: Watch(task_id) for task_id in task_ids}
        self._started = self.clock.monotonic()
        self._deadline = self._started + self.options.timeout
        try:
            while True:
                if self._is_over():
                    return
                fault = self._ask_all(self._due())
                self._end_graces()
                if self._is_over() or self._left() <= 0:
                    return
                self._pause(fault)
        except _TimeOver:
            return
        except ServiceError as error:
            self.give_up(error)

    def observations(self) -> list[Observation]:
        """Return what is known of each task now, in the order in which they were requested."""
        now = self.clock.monotonic()
        return [
            watch.observe(now, self._started, self.options.max_staleness, self.trouble)
            for watch in self._watches.values()
        ]

    # Whom to ask

    def _due(self) -> list[Watch]:
        """Return the tasks to ask: those pending, or, when none is, those that became stale."""
        now = self.clock.monotonic()
        if pending := self._pending():
            self._confirmations = 0
            return [watch for watch in pending if watch.rest(now, self.options.gentle) <= 0]
        return [
            watch
            for watch in self._watches.values()
            if watch.needs_confirmation(now, self.options.max_staleness)
        ]

    def _pending(self) -> list[Watch]:
        return [watch for watch in self._watches.values() if not watch.settled]

    def _is_over(self) -> bool:
        return not self._pending() and not self._due()

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
                for task_id in batch:
                    self._watches[task_id].miss(error, since)
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
        self._take(batch, answer)
        if answer.fault is not None:
            raise answer.fault

    def _reached(self) -> None:
        self._faults_in_a_row = 0
        self._ever_answered = True

    # Learning

    def _take(self, batch: Sequence[str], answer: Answer) -> None:
        for remark in answer.remarks:
            self._remark(remark)
        for task_id in answer.entries:
            if task_id not in batch:
                self._remark(f"the service answered for task {task_id}, which was not asked for")
        now = self.clock.monotonic()
        sound = [name for name in batch if isinstance(answer.entries.get(name), Snapshot)]
        self.observer.notify(Answered(tuple(sound)))
        for task_id in batch:
            watch = self._watches[task_id]
            match answer.entries.get(task_id):
                case Snapshot() as snapshot:
                    changed = watch.see(snapshot, now)
                    watch.accepted = self.accepts(snapshot)
                    if changed:
                        self.observer.notify(TaskChanged(task_id, snapshot, None))
                case Trouble() as trouble:
                    self._trouble(watch, trouble, now)
                case None if answer.fault is not None:
                    pass  # it is the fault's
                case None:
                    self._trouble(
                        watch,
                        Trouble(
                            TroubleKind.NOT_ANSWERED,
                            "the service answered, but not for this task",
                            hint="Check the task's ID; was its pre-check started?",
                        ),
                        now,
                    )

    def _trouble(self, watch: Watch, trouble: Trouble, now: float) -> None:
        if watch.suffer(trouble, now):
            self.observer.notify(TaskChanged(watch.task_id, watch.snapshot, trouble))

    def _accuse(self, task_id: str, refused: BatchRefused) -> None:
        code, message = refused.culprits.get(task_id, ("", ""))
        trouble = Trouble(
            TroubleKind.TASK_ERROR,
            message or refused.message,
            code=code or refused.code,
            hint=refused.hint,
        )
        self._trouble(self._watches[task_id], trouble, self.clock.monotonic())

    def _end_graces(self) -> None:
        now = self.clock.monotonic()
        for watch in self._watches.values():
            watch.end_grace(now, self.options.grace)

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)
            self.observer.notify(Remarked(text))

    # Waiting

    def _left(self) -> float:
        return self._deadline - self.clock.monotonic()

    def _pause(self, fault: TransientFault | None) -> None:
        delay = self._backoff(fault) if fault is not None else self._next_delay()
        delay = min(delay, self._left())
        if fault is not None:
            self.observer.notify(Faulted(fault.message, delay))
        watches = self._watches.values()
        done = sum(watch.settled for watch in watches)
        end = self.clock.monotonic() + delay
        # In slices, so that whoever shows progress can give a sign of life in a long pause.
        while (rest := end - self.clock.monotonic()) > 0:
            self.observer.notify(Waiting(rest, self._left(), done, len(watches)))
            self._sleep(min(rest, self.options.heartbeat))

    def _next_delay(self) -> float:
        now = self.clock.monotonic()
        if pending := self._pending():
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

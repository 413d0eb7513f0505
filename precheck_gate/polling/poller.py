"""Asks until every task has reached its end, the time is over, or asking makes no sense.

The poller judges nothing. It ends with an `Observation` of each requested task, and each says
either what the service said last, not longer ago than the allowed staleness, or why that is not
to be had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.errors import (
    BatchRefused,
    NotAnAnswer,
    ServiceError,
    TimeOver,
    TransientFault,
)
from precheck_gate.model.snapshots import Snapshot
from precheck_gate.polling.batches import ask_batch, batches_of
from precheck_gate.polling.events import Asked, Faulted, Waiting
from precheck_gate.polling.memory import Memory
from precheck_gate.polling.options import GENTLE_SECONDS, PollOptions
from precheck_gate.polling.repeating import Backoff, RetryBudget
from precheck_gate.polling.sweeps import Sweep, SweepTime
from precheck_gate.polling.watch import trouble_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.model.snapshots import Observation, Trouble
    from precheck_gate.polling.batches import Batch
    from precheck_gate.polling.cadence import Cadence
    from precheck_gate.polling.events import Observer
    from precheck_gate.polling.watch import Watch
    from precheck_gate.runtime.clock import Clock

    # Does the work for each batch, so many at once, and returns the results or what ended them.
    Parallel = Callable[
        [Callable[[Batch], "_Reply"], Sequence[Batch], int],
        dict[Batch, "_Reply | BaseException"],
    ]

__all__ = ["GENTLE_SECONDS", "Asker", "PollOptions", "Poller"]


class Asker(Protocol):
    """Whoever can be asked for pre-check results, within so many seconds."""

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks, or raise a `ServiceError`."""
        ...


def _anything(_: Snapshot) -> bool:
    return True


def _no_time(_: Snapshot) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer, when it came, and how long it took."""

    answer: Answer
    at: float
    seconds: float


@dataclass
class Poller:
    """Polls one service for a set of tasks.

    Args:
        asker: whom to ask; several threads may do so at once.
        clock: what the time is, and waiting.
        cadence: when to ask again.
        options: bounds.
        observer: who is told what happens.
        random: numbers from 0 to 1 for the jitter.
        accepts: whether a pre-check that ended will do; one that does not is asked for on and on.
        budget: how many requests may be repetitions after a fault.
        requests_for: how many requests it takes to ask for so many tasks; None for one a batch.
        afterwards: how many seconds before the deadline the polling has to end, since its end is
            not yet that of the run; estimated by a snapshot.
        parallel: how several batches are asked for at once.
    """

    asker: Asker
    clock: Clock
    cadence: Cadence
    options: PollOptions
    observer: Observer
    random: Callable[[], float]
    accepts: Callable[[Snapshot], bool] = _anything
    budget: RetryBudget = field(default_factory=RetryBudget)
    requests_for: Callable[[int], int] | None = None
    afterwards: Callable[[Snapshot], float] = _no_time
    parallel: Parallel = in_parallel
    trouble: Trouble | None = None

    def __post_init__(self) -> None:
        self._memory = Memory(self.observer)
        self._started = self._deadline = self._reserve = 0.0
        self._reserved = False
        self._turns = 0
        self._sweep = Sweep(self._turns)
        self._replies: dict[Batch, _Reply | BaseException] = {}
        self._faults_in_a_row = 0
        self._last_fault = TransientFault("no fault")
        self._ever_answered = False
        self._warned = False

    @property
    def remarks(self) -> list[str]:
        """Oddities that change no verdict."""
        return self._memory.remarks.texts()

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
        self.foresee(len(task_ids))
        try:
            while not self._is_over():
                fault = self._ask_all(self._due())
                self._memory.end_graces(self.clock.monotonic(), self.options.grace)
                if not self._is_over():
                    self._pause(fault)
        except TimeOver:
            return
        except ServiceError as error:
            self.give_up(error)

    def foresee(self, tasks: int) -> None:
        """Say so where so many tasks are too many to be confirmed at this rate."""
        self._sweep_time = SweepTime(
            tasks,
            self.options.batch_size,
            self.requests_for or (lambda number: -(-number // self.options.batch_size)),
            self.options.pace,
            self.options.width,
        )
        self._warn()

    def observations(self) -> list[Observation]:
        """Return what is known of each task now, in the order in which they were requested."""
        return self._memory.observations(
            self.clock.monotonic(), self._started, self.options.max_staleness, self.trouble
        )

    # Whom to ask

    def _is_over(self) -> bool:
        """Return whether there is no time left, or nobody to ask."""
        return self._left() <= 0 or not (self._memory.pending() or self._unconfirmed())

    def _due(self) -> list[Watch]:
        """Return the tasks to ask for now, first the one that was answered for longest ago.

        Those are the pending ones, or, when there are none, those whose answer is too old. A sweep
        that a fault interrupted goes on with the tasks that it had not come to.
        """
        pending = self._memory.pending()
        confirming = not pending
        wanted = self._unconfirmed() if confirming else self._ready(pending)
        goes_on = self._sweep.confirming if confirming else self._sweep.interrupted
        due = self._sweep.open(wanted) if goes_on else []
        if not due:
            self._sweep = Sweep(self._turns, confirming)
            due = wanted
        return sorted(due, key=lambda watch: watch.heard)

    def _ready(self, pending: Sequence[Watch]) -> list[Watch]:
        """Return those of the pending tasks that need not be left alone now."""
        now = self.clock.monotonic()
        return [watch for watch in pending if watch.rest(now, self.options.gentle) <= 0]

    def _unconfirmed(self) -> list[Watch]:
        """Return the tasks whose answers are too old, or will be when those are confirmed.

        One confirming sweep is enough: where it went well and took so long that its first answers
        are too old by now, the next one would, too.
        """
        now, count = self.clock.monotonic(), 0
        stale = self._memory.stale(now, self.options.max_staleness)
        while len(stale) > count:
            count = len(stale)
            end = now + self._sweep_time.seconds(count)
            stale = self._memory.stale(end, self.options.max_staleness)
        if not self._sweep.confirming or self._sweep.faulty:
            return stale
        return self._sweep.open(stale)

    # Asking

    def _ask_all(self, due: Sequence[Watch]) -> TransientFault | None:
        """Ask for all that are due, until a fault interrupts it; return the last fault.

        Raises:
            TimeOver: the deadline came meanwhile.
        """
        fault: TransientFault | None = None
        self._sweep.interrupted = False
        batches = batches_of(due, self.options.batch_size)
        while batches:
            width = self._width()
            group, batches = batches[:width], batches[width:]
            faults = self._ask_group(group)
            for fault in faults:
                if isinstance(fault, TimeOver):
                    raise fault
            self._warn()
            busy = [fault for fault in faults if not isinstance(fault, NotAnAnswer)]
            if busy:
                # A service that throttles or is out of reach is not asked for the next batch.
                self._sweep.interrupted = bool(batches)
                return busy[-1]
        return fault

    def _ask_group(self, group: Sequence[Batch]) -> list[TransientFault]:
        """Ask for some batches at once; return the faults."""
        faults: list[TransientFault] = []
        since = self.clock.monotonic()
        self._request(group)
        for batch in group:
            try:
                ask_batch(batch, self._ask, self._accuse)
            except TimeOver as error:
                faults.append(error)
                self._memory.cut_off(batch, error.message)
            except TransientFault as error:
                faults.append(error)
                self._sweep.faulty = True
                self._memory.miss(batch, error, since)
        return faults

    def _width(self) -> int:
        """Return how many batches to ask for at once."""
        alone = self._faults_in_a_row or not self._sweep.confirming
        return 1 if alone else self._sweep_time.width

    def _request(self, group: Sequence[Batch]) -> None:
        """Send a request for each batch of a group, and keep the replies for `_ask`."""
        if self._left() <= 0:
            raise TimeOver("The time of the run is over.")
        for batch in group:
            self.observer.notify(Asked(batch))
            self._turns += 1
            self._memory.ask(batch, self._turns)
            if self._faults_in_a_row:
                self.budget.spend(self._last_fault)
        self._replies |= self.parallel(self._reply_to, group, len(group))

    def _reply_to(self, batch: Batch) -> _Reply:
        began = self.clock.monotonic()
        answer = self.asker.precheck_results(batch, self._left())
        now = self.clock.monotonic()
        return _Reply(answer, now, now - began)

    def _ask(self, batch: Batch) -> None:
        """Take the reply for a batch, which is asked for where that was not done yet."""
        if batch not in self._replies:
            self._request([batch])
        reply = self._replies.pop(batch)
        if isinstance(reply, BatchRefused):
            self._reached()
        if isinstance(reply, BaseException):
            raise reply
        self._reached()
        if self._width() == 1:
            self._sweep_time.note(reply.seconds)
        self._memory.take(batch, reply.answer, reply.at, self.accepts)
        self._keep_time(reply.answer)
        if reply.answer.fault is not None:
            raise reply.answer.fault

    def _reached(self) -> None:
        self._faults_in_a_row = 0
        self._ever_answered = True

    def _accuse(self, task_id: str, refused: BatchRefused) -> None:
        self._memory.accuse(task_id, refused, self.clock.monotonic())

    def _warn(self) -> None:
        """Say so where a wave is too large to be confirmed."""
        if not self._warned and (text := self._sweep_time.objection(self.options.max_staleness)):
            self._warned = True
            self._memory.remarks.add(text, "remarks on the wave")

    # Waiting

    def _left(self) -> float:
        return self._deadline - self._reserve - self.clock.monotonic()

    def _keep_time(self, answer: Answer) -> None:
        """Keep time for what comes afterwards, by the largest snapshots until one has ended."""
        seen = [one for one in answer.entries.values() if isinstance(one, Snapshot)]
        if seen and not self._reserved:
            largest = max(seen, key=lambda one: len(one.items))
            self._reserved = largest.complete
            needed = min(self.afterwards(largest), self.options.timeout / 2)
            self._reserve = max(self._reserve, needed)

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
            self.clock.sleep(min(rest, self.options.heartbeat))

    def _next_delay(self) -> float:
        now = self.clock.monotonic()
        pending = self._memory.pending()
        if not pending:
            # What is too old is confirmed at once.
            return 0.0
        running = [watch.pace() for watch in pending if not watch.refused]
        if running:
            return self.cadence.delay(now - self._started, running)
        return max(1.0, min(watch.rest(now, self.options.gentle) for watch in pending))

    def _backoff(self, fault: TransientFault) -> float:
        now = self.clock.monotonic()
        if not self._ever_answered and now - self._started >= self.options.grace:
            raise fault
        self._faults_in_a_row += 1
        self._last_fault = fault
        backoff = Backoff(self.random, self.options.backoff, self.options.longest_backoff)
        return self.budget.pause(fault, backoff.delay(self._faults_in_a_row, fault))

    def give_up(self, error: ServiceError) -> None:
        """Take an error for the end of the whole run."""
        self.trouble = trouble_from(error)
        self.observer.notify(Faulted(error.message, None))

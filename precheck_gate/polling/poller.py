"""Ask until every task has ended, the time is over, or asking makes no sense.

The poller judges nothing. At the end there is an `Observation` of each task: the latest result, no
older than the allowed staleness, or why it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.errors import BatchRefused, NotAnAnswer, ServiceError, TimeOver, TransientFault
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.events import Answered, Asked, Faulted, Remarks, TaskChanged, Waiting
from precheck_gate.polling.retries import Backoff, RetryBudget, ask_in_parts, batches
from precheck_gate.polling.timing import SweepTime
from precheck_gate.polling.watch import Watch, accusation, trouble_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.model.snapshots import Observation
    from precheck_gate.polling.events import Observer
    from precheck_gate.polling.retries import Batch
    from precheck_gate.polling.timing import Cadence
    from precheck_gate.runtime.process import Clock

    # Calls the function for each batch, so many at once; returns the results or what ended them.
    Parallel = Callable[
        [Callable[[Batch], "_Reply"], Sequence[Batch], int],
        dict[Batch, "_Reply | BaseException"],
    ]

GENTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PollOptions:
    """How to poll; all times in seconds.

    Attributes:
        timeout: the time limit of the whole run.
        grace: how long a task may have no answer, an error, or at 100 % an item without a status,
            before that is final; and how long the service may be unreachable at the start.
        max_staleness: the maximum age of a result that the verdict rests on.
        batch_size: tasks per request; the service advises at most 10.
        pace: the minimum time between two requests, which the client ensures.
        width: the maximum number of batches at once, when results have to be confirmed.
        backoff: the bound of the first pause after a fault; see `retries.Backoff`.
        heartbeat: the longest time without an event.
        gentle: how often to ask for a pre-check that has ended and is not accepted.
    """

    timeout: float = 1800.0
    grace: float = 60.0
    max_staleness: float = 60.0
    batch_size: int = 10
    pace: float = 0.1
    width: int = 4
    backoff: float = 1.0
    heartbeat: float = 20.0
    gentle: float = GENTLE_SECONDS


class Asker(Protocol):
    """Returns pre-check results: a client, or a layer around one."""

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks within so many seconds, or raise a `ServiceError`."""


@dataclass
class _Sweep:
    """A round of requests in which each task is asked for at most once.

    Attributes:
        before: the number of the latest request before it.
        confirming: whether it asks for tasks that have ended, because their results are too old.
        faulty: whether a request of it failed.
        interrupted: whether a fault ended it before all tasks were asked for.
    """

    before: int
    confirming: bool = False
    faulty: bool = False
    interrupted: bool = False

    def open(self, watches: Iterable[Watch]) -> list[Watch]:
        """Return the tasks that it has not asked for yet."""
        return [watch for watch in watches if watch.turn <= self.before]


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer, when it came, and how long it took."""

    answer: Answer
    at: float
    seconds: float


@dataclass
class Poller:
    """Polls the service for a set of tasks.

    Attributes:
        asker: returns results; several threads may call it at once.
        random: returns numbers from 0 to 1, for the jitter.
        accepts: decides whether the result of an ended pre-check is accepted; if not, the poller
            keeps asking.
        budget: the rate of retries.
        requests_for: returns the number of requests for a number of tasks; None: one per batch.
        afterwards: returns how many seconds before the deadline the polling has to end, because
            work follows; estimated from a result.
        parallel: sends several requests at once.
        trouble: why the whole run had to end; None if it did not.
    """

    asker: Asker
    clock: Clock
    cadence: Cadence
    options: PollOptions
    observer: Observer
    random: Callable[[], float]
    accepts: Callable[[Snapshot], bool] = lambda _: True
    budget: RetryBudget = field(default_factory=RetryBudget)
    requests_for: Callable[[int], int] | None = None
    afterwards: Callable[[Snapshot], float] = lambda _: 0.0
    parallel: Parallel = in_parallel
    trouble: Trouble | None = None

    def __post_init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._remarks = Remarks(self.observer)
        self._started = self._deadline = self._reserve = 0.0
        self._reserved = False
        self._turns = 0
        self._sweep = _Sweep(self._turns)
        self._replies: dict[Batch, _Reply | BaseException] = {}
        self._faults_in_a_row = 0
        self._last_fault = TransientFault("no fault")
        self._ever_answered = False
        self._warned = False

    @property
    def remarks(self) -> list[str]:
        """What was unusual, but changes no verdict."""
        return self._remarks.texts()

    @property
    def retries(self) -> int:
        """The number of retries so far."""
        return self.budget.used

    def poll(self, task_ids: Sequence[str]) -> None:
        """Ask until all is known or the time is over; then see `observations`.

        A signal raises `Interrupted`; `observations` then returns what was known.
        """
        self._watches = {task_id: Watch(task_id) for task_id in task_ids}
        self._started = self.clock.monotonic()
        self._deadline = self._started + self.options.timeout
        self.plan(len(task_ids))
        try:
            while not self._is_over():
                fault = self._ask_all(self._due())
                now = self.clock.monotonic()
                for watch in self._watches.values():
                    watch.end_grace(now, self.options.grace)
                if not self._is_over():
                    self._pause(fault)
        except TimeOver:
            return
        except ServiceError as error:
            self.give_up(error)

    def plan(self, tasks: int) -> None:
        """Estimate the time that so many tasks take; add a remark if it is too long."""
        self._sweep_time = SweepTime(
            tasks,
            self.options.batch_size,
            self.requests_for or (lambda number: -(-number // self.options.batch_size)),
            self.options.pace,
            self.options.width,
        )
        self._warn()

    def give_up(self, error: ServiceError) -> None:
        """Let an error end the whole run."""
        self.trouble = trouble_from(error)
        self.observer.notify(Faulted(error.message, None))

    def observations(self) -> list[Observation]:
        """Return what is known of each task now, in the order of the run."""
        now, longest = self.clock.monotonic(), self.options.max_staleness
        return [
            watch.observe(now, self._started, longest, self.trouble)
            for watch in self._watches.values()
        ]

    # Which tasks to ask for

    def _pending(self) -> list[Watch]:
        """Return the tasks that have something left to wait for."""
        return [watch for watch in self._watches.values() if not watch.settled]

    def _stale(self, at: float) -> list[Watch]:
        """Return the tasks whose final result will be too old then for a verdict."""
        longest = self.options.max_staleness
        return [one for one in self._watches.values() if one.needs_confirmation(at, longest)]

    def _is_over(self) -> bool:
        return self._left() <= 0 or not (self._pending() or self._unconfirmed())

    def _due(self) -> list[Watch]:
        """Return the tasks to ask for now, the one with the oldest answer first.

        These are the pending tasks or, without any, those whose results are too old. A sweep that a
        fault interrupted continues with the tasks that it has not asked for.
        """
        pending = self._pending()
        confirming = not pending
        if confirming:
            wanted, continues = self._unconfirmed(), self._sweep.confirming
        else:
            now = self.clock.monotonic()
            wanted = [watch for watch in pending if watch.pause(now, self.options.gentle) <= 0]
            continues = self._sweep.interrupted
        due = self._sweep.open(wanted) if continues else []
        if not due:
            self._sweep = _Sweep(self._turns, confirming)
            due = wanted
        return sorted(due, key=lambda watch: watch.heard)

    def _unconfirmed(self) -> list[Watch]:
        """Return the tasks whose results are too old, or will be when those are confirmed.

        One confirming sweep is enough: if it had no fault and its first answers are too old again
        at its end, the next sweep would not be faster.
        """
        now, count = self.clock.monotonic(), 0
        stale = self._stale(now)
        while len(stale) > count:
            count = len(stale)
            stale = self._stale(now + self._sweep_time.seconds(count))
        if not self._sweep.confirming or self._sweep.faulty:
            return stale
        return self._sweep.open(stale)

    # Asking

    def _ask_all(self, due: Sequence[Watch]) -> TransientFault | None:
        """Ask for all tasks that are due, unless a fault interrupts it; return the last fault.

        Raises:
            TimeOver: the deadline came meanwhile.
        """
        fault: TransientFault | None = None
        self._sweep.interrupted = False
        # A task in error is asked for alone: it must not cost the others their answers.
        todo = batches([one.task_id for one in due if not one.suspect], self.options.batch_size)
        todo += [(watch.task_id,) for watch in due if watch.suspect]
        while todo:
            width = self._width()
            group, todo = todo[:width], todo[width:]
            faults = self._ask_group(group)
            for fault in faults:
                if isinstance(fault, TimeOver):
                    raise fault
            self._warn()
            busy = [fault for fault in faults if not isinstance(fault, NotAnAnswer)]
            if busy:
                # A service that throttles or is unreachable gets no further request now.
                self._sweep.interrupted = bool(todo)
                return busy[-1]
        return fault

    def _ask_group(self, group: Sequence[Batch]) -> list[TransientFault]:
        """Ask for some batches at once; return the faults."""
        faults: list[TransientFault] = []
        since = self.clock.monotonic()
        self._request(group)
        for batch in group:
            try:
                ask_in_parts(batch, self._ask, self._accuse, deduce=True)
            except TimeOver as error:
                faults.append(error)
                for task_id in batch:
                    self._watches[task_id].cut_off = error.message
            except TransientFault as error:
                faults.append(error)
                self._sweep.faulty = True
                for task_id in batch:
                    self._watches[task_id].miss(error, since)
        return faults

    def _width(self) -> int:
        """Return how many batches to ask for at once."""
        alone = self._faults_in_a_row or not self._sweep.confirming
        return 1 if alone else self._sweep_time.width

    def _request(self, group: Sequence[Batch]) -> None:
        """Send a request for each batch of a group, and keep the replies for `_ask`."""
        if self._left() <= 0:
            raise TimeOver("The time limit of the run was reached.")
        for batch in group:
            self.observer.notify(Asked(batch))
            self._turns += 1
            for task_id in batch:
                self._watches[task_id].turn = self._turns
            if self._faults_in_a_row:
                self.budget.spend(self._last_fault)
        self._replies |= self.parallel(self._reply_to, group, len(group))

    def _reply_to(self, batch: Batch) -> _Reply:
        began = self.clock.monotonic()
        answer = self.asker.precheck_results(batch, self._left())
        now = self.clock.monotonic()
        return _Reply(answer, now, now - began)

    def _ask(self, batch: Batch) -> None:
        """Take the reply for a batch; send the request first if that is not done yet."""
        if batch not in self._replies:
            self._request([batch])
        reply = self._replies.pop(batch)
        if isinstance(reply, BatchRefused | _Reply):
            self._faults_in_a_row = 0
            self._ever_answered = True
        if isinstance(reply, BaseException):
            raise reply
        if self._width() == 1:
            self._sweep_time.note(reply.seconds)
        self._take(batch, reply)
        self._keep_time(reply.answer)
        if reply.answer.fault is not None:
            raise reply.answer.fault

    def _take(self, batch: Batch, reply: _Reply) -> None:
        """Take what an answer says of the tasks of a batch."""
        answer = reply.answer
        for remark in answer.remarks:
            self._remarks.add(remark, "remarks on unusual answers")
        for task_id in answer.entries:
            if task_id not in batch:
                self._remarks.add(
                    f"the service answered for task {task_id}, which was not asked for",
                    "answers for tasks that were not asked for",
                )
        sound = [name for name in batch if isinstance(answer.entries.get(name), Snapshot)]
        self.observer.notify(Answered(tuple(sound)))
        for task_id in batch:
            match answer.entries.get(task_id):
                case Snapshot() as snapshot:
                    watch = self._watches[task_id]
                    changed = watch.see(snapshot, reply.at)
                    watch.accepted = self.accepts(snapshot)
                    if changed:
                        self.observer.notify(TaskChanged(task_id, snapshot, None))
                case Trouble() as trouble:
                    self._record_trouble(task_id, trouble, reply.at)
                case None if answer.fault is None:
                    trouble = Trouble(
                        TroubleKind.NOT_ANSWERED,
                        "the service answered, but not for this task",
                        hint="Check the task's ID; was its pre-check started?",
                    )
                    self._record_trouble(task_id, trouble, reply.at)

    def _accuse(self, task_id: str, refused: BatchRefused) -> None:
        self._record_trouble(task_id, accusation(task_id, refused), self.clock.monotonic())

    def _record_trouble(self, task_id: str, trouble: Trouble, now: float) -> None:
        watch = self._watches[task_id]
        if watch.record_trouble(trouble, now):
            self.observer.notify(TaskChanged(task_id, watch.snapshot, trouble))

    def _warn(self) -> None:
        """Add a remark, once, if the tasks are too many to be confirmed in time."""
        if not self._warned and (text := self._sweep_time.objection(self.options.max_staleness)):
            self._warned = True
            self._remarks.add(text, "remarks on the number of tasks")

    # Waiting

    def _left(self) -> float:
        return self._deadline - self._reserve - self.clock.monotonic()

    def _keep_time(self, answer: Answer) -> None:
        """Reserve time for the work afterwards, by the largest results until one is complete."""
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
        total = len(self._watches)
        done = total - len(self._pending())
        end = self.clock.monotonic() + delay
        # In slices, so that an observer can show a sign of life during a long pause.
        while (rest := end - self.clock.monotonic()) > 0:
            self.observer.notify(Waiting(rest, self._left(), done, total))
            self.clock.sleep(min(rest, self.options.heartbeat))

    def _next_delay(self) -> float:
        now = self.clock.monotonic()
        pending = self._pending()
        if not pending:
            # Results that are too old are confirmed at once.
            return 0.0
        running = [watch.pace() for watch in pending if not watch.refused]
        if running:
            return self.cadence.delay(now - self._started, running)
        return max(1.0, min(watch.pause(now, self.options.gentle) for watch in pending))

    def _backoff(self, fault: TransientFault) -> float:
        now = self.clock.monotonic()
        if not self._ever_answered and now - self._started >= self.options.grace:
            raise fault
        self._faults_in_a_row += 1
        self._last_fault = fault
        backoff = Backoff(self.random, self.options.backoff)
        return self.budget.pause(fault, backoff.delay(self._faults_in_a_row, fault))

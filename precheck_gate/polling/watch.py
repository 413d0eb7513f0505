"""What is known of one task during polling, and what that means at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.polling.timing import Pace

if TYPE_CHECKING:
    from precheck_gate.errors import BatchRefused, ServiceError

MAX_TIMELINE = 200


@dataclass(slots=True)
class Watch:
    """The state of one task; all times are seconds of the monotonic clock.

    Attributes:
        turn: the number of the latest request for the task, from 1; 0 for none.
        heard: the number of the latest request that brought an answer for it; 0 for none.
        answered_at: when ``snapshot``, the latest result, came.
        trouble: why the latest answer does not count; None if it does.
        troubled_since: since when there has been trouble, or an item without a status at 100 %,
            without a break.
        final: whether that lasted longer than its grace.
        fault: why the latest request brought no answer; None if it did.
        cut_off: why the run ended before the latest request was answered; "" if it was.
        accepted: whether the result is accepted; if not, the gate waits for another one.
        timeline: (time, percent) of each step of progress.
    """

    task_id: str
    turn: int = 0
    heard: int = 0
    snapshot: Snapshot | None = None
    answered_at: float | None = None
    trouble: Trouble | None = None
    troubled_since: float | None = None
    final: bool = False
    fault: ServiceError | None = None
    cut_off: str = ""
    accepted: bool = True
    timeline: list[tuple[float, float]] = field(default_factory=list)
    # The first and the last (time, percent) since the progress was unknown or went down.
    _gain: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        if self.trouble is not None:
            return self.final
        return self._complete and self.accepted and (self.final or not self._unfinished)

    @property
    def refused(self) -> bool:
        """Whether the pre-check has ended with a result that is not accepted."""
        return self.trouble is None and self._complete and not self.accepted

    def pause(self, now: float, gentle: float) -> float:
        """Return how long to send no request for the task: only if its result is not accepted."""
        return gentle - self._age(now) if self.refused else 0.0

    @property
    def _complete(self) -> bool:
        return self.snapshot is not None and self.snapshot.complete

    @property
    def _unfinished(self) -> bool:
        """Whether the task is at 100 %, but an item has no status yet."""
        return self.snapshot is not None and self.snapshot.complete and self.snapshot.unfinished

    @property
    def suspect(self) -> bool:
        """Whether the service may refuse a batch because of the task."""
        return self.trouble is not None and self.trouble.kind is TroubleKind.TASK_ERROR

    def needs_confirmation(self, now: float, max_staleness: float) -> bool:
        """Return whether the result is final, but too old for the verdict to rest on it."""
        return self.trouble is None and self._complete and self._age(now) > max_staleness

    def _age(self, now: float) -> float:
        return float("inf") if self.answered_at is None else now - self.answered_at

    def see(self, snapshot: Snapshot, now: float) -> bool:
        """Take a result; return whether it is new."""
        changed = self.trouble is not None or snapshot != self.snapshot
        self._note_progress(snapshot, now)
        self.snapshot, self.answered_at = snapshot, now
        self.trouble, self.fault, self.heard = None, None, self.turn
        if self._unfinished:
            self.troubled_since = now if self.troubled_since is None else self.troubled_since
        else:
            self.troubled_since, self.final = None, False
        return changed

    def _note_progress(self, snapshot: Snapshot, now: float) -> None:
        if snapshot.progress is None:
            self._gain = None
            return
        step = (now, float(snapshot.progress))
        first = step if self._gain is None or step[1] < self._gain[1][1] else self._gain[0]
        self._gain = (first, step)
        if self.snapshot is None or snapshot.progress != self.snapshot.progress:
            # Progress that goes up and down forever must not use up the memory.
            if len(self.timeline) >= MAX_TIMELINE:
                del self.timeline[1:-1:2]
            self.timeline.append(step)

    def record_trouble(self, trouble: Trouble, now: float) -> bool:
        """Take trouble; return whether it is new."""
        changed = trouble != self.trouble
        self.trouble, self.fault, self.heard = trouble, None, self.turn
        if self.troubled_since is None:
            self.troubled_since = now
        return changed

    def miss(self, fault: ServiceError, since: float) -> None:
        """Take note that a request failed, unless an answer came after ``since``."""
        if self.answered_at is None or self.answered_at < since:
            self.fault = fault

    def end_grace(self, now: float, grace: float) -> None:
        """Make trouble, or a missing status, final if it has lasted for ``grace`` seconds."""
        # A new result takes as long as its pre-check: the gate waits for it until the deadline.
        waiting = self.trouble is not None and self.trouble.kind is TroubleKind.OUTDATED
        lasted = self.troubled_since is not None and now - self.troubled_since >= grace
        self.final = lasted and not waiting

    def pace(self) -> Pace:
        """Return how fast the task proceeds."""
        if self._gain is None:
            return Pace(None, 0.0, 0.0)
        (since, first), (until, last) = self._gain
        return Pace(last, until - since, last - first)

    def observe(
        self, now: float, started: float, max_staleness: float, run_trouble: Trouble | None
    ) -> Observation:
        """Return what is known now; ``run_trouble`` is why the whole run had to end."""
        trouble = self.trouble
        if trouble is None and not self.settled and run_trouble is not None:
            trouble = run_trouble
        elif trouble is None and self.fault is not None:
            trouble = trouble_from(self.fault)
        elif self.needs_confirmation(now, max_staleness):
            trouble = Trouble(
                TroubleKind.STALE,
                f"the last answer is {self._age(now):.0f} s old and could not be confirmed",
                hint="Run the gate again with a longer --timeout or --max-staleness, a higher "
                "--max-rps, or fewer tasks.",
            )
        elif self.cut_off and self.snapshot is None and trouble is None:
            trouble = Trouble(
                TroubleKind.UNFINISHED,
                f"the run ended before the service answered for this task: {self.cut_off}",
                hint="Run the gate again, with a longer --timeout.",
            )
        elif trouble is None and self._unfinished and not self.final:
            trouble = Trouble(
                TroubleKind.UNFINISHED,
                "the pre-check is at 100 %, but some of its items have no status yet",
                hint="Run the gate again, with a longer --timeout.",
            )
        timeline = tuple((round(at - started, 1), percent) for at, percent in self.timeline)
        return Observation(self.task_id, self.snapshot, trouble, timeline, age=self._age(now))


def trouble_from(error: ServiceError) -> Trouble:
    """Return an error of the service as the trouble of a task or run."""
    return Trouble(TroubleKind.SERVICE, error.message, code=error.code, hint=error.hint)


def accusation(task_id: str, refused: BatchRefused) -> Trouble:
    """Return a refusal as the trouble of the task at fault."""
    code, message = refused.culprits.get(task_id, ("", ""))
    return Trouble(
        TroubleKind.TASK_ERROR,
        message if message.strip() else refused.message,
        code=code or refused.code,
        hint=refused.hint,
    )

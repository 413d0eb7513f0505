"""What is known of all tasks while they are polled; whoever watches is told when that changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.polling.events import Answered, TaskChanged
from precheck_gate.polling.remarks import Remarks
from precheck_gate.polling.watch import Watch, accusation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.errors import BatchRefused, TransientFault
    from precheck_gate.polling.events import Observer

__all__ = ["Memory"]


@dataclass
class Memory:
    """The watches of the tasks of one run, and the remarks on it; knows no clock.

    Args:
        observer: who is told what changes.
    """

    observer: Observer
    _watches: dict[str, Watch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.remarks = Remarks(self.observer)

    def begin(self, task_ids: Iterable[str]) -> None:
        """Forget all tasks, and watch these."""
        self._watches = {task_id: Watch(task_id) for task_id in task_ids}

    # What is known

    def __len__(self) -> int:
        return len(self._watches)

    @property
    def settled(self) -> int:
        """How many tasks have nothing left to wait for."""
        return sum(watch.settled for watch in self._watches.values())

    def pending(self) -> list[Watch]:
        """Return the tasks that have something left to wait for."""
        return [watch for watch in self._watches.values() if not watch.settled]

    def stale(self, now: float, max_staleness: float) -> list[Watch]:
        """Return the tasks that ended so long ago that the verdict must not rest on it."""
        watches = self._watches.values()
        return [watch for watch in watches if watch.needs_confirmation(now, max_staleness)]

    def observations(
        self, now: float, started: float, max_staleness: float, run_trouble: Trouble | None
    ) -> list[Observation]:
        """Return what is known of each task, as `Watch.observe` does, in the order of the run."""
        return [
            watch.observe(now, started, max_staleness, run_trouble)
            for watch in self._watches.values()
        ]

    # Learning

    def ask(self, batch: Iterable[str], turn: int) -> None:
        """Take note that tasks are asked for, in this turn."""
        for task_id in batch:
            self._watches[task_id].turn = turn

    def take(
        self,
        batch: Sequence[str],
        answer: Answer,
        now: float,
        accepts: Callable[[Snapshot], bool],
    ) -> None:
        """Take an answer for a batch; ``accepts`` says whether an ended pre-check will do."""
        for remark in answer.remarks:
            self.remarks.add(remark, "remarks on odd answers")
        for task_id in answer.entries:
            if task_id not in batch:
                self.remarks.add(
                    f"the service answered for task {task_id}, which was not asked for",
                    "answers for tasks that were not asked for",
                )
        sound = [name for name in batch if isinstance(answer.entries.get(name), Snapshot)]
        self.observer.notify(Answered(tuple(sound)))
        for task_id in batch:
            match answer.entries.get(task_id):
                case Snapshot() as snapshot:
                    self._see(task_id, snapshot, now, accepts)
                case Trouble() as trouble:
                    self._suffer(task_id, trouble, now)
                case None if answer.fault is not None:
                    pass  # it is the fault's
                case None:
                    trouble = Trouble(
                        TroubleKind.NOT_ANSWERED,
                        "the service answered, but not for this task",
                        hint="Check the task's ID; was its pre-check started?",
                    )
                    self._suffer(task_id, trouble, now)

    def accuse(self, task_id: str, refused: BatchRefused, now: float) -> None:
        """Take a refusal for the trouble of one task."""
        self._suffer(task_id, accusation(task_id, refused), now)

    def miss(self, batch: Iterable[str], fault: TransientFault, since: float) -> None:
        """Take note that a request brought nothing for those not answered after ``since``."""
        for task_id in batch:
            self._watches[task_id].miss(fault, since)

    def cut_off(self, batch: Iterable[str], why: str) -> None:
        """Take note that the run ended before a request was answered."""
        for task_id in batch:
            self._watches[task_id].cut_off = why

    def end_graces(self, now: float, grace: float) -> None:
        """Make all trouble final that has lasted for ``grace`` seconds."""
        for watch in self._watches.values():
            watch.end_grace(now, grace)

    def _see(
        self, task_id: str, snapshot: Snapshot, now: float, accepts: Callable[[Snapshot], bool]
    ) -> None:
        watch = self._watches[task_id]
        changed = watch.see(snapshot, now)
        watch.accepted = accepts(snapshot)
        if changed:
            self.observer.notify(TaskChanged(task_id, snapshot, None))

    def _suffer(self, task_id: str, trouble: Trouble, now: float) -> None:
        watch = self._watches[task_id]
        if watch.record_trouble(trouble, now):
            self.observer.notify(TaskChanged(task_id, watch.snapshot, trouble))

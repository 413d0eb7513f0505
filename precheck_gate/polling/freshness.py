"""Results that count: those of a pre-check that was started here, and how that is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.errors import BatchRefused
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.events import Remarked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.model.snapshots import Item
    from precheck_gate.polling.poller import Asker
    from precheck_gate.polling.starting import Starter

__all__ = ["FreshResults", "Proof", "Restarts", "prove"]

_BATCH = 10


class Proof(Enum):
    """How a result is known to be of the pre-check that was started here."""

    OWN_ID = "the service gives it under the started pre-check's own ID"
    PROGRESS = "its progress was seen below 100 % after the start"
    CHANGED = "it differs from the result before the start"


def prove(before: Snapshot | None, snapshot: Snapshot, *, own: bool) -> Proof | None:
    """Return what proves that a snapshot is of a run that began after ``before`` was seen.

    ``before`` None means that nothing is known of an earlier pre-check: one could have ended, or be
    running, all the same. A pre-check that was already running then proves nothing by running on or
    ending.
    """
    if own:
        return Proof.OWN_ID
    progress = snapshot.progress
    if progress is None:
        return None
    if progress < 100:
        if before is None or before.progress is None:
            # Whoever started it, all that it will say is of checks that had not ended by now.
            shown = progress == 0 and _all_run(snapshot.items)
        else:
            # At 0 % without an item, none was running. That alone does not show that one is now.
            began = _idle(before) and not _idle(snapshot)
            shown = began or progress < before.progress
        return Proof.PROGRESS if shown else None
    return Proof.CHANGED if before is not None and _differs(before, snapshot) else None


def _idle(snapshot: Snapshot) -> bool:
    return snapshot.progress == 0 and not snapshot.items


def _all_run(items: Sequence[Item]) -> bool:
    """Return whether there are checks, and none of them has ended."""
    return bool(items) and all(item.unfinished for item in items)


def _differs(before: Snapshot, now: Snapshot) -> bool:
    """Return whether two results at 100 % are judged by anything that only a new run changes.

    Order, spelling, groups, rates, ``data`` and the like may differ between two answers about one
    run.
    """
    if not before.complete or before.unfinished or now.unfinished:
        return False  # what had not ended may go on by itself
    if Counter(map(_judged, before.items)) != Counter(map(_judged, now.items)):
        return True
    # A person can switch a check off without a new run, and `result` may turn with it.
    if Counter(map(_switched_off, before.items)) != Counter(map(_switched_off, now.items)):
        return False
    return {before.raw_result, now.raw_result} == {"true", "false"}


def _judged(item: Item) -> tuple[object, ...]:
    """Return what an item is judged by, save whether it was skipped."""
    subs = Counter((sub.id or sub.name, sub.status) for sub in item.sub_tasks)
    return item.name, item.status, item.failed_reason.strip(), frozenset(subs.items())


def _switched_off(item: Item) -> tuple[str, bool]:
    return item.name, item.skipped


@dataclass(frozen=True, slots=True)
class Restarts:
    """When a pre-check that ended and is not accepted is started again.

    Attributes:
        every: how many seconds after the last start.
        accepts: whether a finished pre-check will do.
    """

    every: float
    accepts: Callable[[Snapshot], bool]


@dataclass(slots=True)
class _Run:
    """A pre-check that was started here.

    Attributes:
        before: the result before the start; None where the service did not tell it.
        seen: what was told last after the start, as long as that proved nothing.
        proof: what shows that the last result is of this pre-check.
        repeated: whether it was started once more since nothing showed that.
    """

    before: Snapshot | None
    seen: Snapshot | None = None
    proof: Proof | None = None
    repeated: bool = False

    @property
    def may_be_repeated(self) -> bool:
        """Whether starting it once more helps: the next result can be told from this one.

        So it is where no result was known before the start, and it was not seen to begin.
        """
        known = self.before is not None and self.before.complete
        return self.proof is None and not known and not self.repeated

    def prove(self, snapshot: Snapshot, *, own: bool) -> None:
        """Look for a proof in another snapshot."""
        # Once it was seen to run, what follows is its own. An ID proves the result that bears it,
        # and a difference the one that differs: the old result may still be told after that.
        if self.proof is Proof.PROGRESS:
            return
        self.proof = prove(self.before, snapshot, own=own)
        if self.proof is None and self.seen is not None:
            # What began after a sight that came after the start began after the start.
            later = prove(self.seen, snapshot, own=False)
            self.proof = later if later is Proof.PROGRESS else None
        if self.proof is None and snapshot.progress is not None:
            self.seen = snapshot


@dataclass
class FreshResults:
    """Asks for results, and holds back those from before a start.

    Args:
        asker: whom to ask.
        starter: who starts pre-checks.
        restarts: when to start one again; None for never.
    """

    asker: Asker
    starter: Starter
    restarts: Restarts | None = None
    _runs: dict[str, _Run] = field(default_factory=dict)
    _refused: dict[str, Snapshot] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def begin(self, task_ids: Sequence[str], deadline: float) -> dict[str, Trouble]:
        """Look at the results so far, start all pre-checks, and return why some could not be.

        Raises:
            ServiceError: the service could not be asked.
        """
        failed: dict[str, Trouble] = {}
        for first in range(0, len(task_ids), _BATCH):
            batch = task_ids[first : first + _BATCH]
            before = self._look(batch, deadline)
            failed |= self._start(batch, before, deadline)
            # Where nothing is known of before, a pre-check has to be seen as it begins: not only
            # after all other batches were started and asked for.
            unknown = [task for task in batch if task not in failed and task not in before]
            if unknown and len(task_ids) > _BATCH:
                for task, snapshot in self._look(unknown, deadline).items():
                    self._runs[task].prove(snapshot, own=False)
        begun = len(task_ids) - len(failed)
        self._tell(f"pre-checks started: {begun} of {len(task_ids)}")
        return failed

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks, where what is not proven to be new does not count."""
        deadline = self._now() + seconds
        due = [task for task in task_ids if self._is_due(task)]
        if due:
            self._restart(due, deadline)
        answer = self.asker.precheck_results(task_ids, deadline - self._now())
        entries = {
            task: self._admit(task, entry, own=task in answer.own)
            if isinstance(entry, Snapshot)
            else entry
            for task, entry in answer.entries.items()
        }
        return replace(answer, entries=entries)

    def remarks(self) -> list[str]:
        """Return how it is known that the results are those of the pre-checks started here."""
        found: list[str] = []
        for proof in Proof:
            tasks = [task for task, run in self._runs.items() if run.proof is proof]
            if tasks:
                more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
                names = ", ".join(tasks[:3])
                found.append(
                    f"a result counts as that of the pre-check started here since {proof.value}: "
                    f"{names}{more}"
                )
        return found

    def _admit(self, task: str, snapshot: Snapshot, *, own: bool) -> Snapshot | Trouble:
        run = self._runs.get(task)
        if run is not None:
            run.prove(snapshot, own=own)
            if run.proof is None and snapshot.complete:
                # Where starting again is wanted, this run gets no more time than any other.
                self._refused[task] = snapshot
                return Trouble(
                    TroubleKind.OUTDATED,
                    "nothing shows that this result is of the pre-check that was started, and not "
                    "from before",
                    hint="Look at the task in the DRS console; run the gate again.",
                )
        if self.restarts is not None:
            if snapshot.complete and not self.restarts.accepts(snapshot):
                self._refused[task] = snapshot
                self._since.setdefault(task, self._now())
            else:
                self._refused.pop(task, None)
        return snapshot

    def _look(self, batch: Sequence[str], deadline: float) -> dict[str, Snapshot]:
        """Return the results of tasks now, of those for which the service has one."""
        try:
            answer = self.starter.repeater.call(
                lambda seconds: self.asker.precheck_results(batch, seconds), deadline
            )
        except BatchRefused as refused:
            rest = [task for task in batch if task not in refused.culprits]
            if len(batch) == 1 or not rest:
                return {}
            if len(rest) < len(batch):
                return self._look(rest, deadline)
            middle = len(batch) // 2
            return self._look(batch[:middle], deadline) | self._look(batch[middle:], deadline)
        return {
            task: entry
            for task, entry in answer.entries.items()
            if task in batch and isinstance(entry, Snapshot)
        }

    def _start(
        self, tasks: Sequence[str], before: dict[str, Snapshot], deadline: float
    ) -> dict[str, Trouble]:
        failed = self.starter.start(tasks, deadline)
        now = self._now()
        for task in tasks:
            self._since[task] = now
            if task not in failed:
                self._runs[task] = _Run(before.get(task))
                self._refused.pop(task, None)
        return failed

    def _is_due(self, task: str) -> bool:
        if task not in self._refused:
            return False
        run = self._runs.get(task)
        if run is not None and run.may_be_repeated:
            run.repeated = True
            return True
        return self.restarts is not None and self._now() - self._since[task] >= self.restarts.every

    def _restart(self, due: Sequence[str], deadline: float) -> None:
        failed = self._start(due, dict(self._refused), deadline)
        for task in due:
            if task in failed:
                self._tell(f"task {task} was not started again: {failed[task].message}")
            else:
                self._tell(f"started the pre-check of task {task} again")

    def _tell(self, text: str) -> None:
        self.starter.repeater.observer.notify(Remarked(text))

    def _now(self) -> float:
        return self.starter.repeater.clock.monotonic()

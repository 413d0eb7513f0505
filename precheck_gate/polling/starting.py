"""Start pre-checks, and accept only results that are proven to be of the started ones."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from precheck_gate.drs.api.v3_wire import not_started
from precheck_gate.drs.http.replies import TRY_AGAIN
from precheck_gate.errors import TransientFault
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.events import Remarked
from precheck_gate.polling.retries import BATCH_SIZE, ask_in_parts, batches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.errors import BatchRefused
    from precheck_gate.model.snapshots import Item
    from precheck_gate.polling.poller import Asker
    from precheck_gate.polling.retries import Batch, Retrier

AUTO = "auto"
_STATES = (
    "A pre-check can be started in CONFIGURATION (forStartJob) or after a failure, in a status "
    "that ends in _FAILED (forRetryJob)."
)


class StartService(Protocol):
    """Starts pre-checks, and knows the status of tasks."""

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-check of each task in its mode."""

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task."""


@dataclass
class Starter:
    """Starts the pre-checks of tasks; ``mode`` is a mode of the service, or `AUTO`."""

    service: StartService
    retrier: Retrier
    mode: str = AUTO

    def start(self, task_ids: Sequence[str], deadline: float) -> dict[str, Trouble]:
        """Start the pre-checks, and return why some could not be started.

        A start is sent again if its reply was lost, or if the service asks to try again later: in
        both cases, the pre-check that then runs was started here.

        Raises:
            ServiceError: the service did not answer.
        """
        modes, failed = self._modes(task_ids, deadline)
        self._start(modes, failed, deadline)
        self._start_later(modes, failed, deadline)
        return failed

    def _start_later(
        self, modes: Mapping[str, str], failed: dict[str, Trouble], deadline: float
    ) -> None:
        """Start again what the service had no time for, within the grace."""
        rounds = itertools.count()

        def again(_: float) -> None:
            busy = _busy(failed)
            # The first call only raises, so that the retrier waits before the next start.
            waited = next(rounds) > 0
            if busy and waited:
                self._start({task: modes[task] for task in busy}, failed, deadline)
                busy = _busy(failed)
            if busy:
                trouble = failed[busy[0]]
                more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
                raise TransientFault(f"Task {busy[0]}{more}: {trouble.message}", code=trouble.code)

        # What cannot be started within the grace remains in ``failed``.
        with contextlib.suppress(TransientFault):
            self.retrier.call(again, deadline)

    def _start(self, modes: Mapping[str, str], failed: dict[str, Trouble], deadline: float) -> None:
        """Start pre-checks, and update ``failed``."""

        def ask(batch: Batch) -> None:
            wanted = {task: modes[task] for task in batch}
            started = self.retrier.call(
                lambda seconds: self.service.start(wanted, seconds), deadline
            )
            for task in batch:
                failed.pop(task, None)
                match started.get(task):
                    case Trouble() as trouble:
                        failed[task] = trouble
                    case None:
                        failed[task] = Trouble(
                            TroubleKind.NOT_ANSWERED,
                            "the service did not say whether its pre-check was started",
                            hint="Look at the task in the DRS console.",
                        )

        def accuse(task: str, refused: BatchRefused) -> None:
            code, message = refused.culprits.get(task, (refused.code, refused.message))
            failed[task] = not_started(message, code)

        for batch in batches(list(modes)):
            ask_in_parts(batch, ask, accuse)

    def _modes(
        self, task_ids: Sequence[str], deadline: float
    ) -> tuple[dict[str, str], dict[str, Trouble]]:
        if self.mode != AUTO:
            return dict.fromkeys(task_ids, self.mode), {}
        statuses: dict[str, str] = {}

        def ask(batch: Batch) -> None:
            found = self.retrier.call(
                lambda seconds: self.service.statuses(batch, seconds), deadline
            )
            statuses.update({task: found[task] for task in batch if task in found})

        for batch in batches(task_ids):
            ask_in_parts(batch, ask, _leave_out)
        modes: dict[str, str] = {}
        failed: dict[str, Trouble] = {}
        for task in task_ids:
            status = statuses.get(task, "")
            if mode := mode_for(status):
                modes[task] = mode
                continue
            shown = f"its status is {status}" if status else "its status is not known"
            failed[task] = Trouble(
                TroubleKind.TASK_ERROR,
                f"its pre-check was not started: {shown}",
                hint=f"{_STATES} Use --mode if the status does not show which one fits.",
            )
        return modes, failed


def _leave_out(_: str, __: BatchRefused) -> None:
    """Accept that there is no answer for a task."""


def _busy(failed: Mapping[str, Trouble]) -> list[str]:
    """Return the tasks for which the service asks to try again later."""
    return [task for task, trouble in failed.items() if trouble.code in TRY_AGAIN]


def mode_for(status: str) -> str:
    """Return the mode that fits a task's status; "" if its pre-check cannot be started."""
    if status == "CONFIGURATION":
        return "forStartJob"
    return "forRetryJob" if status.endswith("_FAILED") else ""


class Proof(Enum):
    """How a result is known to be of the pre-check that was started here."""

    OWN_ID = "it has the ID of the started pre-check"
    PROGRESS = "its progress was seen below 100 % after the start"
    CHANGED = "it differs from the result before the start"


def prove(before: Snapshot | None, snapshot: Snapshot, *, own: bool) -> Proof | None:
    """Return what proves that a result is of a pre-check that began after ``before`` was seen.

    Args:
        before: None if nothing is known of an earlier pre-check: one may have ended, or still run.
            One that was already running proves nothing by running on or by ending.
        snapshot: the result.
        own: whether the result has the ID of the started pre-check.
    """
    if own:
        return Proof.OWN_ID
    progress = snapshot.progress
    if progress is None:
        return None
    if progress < 100:
        if before is None or before.progress is None:
            # No check has ended yet, so all results are still to come, whoever started it.
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
    """Return whether two results at 100 % differ in anything that only a new pre-check changes.

    Order, spelling, groups, rates, ``data`` and the like may differ between two answers about one
    pre-check.
    """
    if not before.complete or before.unfinished or now.unfinished:
        return False  # what had not ended may end without a new pre-check
    if Counter(map(_judged, before.items)) != Counter(map(_judged, now.items)):
        return True
    # A person can switch a check off without a new pre-check, and `result` may change with it.
    if Counter((one.name, one.skipped) for one in before.items) != Counter(
        (one.name, one.skipped) for one in now.items
    ):
        return False
    return {before.raw_result, now.raw_result} == {"true", "false"}


def _judged(item: Item) -> tuple[object, ...]:
    """Return what an item is judged by, except whether it was skipped."""
    subs = Counter((sub.id or sub.name, sub.status) for sub in item.sub_tasks)
    return item.name, item.status, item.failed_reason.strip(), frozenset(subs.items())


@dataclass(frozen=True, slots=True)
class Restarts:
    """When to start a pre-check again whose result is not accepted: ``every`` seconds."""

    every: float
    accepts: Callable[[Snapshot], bool]


@dataclass(slots=True)
class _Run:
    """A pre-check that was started here.

    Attributes:
        before: the result before the start; None if the service returned none.
        seen: the latest result after the start, as long as nothing was proven.
        proof: what proves that the latest result is of this pre-check.
        repeated: whether it was started once more for lack of a proof.
    """

    before: Snapshot | None
    seen: Snapshot | None = None
    proof: Proof | None = None
    repeated: bool = False

    @property
    def may_be_repeated(self) -> bool:
        """Whether to start it once more, so that the next result can be compared with this one.

        That helps if no result was known before the start, and it was not seen to begin.
        """
        known = self.before is not None and self.before.complete
        return self.proof is None and not known and not self.repeated

    def prove(self, snapshot: Snapshot, *, own: bool) -> None:
        """Look for a proof in another result."""
        # Once it was seen to run, all later results are its own. An ID or a difference proves only
        # the result that has it: the service may still return the old one after that.
        if self.proof is Proof.PROGRESS:
            return
        self.proof = prove(self.before, snapshot, own=own)
        if self.proof is None and self.seen is not None:
            # What began after a result that came after the start began after the start.
            later = prove(self.seen, snapshot, own=False)
            self.proof = later if later is Proof.PROGRESS else None
        if self.proof is None and snapshot.progress is not None:
            self.seen = snapshot


@dataclass
class FreshResults:
    """Returns results, and holds back those from before a start; an `Asker`."""

    asker: Asker
    starter: Starter
    restarts: Restarts | None = None
    _runs: dict[str, _Run] = field(default_factory=dict)
    _refused: dict[str, Snapshot] = field(default_factory=dict)
    _since: dict[str, float] = field(default_factory=dict)

    def begin(self, task_ids: Sequence[str], deadline: float) -> dict[str, Trouble]:
        """Get the results so far, start all pre-checks, and return why some could not be started.

        Raises:
            ServiceError: the service did not answer.
        """
        failed: dict[str, Trouble] = {}
        for batch in batches(task_ids):
            before = self._look(batch, deadline)
            failed |= self._start(batch, before, deadline)
            # Without an earlier result, the pre-check has to be seen at its beginning: not only
            # after all other batches were started and asked for.
            unknown = tuple(task for task in batch if task not in failed and task not in before)
            if unknown and len(task_ids) > BATCH_SIZE:
                for task, snapshot in self._look(unknown, deadline).items():
                    self._runs[task].prove(snapshot, own=False)
        begun = len(task_ids) - len(failed)
        self._remark(f"pre-checks started: {begun} of {len(task_ids)}")
        return failed

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks, in which unproven results do not count."""
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
        """Return what proves that the results are of the pre-checks started here."""
        found: list[str] = []
        for proof in Proof:
            tasks = [task for task, run in self._runs.items() if run.proof is proof]
            if tasks:
                more = f" and {len(tasks) - 3} more" if len(tasks) > 3 else ""
                found.append(
                    "accepted as the result of the pre-check that this run started, because "
                    f"{proof.value}: {', '.join(tasks[:3])}{more}"
                )
        return found

    def _admit(self, task: str, snapshot: Snapshot, *, own: bool) -> Snapshot | Trouble:
        run = self._runs.get(task)
        if run is not None:
            run.prove(snapshot, own=own)
            if run.proof is None and snapshot.complete:
                # It may be due for a restart, like a result that is not accepted.
                self._refused[task] = snapshot
                return Trouble(
                    TroubleKind.OUTDATED,
                    "nothing proves that this result is of the pre-check that this run started; "
                    "it may be older",
                    hint="Look at the task in the DRS console; run the gate again.",
                )
        if self.restarts is not None:
            if snapshot.complete and not self.restarts.accepts(snapshot):
                self._refused[task] = snapshot
                self._since.setdefault(task, self._now())
            else:
                self._refused.pop(task, None)
        return snapshot

    def _look(self, batch: Batch, deadline: float) -> dict[str, Snapshot]:
        """Return the current results of the tasks that have one."""
        found: dict[str, Snapshot] = {}

        def ask(part: Batch) -> None:
            answer = self.starter.retrier.call(
                lambda seconds: self.asker.precheck_results(part, seconds), deadline
            )
            for task in part:
                entry = answer.entries.get(task)
                if isinstance(entry, Snapshot):
                    found[task] = entry

        ask_in_parts(batch, ask, _leave_out)
        return found

    def _start(
        self, tasks: Sequence[str], before: Mapping[str, Snapshot], deadline: float
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
                self._remark(f"task {task} was not started again: {failed[task].message}")
            else:
                self._remark(f"started the pre-check of task {task} again")

    def _remark(self, text: str) -> None:
        self.starter.retrier.observer.notify(Remarked(text))

    def _now(self) -> float:
        return self.starter.retrier.clock.monotonic()

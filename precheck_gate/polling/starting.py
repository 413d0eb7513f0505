"""Starts pre-checks: at most ten a call, each in a mode that fits, one bad task alone."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from precheck_gate.drs.api.v3_wire import not_started
from precheck_gate.drs.http.replies import TRY_AGAIN
from precheck_gate.errors import BatchRefused, TransientFault
from precheck_gate.model.snapshots import Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precheck_gate.polling.repeating import Repeater

__all__ = ["AUTO", "MODES", "StartService", "Starter"]

AUTO = "auto"
MODES = ("forStartJob", "forRetryJob", AUTO)
BATCH = 10
_STATES = (
    "A pre-check can be started in CONFIGURATION (forStartJob) or after a failure, in a status "
    "that ends in _FAILED (forRetryJob)."
)


class StartService(Protocol):
    """Who starts pre-checks, and knows the status of tasks."""

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-check of each task in its mode."""
        ...

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task."""
        ...


@dataclass
class Starter:
    """Starts the pre-checks of tasks.

    Args:
        service: who starts them.
        repeater: how calls are repeated.
        mode: one of `MODES`.
    """

    service: StartService
    repeater: Repeater
    mode: str = AUTO

    def start(self, task_ids: Sequence[str], deadline: float) -> dict[str, Trouble]:
        """Start the pre-checks, and return why some could not be.

        A start whose reply was lost is repeated: what then runs was started by us all the same.
        So is the start of a task for which the service asks for another try later.

        Raises:
            ServiceError: the service could not be asked.
        """
        modes, failed = self._modes(task_ids, deadline)
        self._start_all(modes, failed, deadline)
        self._start_later(modes, failed, deadline)
        return failed

    def _start_later(
        self, modes: Mapping[str, str], failed: dict[str, Trouble], deadline: float
    ) -> None:
        """Start what the service has no time for again, as long as the grace lasts."""
        rounds = itertools.count()

        def again(_: float) -> None:
            busy = _busy(failed)
            # The first round is over: what the service said then is the reason to wait.
            waited = next(rounds) > 0
            if busy and waited:
                self._start_all({task: modes[task] for task in busy}, failed, deadline)
                busy = _busy(failed)
            if busy:
                said = failed[busy[0]]
                more = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
                raise TransientFault(f"Task {busy[0]}{more}: {said.message}", code=said.code)

        # What cannot be started within the grace stays among the failed.
        with contextlib.suppress(TransientFault):
            self.repeater.call(again, deadline)

    def _start_all(
        self, modes: Mapping[str, str], failed: dict[str, Trouble], deadline: float
    ) -> None:
        """Start pre-checks, and keep ``failed`` up to date with each batch."""
        tasks = list(modes)
        for first in range(0, len(tasks), BATCH):
            batch = {task: modes[task] for task in tasks[first : first + BATCH]}
            outcome = self._start(batch, deadline)
            for task in batch:
                failed.pop(task, None)
            failed.update(outcome)

    def _start(self, modes: Mapping[str, str], deadline: float) -> dict[str, Trouble]:
        try:
            outcome = self.repeater.call(
                lambda seconds: self.service.start(modes, seconds), deadline
            )
        except BatchRefused as refused:
            return self._without_the_bad(modes, refused, deadline)
        failed: dict[str, Trouble] = {}
        for task in modes:
            told = outcome.get(task)
            if isinstance(told, Trouble):
                failed[task] = told
            elif told is None:
                failed[task] = Trouble(
                    TroubleKind.NOT_ANSWERED,
                    "the service did not say whether its pre-check was started",
                    hint="Look at the task in the DRS console.",
                )
        return failed

    def _without_the_bad(
        self, modes: Mapping[str, str], refused: BatchRefused, deadline: float
    ) -> dict[str, Trouble]:
        """Start the others of a batch that was refused as a whole."""
        culprits = [task for task in modes if task in refused.culprits]
        if len(modes) == 1:
            culprits = list(modes)
        failed = {}
        for task in culprits:
            code, message = refused.culprits.get(task, (refused.code, refused.message))
            failed[task] = not_started(message, code)
        rest = {task: mode for task, mode in modes.items() if task not in failed}
        if not culprits:
            middle = len(rest) // 2
            halves = list(rest)[:middle], list(rest)[middle:]
            for half in halves:
                failed |= self._start({task: rest[task] for task in half}, deadline)
        elif rest:
            failed |= self._start(rest, deadline)
        return failed

    def _modes(
        self, task_ids: Sequence[str], deadline: float
    ) -> tuple[dict[str, str], dict[str, Trouble]]:
        if self.mode != AUTO:
            return dict.fromkeys(task_ids, self.mode), {}
        modes: dict[str, str] = {}
        failed: dict[str, Trouble] = {}
        for first in range(0, len(task_ids), BATCH):
            batch = task_ids[first : first + BATCH]
            statuses = self._statuses(batch, deadline)
            for task in batch:
                status = statuses.get(task, "")
                if mode := mode_for(status):
                    modes[task] = mode
                else:
                    shown = f"its status is {status}" if status else "its status is not known"
                    failed[task] = Trouble(
                        TroubleKind.TASK_ERROR,
                        f"its pre-check was not started: {shown}",
                        hint=f"{_STATES} --mode says it, where the status does not.",
                    )
        return modes, failed

    def _statuses(self, batch: Sequence[str], deadline: float) -> dict[str, str]:
        try:
            return self.repeater.call(
                lambda seconds: self.service.statuses(batch, seconds), deadline
            )
        except BatchRefused:
            if len(batch) == 1:
                return {}
            # One task that is not known must not cost the others their status.
            middle = len(batch) // 2
            return self._statuses(batch[:middle], deadline) | self._statuses(
                batch[middle:], deadline
            )


def _busy(failed: Mapping[str, Trouble]) -> list[str]:
    """Return the tasks for which the service asks for another try later."""
    return [task for task, trouble in failed.items() if trouble.code in TRY_AGAIN]


def mode_for(status: str) -> str:
    """Return the mode that fits a task's status, or "" where a pre-check cannot be started."""
    if status == "CONFIGURATION":
        return "forStartJob"
    return "forRetryJob" if status.endswith("_FAILED") else ""

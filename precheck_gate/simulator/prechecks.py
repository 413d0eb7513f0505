"""The pre-checks of the simulated service: starting them, and which one answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from precheck_gate.simulator.replies import DOES_NOT_EXIST, FAILED, error_fields

if TYPE_CHECKING:
    from precheck_gate.simulator.model import Scenario
    from precheck_gate.simulator.tasks import SimulatedTask

__all__ = ["Prechecks"]


@dataclass(frozen=True, slots=True)
class _Precheck:
    number: int
    began: float
    before: _Precheck | None = None


class Prechecks:
    """Knows the last pre-check of each task. The caller serialises the calls."""

    def __init__(self, scenario: Scenario) -> None:
        self._tasks = {task.id: task for task in scenario.tasks}
        self._last = {task.id: _Precheck(0, 0.0) for task in scenario.tasks if task.started}
        self._starts = 0
        # The first pre-check of a task is known under its own ID, or else the task's.
        self._queries = {
            (task.id, task.precheck_id or task.id): self._last[task.id]
            for task in scenario.tasks
            if task.started
        }

    def known(self, job: str) -> bool:
        """Return whether a pre-check of the task was ever started."""
        return job in self._last

    def at(self, job: str, moment: float) -> tuple[SimulatedTask, float]:
        """Return the task as it answers now, and how long ago that pre-check began."""
        task, last = self._tasks[job], self._last[job]
        if last.before is not None and moment - last.began < task.lag:
            last = last.before
        return task.run(last.number), moment - last.began

    def queried(self, job: str, query: str, moment: float) -> tuple[SimulatedTask, float] | None:
        """Return the task as the pre-check of a query ID has it, as `at` does; None if unknown."""
        precheck = self._queries.get((job, query))
        if precheck is None:
            return None
        # Where a start gave an ID back that it had given out before, its results lag behind too.
        if precheck.before is not None and moment - precheck.began < self._tasks[job].lag:
            precheck = precheck.before
        return self._tasks[job].run(precheck.number), moment - precheck.began

    def start(self, job: str, mode: str, moment: float) -> dict[str, Any]:
        """Start a pre-check, and return what the service says of that."""
        task = self._tasks.get(job)
        if task is None:
            # (unverified) that an unknown task fails alone and not the whole request.
            return {"id": job, "status": "failed", **error_fields(DOES_NOT_EXIST)}
        error = task.start_error
        if error is not None and error.window.covers(moment):
            return {"id": job, "status": "failed", **error_fields(error.code, error.message)}
        if mode != _mode_for(task.status):
            # (unverified) the code and the words of such a refusal.
            said = f"A pre-check in the mode {mode} cannot be started in the status {task.status}."
            return {"id": job, "status": "failed", **error_fields(FAILED, said)}
        before = self._last.get(job)
        number = 0 if before is None else before.number + 1
        # Only the one before is remembered: a chain would grow with each start.
        kept = None if before is None else _Precheck(before.number, before.began)
        self._last[job] = _Precheck(number, moment, kept)
        self._starts += 1
        made = uuid.uuid5(uuid.NAMESPACE_OID, f"{job} {self._starts}")
        own = task.run(number).precheck_id or str(made)
        # A new ID has nothing to show but its own pre-check.
        shown = self._queries.get((job, own))
        self._queries[job, own] = _Precheck(number, moment, shown and replace(shown, before=None))
        return {"id": job, "precheck_id": own, "status": "success"}


def _mode_for(status: str) -> str:
    if status == "CONFIGURATION":
        return "forStartJob"
    return "forRetryJob" if status.endswith("_FAILED") else ""

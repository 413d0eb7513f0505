"""What a pipeline does next: which tasks may start, which must not, and the first reasons. Pure.

A task is ready only if its own verdict is green and no finding about the run blocks. Every other
requested task is blocked. ``--advisory`` changes an exit code, never what is ready.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding, RunFacts, RunVerdict, TaskVerdict, Verdict


FIRST = 10


@dataclass(frozen=True, slots=True)
class TaskFinding:
    """A finding and its task; "" for one about the run."""

    task_id: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a pipeline needs to know of a run.

    Attributes:
        ready: the tasks that may start, in the order of the request; none if a finding about the
            run blocks, or a signal ended the run early.
        blocked: every other requested task: blocked, incomplete or error.
        warnings: how many findings warn, waived ones included.
        blocking: the first findings that block, those about the run first.
        blocking_count: how many there are in all.
        warning: the first findings that warn.
        warning_count: how many there are in all, the same as ``warnings``.
    """

    verdict: Verdict
    exit_code: int
    advisory: bool
    ready: tuple[str, ...]
    blocked: tuple[str, ...]
    warnings: int
    blocking: tuple[TaskFinding, ...]
    blocking_count: int
    warning: tuple[TaskFinding, ...]
    warning_count: int


class ReadinessCollector:
    """Takes the verdicts of tasks one by one; keeps their names, and ``first`` findings a kind."""

    def __init__(self, first: int = FIRST) -> None:
        self._first = first
        self._green: set[str] = set()
        self._judged: list[str] = []
        self._kept: dict[Effect, list[TaskFinding]] = {Effect.BLOCK: [], Effect.WARN: []}
        self._counts: Counter[Effect] = Counter()

    def add_task(self, task: TaskVerdict) -> None:
        """Take the verdict of one task."""
        self._judged.append(task.task_id)
        if task.verdict.green:
            self._green.add(task.task_id)
        for finding in task.findings:
            self._counts[finding.effect] += 1
            kept = self._kept.get(finding.effect)
            if kept is not None and len(kept) < self._first:
                kept.append(TaskFinding(task.task_id, finding))

    def finish(self, run: RunVerdict, facts: RunFacts) -> Readiness:
        """Return the readiness after the last task."""
        counts = self._counts + Counter(finding.effect for finding in run.findings)
        whole = not facts.interrupted_by and all(one.verdict.green for one in run.findings)
        tasks = dict.fromkeys((*run.requested, *self._judged))
        asked = set(run.requested)
        ready = tuple(task for task in tasks if whole and task in self._green and task in asked)
        started = set(ready)
        return Readiness(
            verdict=run.verdict,
            exit_code=facts.exit_code,
            advisory=facts.advisory,
            ready=ready,
            blocked=tuple(task for task in tasks if task not in started),
            warnings=counts[Effect.WARN],
            blocking=self._first_of(Effect.BLOCK, run),
            blocking_count=counts[Effect.BLOCK],
            warning=self._first_of(Effect.WARN, run),
            warning_count=counts[Effect.WARN],
        )

    def _first_of(self, effect: Effect, run: RunVerdict) -> tuple[TaskFinding, ...]:
        own = [TaskFinding("", finding) for finding in run.findings if finding.effect is effect]
        return (*own, *self._kept[effect])[: self._first]

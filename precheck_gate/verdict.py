"""The verdict of a run: what its tasks add up to, and the exit code that says it. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from precheck_gate.exits import ExitCode
from precheck_gate.findings import Finding, FindingKind, RunVerdict, TaskVerdict, Verdict, worst
from precheck_gate.policy.model import Effect
from precheck_gate.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precheck_gate.model import Trouble
    from precheck_gate.policy.model import Policy

__all__ = ["RunJudge", "exit_code"]


class RunJudge:
    """Adds task verdicts up to the verdict of the run, one at a time, keeping none of them."""

    def __init__(self, requested: Sequence[str], policy: Policy) -> None:
        self._requested = tuple(clean_line(task_id) for task_id in requested)
        self._policy = policy
        self._open = set(self._requested)
        self._tasks: Counter[Verdict] = Counter()
        self._items: Counter[Effect] = Counter()

    def add(self, task: TaskVerdict) -> None:
        """Count a task; each requested task once, and no other.

        Raises:
            ValueError: the task was not requested, or was counted before.
        """
        if task.task_id not in self._open:
            raise ValueError(f"task {task.task_id} was not asked for, or was judged twice")
        self._open.remove(task.task_id)
        self._tasks[task.verdict] += 1
        for finding in task.findings:
            if finding.kind is not FindingKind.TASK:
                self._items[finding.effect] += 1

    def finish(
        self, *, troubles: Sequence[Trouble] = (), remarks: Sequence[str] = ()
    ) -> RunVerdict:
        """Return the verdict of the run.

        Args:
            troubles: what went wrong with the run itself; each is an error.
            remarks: oddities that change no verdict but are said aloud.
        """
        findings = [*map(self._from_trouble, troubles), *self._limits(), *self._missing()]
        verdict = worst([*self._tasks, *(finding.verdict for finding in findings)])
        return RunVerdict(
            verdict=verdict,
            findings=tuple(findings),
            requested=self._requested,
            tasks=dict(self._tasks),
            items=dict(self._items),
            remarks=tuple(clean_line(remark) for remark in remarks),
        )

    def _from_trouble(self, trouble: Trouble) -> Finding:
        return _run_finding(
            Verdict.ERROR,
            trouble.kind.value,
            trouble.message,
            rule="gate: no trustworthy answer, no green",
            next_step=trouble.hint,
            code=trouble.code,
        )

    def _limits(self) -> Iterable[Finding]:
        limit, warnings = self._policy.max_warnings, self._items[Effect.WARN]
        if limit is not None and warnings > limit:
            yield _run_finding(
                Verdict.BLOCKED,
                "limits.max_warnings",
                f"{warnings} warnings are more than the {limit} that the policy allows",
                rule=str(self._policy.max_warnings_origin),
                next_step="Mend some of the items that warn, or raise the limit in the policy.",
            )

    def _missing(self) -> Iterable[Finding]:
        if self._open or not self._requested:
            names = ", ".join(sorted(self._open)[:3])
            yield _run_finding(
                Verdict.ERROR,
                "judged",
                f"{len(self._open)} requested tasks were not judged: {names}"
                if self._open
                else "no task was judged",
                rule="gate: an empty set is not a pass",
                next_step="Name the tasks, and run the gate again.",
            )


def _run_finding(
    verdict: Verdict, title: str, message: str, *, rule: str, next_step: str, code: str = ""
) -> Finding:
    return Finding(
        kind=FindingKind.RUN,
        verdict=verdict,
        title=title,
        message=clean_line(message),
        decided_by=clean_line(rule),
        next_step=clean_line(next_step),
        code=clean_line(code),
    )


_EXIT_CODES = {
    Verdict.PASSED: ExitCode.PASSED,
    Verdict.PASSED_WITH_WARNINGS: ExitCode.PASSED,
    Verdict.BLOCKED: ExitCode.BLOCKED,
    Verdict.INCOMPLETE: ExitCode.INCOMPLETE,
    Verdict.ERROR: ExitCode.SERVICE,
}


def exit_code(verdict: Verdict, *, advisory: bool = False, warn_code: int | None = None) -> int:
    """Return the exit code of a verdict.

    Args:
        verdict: of the run.
        advisory: whether *blocked*, and nothing else, becomes 0.
        warn_code: the code of *passed with warnings*; None for 0.
    """
    if verdict is Verdict.BLOCKED and advisory:
        return int(ExitCode.PASSED)
    if verdict is Verdict.PASSED_WITH_WARNINGS and warn_code is not None:
        return warn_code
    return int(_EXIT_CODES[verdict])

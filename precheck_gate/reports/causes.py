"""Equal findings of many tasks, listed once: the cause, and the tasks that have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect, FindingKind, Verdict

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding, RunVerdict, TaskVerdict

# Beyond these, causes are only counted, and tasks are only numbers.
MAX_CAUSES = 2_000
MAX_TASKS_NAMED = 12


@dataclass(slots=True)
class Cause:
    """One finding of one or many tasks.

    Attributes:
        example: the first such finding.
        tasks: how many tasks have it; 0 for a finding about the run.
        named: the first of these tasks.
        known: in how many tasks the baseline had it already.
        waived: in how many tasks a waiver softened it.
        varied: whether the messages differ from task to task.
    """

    example: Finding
    tasks: int = 0
    named: list[str] = field(default_factory=list)
    known: int = 0
    waived: int = 0
    varied: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What findings of the same cause have in common."""
        return _key(self.example)

    @property
    def of_an_item(self) -> bool:
        """Whether it is about an item or one of its sub-tasks."""
        return self.example.kind not in (FindingKind.RUN, FindingKind.TASK)


def follows_from_items(finding: Finding) -> bool:
    """Return whether items that block explain this finding: DRS's own "result: false".

    An error of the service, or an unfinished pre-check, is a cause of its own.
    """
    own = finding.kind is FindingKind.TASK and finding.title == "result"
    return own and finding.verdict is Verdict.BLOCKED


class Causes:
    """Adds up what blocks and what warns over the tasks of a run.

    Args:
        exact: whether findings with different messages are different causes.
        accepted: whether to include findings that the policy allows but DRS does not call PASSED.
        bound: how many causes to keep.
    """

    def __init__(
        self, *, exact: bool = False, accepted: bool = False, bound: int = MAX_CAUSES
    ) -> None:
        self._exact = exact
        self._accepted = accepted
        self._bound = bound
        self._causes: dict[tuple[str, ...], Cause] = {}
        self.left_out = 0
        """How many findings have causes beyond the bound."""

    def add(self, task: TaskVerdict) -> None:
        """Take the findings of one task."""
        against = [finding for finding in task.findings if self._counts(finding)]
        items_block = any(
            finding.kind is not FindingKind.TASK and finding.effect is Effect.BLOCK
            for finding in against
        )
        seen: set[tuple[str, ...]] = set()
        for finding in against:
            if not (items_block and follows_from_items(finding)):
                self._add(finding, task.task_id, seen)

    def _counts(self, finding: Finding) -> bool:
        if finding.verdict is not Verdict.PASSED:
            return True
        return self._accepted and finding.status not in ("", "PASSED")

    def _add(self, finding: Finding, task_id: str, seen: set[tuple[str, ...]]) -> None:
        key = (*_key(finding), finding.message) if self._exact else _key(finding)
        cause = self._causes.get(key)
        if cause is None:
            if len(self._causes) >= self._bound:
                self.left_out += 1
                return
            cause = self._causes[key] = Cause(finding)
        cause.varied = cause.varied or finding.message != cause.example.message
        if key in seen:
            return
        seen.add(key)
        cause.tasks += 1
        cause.known += finding.known
        cause.waived += bool(finding.waived_by)
        if len(cause.named) < MAX_TASKS_NAMED:
            cause.named.append(task_id)

    def against(self, run: RunVerdict, effect: Effect) -> list[Cause]:
        """Return the causes with an effect: those of the run first, then by number of tasks."""
        of_tasks = [cause for cause in self._causes.values() if cause.example.effect is effect]
        # A fault of the whole service is a finding of the run and of every task: one is enough.
        everywhere = {
            _words(cause.example)
            for cause in of_tasks
            if cause.tasks == sum(run.tasks.values()) and not cause.varied
        }
        of_run = [
            Cause(finding)
            for finding in run.findings
            if finding.effect is effect and _words(finding) not in everywhere
        ]
        return [*of_run, *sorted(of_tasks, key=lambda cause: -cause.tasks)]


def _words(finding: Finding) -> tuple[Verdict, str, str]:
    return finding.verdict, finding.message, finding.next_step


def _key(finding: Finding) -> tuple[str, ...]:
    own = finding.decided_by if finding.kind is FindingKind.TASK else finding.group
    what = (finding.kind.value, finding.title, finding.status, finding.failed_reason)
    return (finding.verdict.value, *what, own)  # as causeKey in the page's script
